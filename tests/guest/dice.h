// SPDX-License-Identifier: MIT
// Random numbers that a seed repeats.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "../random.h"

struct dice {
    uint32_t state;  // never 0
};

static inline uint32_t roll(struct dice *dice) {
    return random_next(&dice->state);
}

// 0 .. end - 1
static inline uint32_t below(struct dice *dice, uint32_t end) {
    return (uint32_t)((uint64_t)roll(dice) * end >> 32);
}

static inline bool one_in(struct dice *dice, uint32_t times) {
    return below(dice, times) == 0;
}
