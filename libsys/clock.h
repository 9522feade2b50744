// SPDX-License-Identifier: MIT
// The time, for every task, without a message or a kernel entry: the time stamp counter, scaled as
// the kernel's clock page says. It counts from the start of the machine, never goes back, and goes
// on while the task waits.
#pragma once
#include "clock_page.h"
#include "layout.h"

static inline const struct clock *clock_page(void) {
    return (const struct clock *)LAYOUT_CLOCK;
}

static inline uint64_t clock_ticks(void) {
    return __builtin_ia32_rdtsc();
}

// Nanoseconds in so many ticks of the time stamp counter.
static inline uint64_t clock_ticks_ns(uint64_t ticks) {
    return clock_scale(clock_page()->scale, ticks);
}

// Nanoseconds since the kernel's clock began to run.
static inline uint64_t clock_now_ns(void) {
    return clock_ticks_ns(clock_ticks() - clock_page()->started);
}
