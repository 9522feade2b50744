// SPDX-License-Identifier: MIT
// ARC: T1 holds pages used once, T2 those used more often, B1 and B2 are the ghosts of each; a ghost
// that comes back moves the target p of T1's size towards its own list.
// Megiddo and Modha, ARC: a self-tuning, low overhead replacement cache, FAST 2003, figure 4.
#include "target.h"

static void arc_touch(struct policy *policy, uint32_t slot) {
    lists_enter(&adaptive_memory(policy)->lists, policy->slot, slot, T2);
}

static uint32_t arc_victim(struct policy *policy, uint32_t incoming) {
    struct adaptive *a = adaptive_memory(policy);
    struct lists *lists = &a->lists;
    uint32_t t1 = lists->count[T1];
    target_limit(&a->target, policy->frames);
    adaptive_return(policy, incoming);
    uint8_t ghost = policy->slot[incoming].count;
    a->newcomer = incoming != POLICY_NONE && ghost == 0;
    if (a->newcomer && t1 >= policy->frames) {  // case IV: L1 is all of T1
        return lists_take(lists, policy->slot, T1);
    }
    const struct target *p = &a->target;
    int equal = t1 == p->whole && p->part == 0;
    int first = t1 > 0 && (t1 > p->whole || (ghost == B2 && equal));
    uint8_t from = first || lists->count[T2] == 0 ? T1 : T2;
    uint32_t slot = lists->of[from].oldest;
    if (slot == POLICY_NONE) {
        return POLICY_NONE;
    }
    lists_enter(lists, policy->slot, slot, from == T1 ? B1 : B2);
    return slot | POLICY_GHOST;
}

static uint32_t arc_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, arc_victim, out, limit);
}

static const struct policy_description arc_description = {
    .list = {POLICY_LIST(struct adaptive, lists.of[T1], "T1",
                         "it is the oldest of T1, which is as large as p allows (or T2 is empty)"),
             POLICY_LIST(struct adaptive, lists.of[T2], "T2",
                         "it is the oldest of T2, for T1 is smaller than p allows"),
             POLICY_LIST(struct adaptive, lists.of[B1], "B1", NULL),
             POLICY_LIST(struct adaptive, lists.of[B2], "B2", NULL)},
    .number = {{"p", POLICY_WORD(struct adaptive, target), 1}},
};

const struct policy_operations policy_arc = {
    .last_touch = 1,
    .ghosts = 100,
    .parameter = {{"p", 0, 0, UINT32_MAX, "frames that T1 aims at, to begin with"}},
    .init = adaptive_init,
    .admit = adaptive_admit,
    .touch = arc_touch,
    .victim = arc_victim,
    .drop = adaptive_drop,
    .reap = adaptive_reap,
    .order = arc_order,
    .description = POLICY_DESCRIBED(arc_description),
};
