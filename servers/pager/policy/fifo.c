// SPDX-License-Identifier: MIT
// FIFO: the page that came first leaves first, however often it was used. What the host falls back
// to when another policy was wrong.
#include "list.h"

struct fifo {
    struct list queue;  // all residents, in order of arrival
};
POLICY_MEMORY(fifo, struct fifo)

static void fifo_init(struct policy *policy) {
    (void)policy;  // an empty queue is all zeros
}

static void fifo_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct list *queue = &fifo_memory(policy)->queue;
    if (how == POLICY_COLD) {
        list_add_oldest(queue, policy->slot, slot);
    } else {
        list_add_newest(queue, policy->slot, slot);
    }
}

static void fifo_drop(struct policy *policy, uint32_t slot) {
    list_remove(&fifo_memory(policy)->queue, policy->slot, slot);
}

static uint32_t fifo_victim(struct policy *policy, uint32_t incoming) {
    (void)incoming;
    uint32_t slot = fifo_memory(policy)->queue.oldest;
    if (slot != POLICY_NONE) {
        fifo_drop(policy, slot);
    }
    return slot;
}

static uint32_t fifo_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return list_write(&fifo_memory(policy)->queue, policy->slot, out, limit);
}

static const struct policy_description fifo_description = {
    .list = {POLICY_LIST(struct fifo, queue, "queue", "it came first")},
};

const struct policy_operations policy_fifo = {
    .blind = 1,
    .init = fifo_init,
    .admit = fifo_admit,
    .victim = fifo_victim,
    .drop = fifo_drop,
    .order = fifo_order,
    .description = POLICY_DESCRIBED(fifo_description),
};
