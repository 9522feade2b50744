// SPDX-License-Identifier: MIT
// Time: the time stamp counter measured against the PIT, one-shot interrupts, timers, time slices.
#pragma once
#include "clock_page.h"
#include "deadline.h"
#include "event.h"
#include "start.h"

struct timer {
    struct deadline deadline;  // time stamp ticks; first: whose deadline it is, is so found
    struct reference event;
    uint32_t bits;
};

BOOT_TEXT void timer_init(void);
extern struct clock timer_clock;
// Ticks per millisecond of the time stamp counter.
static inline uint32_t timer_tsc_khz(void) {
    return timer_clock.tsc_khz;
}
// ns < 2^52: more would overflow the arithmetic. Set again, it is as if it had not been set before.
void timer_set(struct timer *timer, uint64_t ns, struct object *event, uint32_t bits);
void timer_cancel(struct timer *timer);
extern uint64_t timer_slice_deadline;  // an interrupt comes then, or earlier; UINT64_MAX: none
// Others wait: interrupt at that time stamp, or earlier.
void timer_slice_begin(uint64_t deadline);
// The PIT's interrupt.
void timer_interrupt(void);
