// SPDX-License-Identifier: MIT
// ARC: T1 holds pages used once, T2 those used more often, B1 and B2 are the ghosts of each; a ghost
// that comes back moves the target p of T1's size towards its own list.
// Megiddo and Modha, ARC: a self-tuning, low overhead replacement cache, FAST 2003, figure 4.
#include "target.h"

struct arc {
    struct lists lists;
    struct target target;  // p
    uint32_t newcomer;  // 1: a page without ghost is coming, and will count in T1
};
POLICY_MEMORY(arc, struct arc)

static void arc_init(struct policy *policy) {
    struct arc *arc = arc_memory(policy);
    arc->target.whole = policy->parameter[0];
    target_limit(&arc->target, policy->frames);
}

// A ghost returns: p moves by the ratio of the other list of ghosts to its own, at least by 1.
static void adapt(struct policy *policy, struct arc *arc, uint32_t slot) {
    uint8_t from = policy->slot[slot].state;
    uint32_t own = arc->lists.count[from], other = arc->lists.count[from == B1 ? B2 : B1];
    if (from == B1) {
        target_raise(&arc->target, own, other, policy->frames);
    } else {
        target_lower(&arc->target, own, other);
    }
    policy->slot[slot].count = from;
    lists_leave(&arc->lists, policy->slot, slot);
}

// `count`: the list of ghosts it was in when victim() saw it come.
static void arc_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct arc *arc = arc_memory(policy);
    struct policy_slot *record = &policy->slot[slot];
    if (record->state >= B1) {  // there was room: nobody asked for a victim
        adapt(policy, arc, slot);
    }
    int known = record->count != 0 || (how == POLICY_ADOPTED && record->ref);
    record->count = 0;
    arc->newcomer = 0;
    if (how == POLICY_COLD) {
        lists_enter_oldest(&arc->lists, policy->slot, slot, T1);
    } else {
        lists_enter(&arc->lists, policy->slot, slot, known ? T2 : T1);
    }
}

static void arc_touch(struct policy *policy, uint32_t slot) {
    lists_enter(&arc_memory(policy)->lists, policy->slot, slot, T2);
}

static uint32_t arc_victim(struct policy *policy, uint32_t incoming) {
    struct arc *arc = arc_memory(policy);
    struct lists *lists = &arc->lists;
    uint32_t t1 = lists->count[T1];
    target_limit(&arc->target, policy->frames);
    if (policy->slot[incoming].state >= B1) {
        adapt(policy, arc, incoming);
    }
    uint8_t ghost = policy->slot[incoming].count;
    arc->newcomer = incoming != POLICY_NONE && ghost == 0;
    if (arc->newcomer && t1 >= policy->frames) {  // case IV: L1 is all of T1
        return lists_take(lists, policy->slot, T1);
    }
    const struct target *p = &arc->target;
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

static void arc_drop(struct policy *policy, uint32_t slot) {
    struct arc *arc = arc_memory(policy);
    arc->newcomer = arc->newcomer && policy->slot[slot].state != 0;
    lists_leave(&arc->lists, policy->slot, slot);
}

static uint32_t arc_reap(struct policy *policy, int must) {
    struct arc *arc = arc_memory(policy);
    return target_reap(policy, &arc->lists, arc->newcomer, must);
}

static uint32_t arc_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, arc_victim, out, limit);
}

static const struct policy_description arc_description = {
    .list = {POLICY_LIST(struct arc, lists.of[T1], "T1",
                         "it is the oldest of T1, which is as large as p allows (or T2 is empty)"),
             POLICY_LIST(struct arc, lists.of[T2], "T2",
                         "it is the oldest of T2, for T1 is smaller than p allows"),
             POLICY_LIST(struct arc, lists.of[B1], "B1", NULL),
             POLICY_LIST(struct arc, lists.of[B2], "B2", NULL)},
    .number = {{"p", POLICY_WORD(struct arc, target), 1}},
};

const struct policy_operations policy_arc = {
    .last_touch = 1,
    .ghosts = 100,
    .parameter = {{"p", 0, 0, UINT32_MAX, "frames that T1 aims at, to begin with"}},
    .init = arc_init,
    .admit = arc_admit,
    .touch = arc_touch,
    .victim = arc_victim,
    .drop = arc_drop,
    .reap = arc_reap,
    .order = arc_order,
    .description = POLICY_DESCRIBED(arc_description),
};
