// SPDX-License-Identifier: MIT
// S3-FIFO: a small queue for newcomers, a main queue for those used at least twice there, and ghosts
// of those that were not. Yang and others, FIFO queues are all you need for cache eviction, SOSP
// 2023. `count`: uses, up to 255 in the small queue, 0 in the main queue at first; a page of the
// main queue that was used goes round again, with min(count, 3) - 1.
#include "lists.h"

enum { SMALL = 1, MAIN, GHOST };  // state
enum { SMALL_SHARE, GHOST_SHARE, PROMOTION };  // parameters
enum { USES_MAX = 3, WAS_GHOST = 255 };

struct s3fifo {
    struct lists lists;
};
POLICY_MEMORY(s3fifo, struct s3fifo)

static uint32_t share(const struct policy *policy, uint32_t parameter) {
    return policy_share(policy, policy->parameter[parameter]);
}

static void s3fifo_init(struct policy *policy) {
    (void)policy;  // empty queues are all zeros
}

static void s3fifo_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct s3fifo *s = s3fifo_memory(policy);
    struct policy_slot *record = &policy->slot[slot];
    int known = record->state == GHOST || record->count == WAS_GHOST ||
                (how == POLICY_ADOPTED && record->ref);
    record->count = 0;
    if (how == POLICY_COLD) {
        lists_enter_oldest(&s->lists, policy->slot, slot, SMALL);
    } else {
        lists_enter(&s->lists, policy->slot, slot, known ? MAIN : SMALL);
    }
}

static void s3fifo_touch(struct policy *policy, uint32_t slot) {
    struct policy_slot *record = &policy->slot[slot];
    record->count = (uint8_t)(record->count + (record->count < UINT8_MAX - 1));
}

// What was used is promoted, until a page leaves or none is left.
static uint32_t victim_small(struct policy *policy, struct lists *lists) {
    uint32_t slot;
    while ((slot = lists->of[SMALL].oldest) != POLICY_NONE) {
        struct policy_slot *record = &policy->slot[slot];
        int promoted = record->count >= policy->parameter[PROMOTION];
        record->count = 0;
        lists_enter(lists, policy->slot, slot, promoted ? MAIN : GHOST);
        if (!promoted) {
            return slot | POLICY_GHOST;
        }
    }
    return POLICY_NONE;
}

static uint32_t victim_main(struct policy *policy, struct lists *lists) {
    uint32_t slot;
    while ((slot = lists->of[MAIN].oldest) != POLICY_NONE && policy->slot[slot].count > 0) {
        uint8_t uses = policy->slot[slot].count;
        policy->slot[slot].count = (uint8_t)((uses < USES_MAX ? uses : USES_MAX) - 1);
        list_move_newest(&lists->of[MAIN], policy->slot, slot);
    }
    return lists_take(lists, policy->slot, MAIN);
}

static uint32_t s3fifo_victim(struct policy *policy, uint32_t incoming) {
    struct s3fifo *s = s3fifo_memory(policy);
    if (policy->slot[incoming].state == GHOST) {
        lists_leave(&s->lists, policy->slot, incoming);
        policy->slot[incoming].count = WAS_GHOST;
    }
    uint32_t answer = POLICY_NONE;
    if (s->lists.count[MAIN] <= policy->frames - share(policy, SMALL_SHARE)) {
        answer = victim_small(policy, &s->lists);
    }
    answer = answer != POLICY_NONE ? answer : victim_main(policy, &s->lists);
    return answer != POLICY_NONE ? answer : victim_small(policy, &s->lists);
}

static void s3fifo_drop(struct policy *policy, uint32_t slot) {
    lists_leave(&s3fifo_memory(policy)->lists, policy->slot, slot);
}

static uint32_t s3fifo_reap(struct policy *policy, int must) {
    struct lists *lists = &s3fifo_memory(policy)->lists;
    int over = lists->count[GHOST] > share(policy, GHOST_SHARE);
    return must || over ? lists_take(lists, policy->slot, GHOST) : POLICY_NONE;
}

static uint32_t s3fifo_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, s3fifo_victim, out, limit);
}

static const struct policy_description s3fifo_description = {
    .list = {POLICY_LIST(struct s3fifo, lists.of[SMALL], "small",
                         "it is the oldest of small, and was used too little for main"),
             POLICY_LIST(struct s3fifo, lists.of[MAIN], "main",
                         "it is the oldest of main with no use left"),
             POLICY_LIST(struct s3fifo, lists.of[GHOST], "ghosts", NULL)},
    .page = {"uses", POLICY_COUNT_BYTE, 0},
};

const struct policy_operations policy_s3fifo = {
    .ghosts = 100,
    .parameter = {{"small", 10, 0, 100, "the small queue has so many percent of the frames"},
                  {"ghost", 90, 0, 100, "so many percent of the frames are remembered"},
                  {"move", 2, 1, 254, "uses that a page needs to get into the main queue"}},
    .init = s3fifo_init,
    .admit = s3fifo_admit,
    .touch = s3fifo_touch,
    .victim = s3fifo_victim,
    .drop = s3fifo_drop,
    .reap = s3fifo_reap,
    .order = s3fifo_order,
    .description = POLICY_DESCRIBED(s3fifo_description),
};
