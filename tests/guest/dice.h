// SPDX-License-Identifier: MIT
// Random numbers that a seed repeats: xorshift32 (Marsaglia 2003).
#pragma once
#include <stdint.h>

struct dice {
    uint32_t state;  // never 0
};

static inline uint32_t roll(struct dice *dice) {
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 17;
    dice->state ^= dice->state << 5;
    return dice->state;
}

// 0 .. end - 1
static inline uint32_t below(struct dice *dice, uint32_t end) {
    return (uint32_t)((uint64_t)roll(dice) * end >> 32);
}

static inline bool one_in(struct dice *dice, uint32_t times) {
    return below(dice, times) == 0;
}
