// SPDX-License-Identifier: MIT
// CAR: ARC's idea with clocks: T1 and T2 are clocks of pages used once and more often, B1 and B2 the
// ghosts of each in order of eviction; p is the target size of T1.
// Bansal and Modha, CAR: clock with adaptive replacement, FAST 2004, figure 2.
#include "target.h"

// The oldest of a clock is where its hand is.
struct car {
    struct lists lists;
    struct target target;  // p
    uint32_t newcomer;  // 1: a page without ghost is coming
};
POLICY_MEMORY(car, struct car)

static void car_init(struct policy *policy) {
    struct car *car = car_memory(policy);
    car->target.whole = policy->parameter[0];
    target_limit(&car->target, policy->frames);
}

// A ghost returns: p moves by the ratio of the other list of ghosts to its own, at least by 1.
static void adapt(struct policy *policy, struct car *car, uint32_t slot) {
    uint8_t from = policy->slot[slot].state;
    uint32_t own = car->lists.count[from], other = car->lists.count[from == B1 ? B2 : B1];
    if (from == B1) {
        target_raise(&car->target, own, other, policy->frames);
    } else {
        target_lower(&car->target, own, other);
    }
    policy->slot[slot].count = 1;
    lists_leave(&car->lists, policy->slot, slot);
}

// `count`: it was a ghost when victim() saw it come.
static void car_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct car *car = car_memory(policy);
    struct policy_slot *record = &policy->slot[slot];
    if (record->state != 0) {
        adapt(policy, car, slot);
    }
    int known = record->count != 0 ||
                (how == POLICY_ADOPTED && record->ref);
    record->count = 0;
    car->newcomer = 0;
    if (how == POLICY_COLD) {
        lists_enter_oldest(&car->lists, policy->slot, slot, T1);
    } else {
        lists_enter(&car->lists, policy->slot, slot, known ? T2 : T1);
    }
}

// Pages that were used go, or go round, to T2.
static uint32_t replace(struct policy *policy, struct car *car) {
    struct lists *lists = &car->lists;
    for (;;) {
        uint32_t t1 = lists->count[T1], least = car->target.whole + (car->target.part > 0);
        uint8_t from = (t1 >= least && t1 > 0) || lists->count[T2] == 0 ? T1 : T2;
        uint32_t slot = lists->of[from].oldest;
        if (slot == POLICY_NONE) {
            return POLICY_NONE;
        }
        int used = policy->slot[slot].ref;
        policy->slot[slot].ref = 0;
        lists_enter(lists, policy->slot, slot, used ? T2 : from == T1 ? B1 : B2);
        if (!used) {
            return slot | POLICY_GHOST;
        }
    }
}

static uint32_t car_victim(struct policy *policy, uint32_t incoming) {
    struct car *car = car_memory(policy);
    target_limit(&car->target, policy->frames);
    uint32_t answer = replace(policy, car);
    if (policy->slot[incoming].state >= B1) {
        adapt(policy, car, incoming);
    }
    car->newcomer = incoming != POLICY_NONE && policy->slot[incoming].count == 0;
    return answer;
}

static void car_drop(struct policy *policy, uint32_t slot) {
    struct car *car = car_memory(policy);
    car->newcomer = car->newcomer && policy->slot[slot].state != 0;
    lists_leave(&car->lists, policy->slot, slot);
}

static uint32_t car_reap(struct policy *policy, int must) {
    struct car *car = car_memory(policy);
    return target_reap(policy, &car->lists, car->newcomer, must);
}

static uint32_t car_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, car_victim, out, limit);
}

static const struct policy_description car_description = {
    .list = {POLICY_LIST(struct car, lists.of[T1], "T1",
                         "the hand of T1 finds its bit clear; T1 has p pages or more (or T2 none)"),
             POLICY_LIST(struct car, lists.of[T2], "T2",
                         "the hand of T2 finds its bit clear; T1 has less than p pages"),
             POLICY_LIST(struct car, lists.of[B1], "B1", NULL),
             POLICY_LIST(struct car, lists.of[B2], "B2", NULL)},
    .hand = {{"1: hand of T1", POLICY_WORD(struct car, lists.of[T1]), 0},
             {"2: hand of T2", POLICY_WORD(struct car, lists.of[T2]), 0}},
    .number = {{"p", POLICY_WORD(struct car, target), 1}},
};

const struct policy_operations policy_car = {
    .ghosts = 100,
    .parameter = {{"p", 0, 0, UINT32_MAX, "frames that T1 aims at, to begin with"}},
    .init = car_init,
    .admit = car_admit,
    .victim = car_victim,
    .drop = car_drop,
    .reap = car_reap,
    .order = car_order,
    .description = POLICY_DESCRIBED(car_description),
};
