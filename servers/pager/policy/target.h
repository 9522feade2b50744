// SPDX-License-Identifier: MIT
// The target size p of ARC and CAR, which ghosts move: a number of frames with a fraction of 32 bits,
// for the papers' ratios are real numbers. Static inline; no division of 64 bits.
#pragma once
#include "policy.h"

struct target {
    uint32_t whole, part;
};

// The larger of 1 and other / own; own is not 0.
static inline struct target target_step(uint32_t own, uint32_t other) {
    struct target step = {other / own, 0};
    uint64_t rest = other % own;
    for (uint32_t bit = 0; bit < 32; bit++) {
        rest <<= 1;
        step.part <<= 1;
        if (rest >= own) {
            rest -= own;
            step.part |= 1;
        }
    }
    return other < own ? (struct target){1, 0} : step;
}

static inline void target_limit(struct target *target, uint32_t most) {
    if (target->whole >= most) {
        *target = (struct target){most, 0};
    }
}

// A ghost of the first list returns: `own` ghosts there, `other` in the second one.
static inline void target_raise(struct target *target, uint32_t own, uint32_t other,
                                uint32_t most) {
    struct target step = target_step(own, other);
    target->part += step.part;
    target->whole += step.whole + (target->part < step.part);
    target_limit(target, most);
}

// A ghost of the second list returns: `own` ghosts there, `other` in the first one.
static inline void target_lower(struct target *target, uint32_t own, uint32_t other) {
    struct target step = target_step(own, other);
    uint32_t borrow = target->part < step.part;
    if (target->whole < step.whole + borrow) {
        *target = (struct target){0, 0};
    } else {
        target->whole -= step.whole + borrow;
        target->part -= step.part;
    }
}
