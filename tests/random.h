// SPDX-License-Identifier: MIT
// Numbers that look random and are the same in every run.
#pragma once
#include <stdint.h>

// xorshift32 (Marsaglia 2003): the next number of a state that is not 0.
static inline uint32_t random_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}
