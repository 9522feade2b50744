// SPDX-License-Identifier: MIT
// 2Q, full version: a page comes into a queue, A1in, where uses do not count; when it leaves that it
// is remembered in A1out, and only if it comes back from there does it get into Am, which is LRU.
// Johnson and Shasha, 2Q: a low overhead high performance buffer management replacement algorithm,
// VLDB 1994. A1in gives pages up while it holds more than Kin.
#include "lists.h"

enum { IN = 1, MAIN, OUT };  // state
enum { KIN, KOUT };          // parameters

struct twoq {
    struct lists lists;
};
POLICY_MEMORY(twoq, struct twoq)

static struct lists *queues(struct policy *policy) {
    return &twoq_memory(policy)->lists;
}

static void twoq_init(struct policy *policy) {
    (void)policy;  // empty queues are all zeros
}

// `count`: it was a ghost when victim() saw it come.
static void twoq_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct policy_slot *record = &policy->slot[slot];
    int known = record->state == OUT || record->count != 0 ||
                (how == POLICY_ADOPTED && record->ref);
    record->count = 0;
    if (how == POLICY_COLD) {
        lists_enter_oldest(queues(policy), policy->slot, slot, IN);
    } else {
        lists_enter(queues(policy), policy->slot, slot, known ? MAIN : IN);
    }
}

static void twoq_touch(struct policy *policy, uint32_t slot) {
    if (policy->slot[slot].state == MAIN) {
        list_move_newest(&queues(policy)->of[MAIN], policy->slot, slot);
    }
}

static uint32_t twoq_victim(struct policy *policy, uint32_t incoming) {
    struct lists *lists = queues(policy);
    if (policy->slot[incoming].state == OUT) {
        lists_leave(lists, policy->slot, incoming);
        policy->slot[incoming].count = 1;
    }
    if (lists->count[IN] <= policy_share(policy, policy->parameter[KIN]) && lists->count[MAIN] > 0) {
        return lists_take(lists, policy->slot, MAIN);
    }
    uint32_t slot = lists_take(lists, policy->slot, IN);
    if (slot == POLICY_NONE || policy_share(policy, policy->parameter[KOUT]) == 0) {
        return slot;
    }
    lists_enter(lists, policy->slot, slot, OUT);
    return slot | POLICY_GHOST;
}

static void twoq_drop(struct policy *policy, uint32_t slot) {
    lists_leave(queues(policy), policy->slot, slot);
}

static uint32_t twoq_reap(struct policy *policy, int must) {
    struct lists *lists = queues(policy);
    int over = lists->count[OUT] > policy_share(policy, policy->parameter[KOUT]);
    return must || over ? lists_take(lists, policy->slot, OUT) : POLICY_NONE;
}

static uint32_t twoq_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, twoq_victim, out, limit);
}

static const struct policy_description twoq_description = {
    .list = {POLICY_LIST(struct twoq, lists.of[IN], "A1in",
                         "it is the oldest of A1in, which has more than its share (or Am is empty)"),
             POLICY_LIST(struct twoq, lists.of[MAIN], "Am",
                         "it is the oldest of Am, for A1in has no more than its share"),
             POLICY_LIST(struct twoq, lists.of[OUT], "A1out", NULL)},
};

const struct policy_operations policy_2q = {
    .last_touch = 1,
    .ghosts = 100,
    .parameter = {{"in", 25, 0, 100, "A1in gives pages up above so many percent of the frames"},
                  {"out", 50, 0, 100, "A1out remembers so many percent of the frames"}},
    .init = twoq_init,
    .admit = twoq_admit,
    .touch = twoq_touch,
    .victim = twoq_victim,
    .drop = twoq_drop,
    .reap = twoq_reap,
    .order = twoq_order,
    .description = POLICY_DESCRIBED(twoq_description),
};
