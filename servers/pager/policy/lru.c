// SPDX-License-Identifier: MIT
// LRU: the page whose last use is longest ago leaves first. In the pager "last use" is the last
// scan that found the page accessed.
#include "list.h"

struct lru {
    struct list queue;  // all residents, in order of last use
};
POLICY_MEMORY(lru, struct lru)

static void lru_init(struct policy *policy) {
    (void)policy;  // an empty queue is all zeros
}

static void lru_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct list *queue = &lru_memory(policy)->queue;
    if (how == POLICY_COLD) {
        list_add_oldest(queue, policy->slot, slot);
    } else {
        list_add_newest(queue, policy->slot, slot);
    }
}

static void lru_drop(struct policy *policy, uint32_t slot) {
    list_remove(&lru_memory(policy)->queue, policy->slot, slot);
}

static void lru_touch(struct policy *policy, uint32_t slot) {
    list_move_newest(&lru_memory(policy)->queue, policy->slot, slot);
}

static uint32_t lru_victim(struct policy *policy, uint32_t incoming) {
    (void)incoming;
    uint32_t slot = lru_memory(policy)->queue.oldest;
    if (slot != POLICY_NONE) {
        lru_drop(policy, slot);
    }
    return slot;
}

static uint32_t lru_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return list_write(&lru_memory(policy)->queue, policy->slot, out, limit);
}

static const struct policy_description lru_description = {
    .list = {POLICY_LIST(struct lru, queue, "queue", "its last use is longest ago")},
};

const struct policy_operations policy_lru = {
    .last_touch = 1,
    .init = lru_init,
    .admit = lru_admit,
    .touch = lru_touch,
    .victim = lru_victim,
    .drop = lru_drop,
    .order = lru_order,
    .description = POLICY_DESCRIBED(lru_description),
};
