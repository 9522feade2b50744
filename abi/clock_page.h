// SPDX-License-Identifier: MIT
// The clock that every task reads without a message. The kernel writes one frame at boot, then never
// again, so that readers need no lock; the rest of the frame is zero. Its number stands in
// start_info: whoever may map into a task may map it there, at LAYOUT_CLOCK, for reading alone.
#pragma once
#include "types.h"

struct clock {
    uint64_t started;  // time stamp at which it began to run
    uint64_t scale;    // nanoseconds per tick, in 2^-32
    uint32_t tsc_khz;  // ticks per millisecond, as measured; scale == 10^6 * 2^32 / tsc_khz
};

// Nanoseconds in so many ticks, without a division. Right while they fit 64 bits: 584 years. At 5
// GHz the time stamp counter itself ends after 116.
static inline uint64_t clock_scale(uint64_t scale, uint64_t ticks) {
    uint32_t whole = (uint32_t)(scale >> 32), fraction = (uint32_t)scale;
    uint32_t high = (uint32_t)(ticks >> 32), low = (uint32_t)ticks;
    return ticks * whole + (uint64_t)high * fraction + ((uint64_t)low * fraction >> 32);
}
