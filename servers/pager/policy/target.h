// SPDX-License-Identifier: MIT
// What ARC and CAR share: four lists, the target size p of T1, which ghosts that come back move
// towards their own list, and all operations but touch, victim and order. p is a number of frames with a fraction of 32 bits, for the papers' ratios are real
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

// ---- operations of both ----------------------------------------------------------------------

struct adaptive {
    struct lists lists;
    struct target target;  // p
    uint32_t newcomer;     // 1: a page without ghost is coming, and will count in T1
};
POLICY_MEMORY(adaptive, struct adaptive)

static inline void adaptive_init(struct policy *policy) {
    struct target *p = &adaptive_memory(policy)->target;
    p->whole = policy->parameter[0];
    target_limit(p, policy->frames);
}

// If it is a ghost that returns, p moves by the ratio of the other list of ghosts to its own, at least
// by 1. `count` of a page that is coming: the list of ghosts it was in.
static inline void adaptive_return(struct policy *policy, uint32_t slot) {
    struct adaptive *a = adaptive_memory(policy);
    uint8_t from = policy->slot[slot].state;
    if (from < B1) {
        return;
    }
    uint32_t own = a->lists.count[from], other = a->lists.count[from == B1 ? B2 : B1];
    if (from == B1) {
        target_raise(&a->target, own, other, policy->frames);
    } else {
        target_lower(&a->target, own, other);
    }
    policy->slot[slot].count = from;
    lists_leave(&a->lists, policy->slot, slot);
}

static inline void adaptive_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct adaptive *a = adaptive_memory(policy);
    struct policy_slot *record = &policy->slot[slot];
    adaptive_return(policy, slot);  // if there was room, nobody has asked for a victim
    int known = record->count != 0 || (how == POLICY_ADOPTED && record->ref);
    record->count = 0;
    a->newcomer = 0;
    if (how == POLICY_COLD) {
        lists_enter_oldest(&a->lists, policy->slot, slot, T1);
    } else {
        lists_enter(&a->lists, policy->slot, slot, known ? T2 : T1);
    }
}

static inline void adaptive_drop(struct policy *policy, uint32_t slot) {
    struct adaptive *a = adaptive_memory(policy);
    a->newcomer = a->newcomer && policy->slot[slot].state != 0;
    lists_leave(&a->lists, policy->slot, slot);
}

// |T1| + |B1| <= c and all together <= 2c, with the newcomer.
static inline uint32_t adaptive_reap(struct policy *policy, int must) {
    struct adaptive *a = adaptive_memory(policy);
    struct lists *lists = &a->lists;
    uint32_t l1 = lists->count[T1] + lists->count[B1] + a->newcomer;
    uint32_t l2 = lists->count[T2] + lists->count[B2];
    if (l1 > policy->frames && lists->count[B1] > 0) {
        return lists_take(lists, policy->slot, B1);
    }
    if (must || l1 + l2 > 2 * policy->frames) {
        return lists_take(lists, policy->slot, lists->count[B2] > 0 ? B2 : B1);
    }
    return POLICY_NONE;
}
