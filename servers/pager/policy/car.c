// SPDX-License-Identifier: MIT
// CAR: ARC's idea with clocks: T1 and T2 are clocks of pages used once and more often, B1 and B2 the
// ghosts of each in order of eviction; p is the target size of T1.
// Bansal and Modha, CAR: clock with adaptive replacement, FAST 2004, figure 2.
#include "target.h"

// Pages that were used go, or go round, to T2.
static uint32_t replace(struct policy *policy, struct adaptive *a) {
    struct lists *lists = &a->lists;
    for (;;) {
        uint32_t t1 = lists->count[T1], least = a->target.whole + (a->target.part > 0);
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
    struct adaptive *a = adaptive_memory(policy);
    target_limit(&a->target, policy->frames);
    uint32_t answer = replace(policy, a);
    adaptive_return(policy, incoming);
    a->newcomer = incoming != POLICY_NONE && policy->slot[incoming].count == 0;
    return answer;
}

static uint32_t car_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, car_victim, out, limit);
}

static const struct policy_description car_description = {
    .list = {POLICY_LIST(struct adaptive, lists.of[T1], "T1",
                         "the hand of T1 finds its bit clear; T1 has p pages or more (or T2 none)"),
             POLICY_LIST(struct adaptive, lists.of[T2], "T2",
                         "the hand of T2 finds its bit clear; T1 has less than p pages"),
             POLICY_LIST(struct adaptive, lists.of[B1], "B1", NULL),
             POLICY_LIST(struct adaptive, lists.of[B2], "B2", NULL)},
    .hand = {{"1: hand of T1", POLICY_WORD(struct adaptive, lists.of[T1]), 0},
             {"2: hand of T2", POLICY_WORD(struct adaptive, lists.of[T2]), 0}},
    .number = {{"p", POLICY_WORD(struct adaptive, target), 1}},
};

const struct policy_operations policy_car = {
    .ghosts = 100,
    .parameter = {{"p", 0, 0, UINT32_MAX, "frames that T1 aims at, to begin with"}},
    .init = adaptive_init,
    .admit = adaptive_admit,
    .victim = car_victim,
    .drop = adaptive_drop,
    .reap = adaptive_reap,
    .order = car_order,
    .description = POLICY_DESCRIBED(car_description),
};
