// SPDX-License-Identifier: MIT
// What ARC and CAR share: their four lists, the target size p, which ghosts move, and how many ghosts
// there are. p is a number of frames with a fraction of 32 bits, for the papers' ratios are real
// numbers. Static inline; no division of 64 bits.
#pragma once
#include "lists.h"

enum { T1 = 1, T2, B1, B2 };  // state: resident pages used once and more often, the ghosts of each

struct target {
    uint32_t whole, part;
};

// The larger of 1 and other / own; own is not 0. A long division: its bits are as good as random, so
// no branch depends on them.
static inline struct target target_step(uint32_t own, uint32_t other) {
    if (other <= own) {
        return (struct target){1, 0};
    }
    struct target step = {other / own, 0};
    uint64_t rest = other % own;
    for (uint32_t bit = 0; bit < 32; bit++) {
        rest <<= 1;
        uint32_t one = rest >= own;
        rest -= own & (0u - one);
        step.part = step.part << 1 | one;
    }
    return step;
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

// What `reap` answers: |T1| + |B1| <= c and all together <= 2c, with a page without ghost that is
// coming (newcomer: 1, else 0).
static inline uint32_t target_reap(struct policy *policy, struct lists *lists, uint32_t newcomer,
                                   int must) {
    uint32_t l1 = lists->count[T1] + lists->count[B1] + newcomer;
    uint32_t l2 = lists->count[T2] + lists->count[B2];
    if (l1 > policy->frames && lists->count[B1] > 0) {
        return lists_take(lists, policy->slot, B1);
    }
    if (must || l1 + l2 > 2 * policy->frames) {
        return lists_take(lists, policy->slot, lists->count[B2] > 0 ? B2 : B1);
    }
    return POLICY_NONE;
}
