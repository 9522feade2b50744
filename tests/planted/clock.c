// SPDX-License-Identifier: MIT
// A policy for a pager that only tests boot, in place of clock: FIFO with one mistake, which its
// parameter chooses, after a few good answers. The pager must name it, and go on under FIFO.
#include "list.h"

enum {
    BUG_STRANGER = 1,  // a victim that is not resident
    BUG_INCOMING,      // the page of the fault in hand as victim
    BUG_NONE,          // no victim although pages are resident
    BUG_LOST,          // one page that came is never in the queue
    BUG_DOUBLE,        // an order that lists a page twice
    BUG_CLEAN,         // asks for a clean page to be written
    BUG_GHOST,         // keeps a ghost although the table declares none
    BUG_LAST = BUG_GHOST,
};
#define GOOD_ANSWERS 30u

struct planted {
    struct list queue;
    uint32_t calls;
};
POLICY_MEMORY(planted, struct planted)

static int due(struct policy *policy, uint32_t bug) {
    return policy->parameter[1] == bug && ++planted_memory(policy)->calls > GOOD_ANSWERS;
}

static void planted_init(struct policy *policy) {
    (void)policy;
}

static void planted_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    (void)how;
    if (!due(policy, BUG_LOST) || planted_memory(policy)->calls > GOOD_ANSWERS + 1) {
        list_add_newest(&planted_memory(policy)->queue, policy->slot, slot);
    }
}

static void planted_drop(struct policy *policy, uint32_t slot) {
    list_remove(&planted_memory(policy)->queue, policy->slot, slot);
}

static uint32_t planted_victim(struct policy *policy, uint32_t incoming) {
    uint32_t slot = planted_memory(policy)->queue.oldest;
    if (due(policy, BUG_STRANGER)) {
        return policy->slots - 1;
    }
    if (due(policy, BUG_INCOMING)) {
        return incoming;
    }
    if (due(policy, BUG_NONE)) {
        return POLICY_NONE;
    }
    if (due(policy, BUG_CLEAN)) {
        return slot | POLICY_CLEAN;
    }
    if (slot != POLICY_NONE) {
        planted_drop(policy, slot);
    }
    return due(policy, BUG_GHOST) ? slot | POLICY_GHOST : slot;
}

static uint32_t planted_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    uint32_t count = list_write(&planted_memory(policy)->queue, policy->slot, out, limit);
    if (count > 1 && policy->parameter[1] == BUG_DOUBLE) {
        out[count - 1] = out[0];
    }
    return count;
}

const struct policy_operations policy_clock = {
    .parameter = {{"load", 0, 0, 1, "as clock has it"}, {"bug", 0, 0, BUG_LAST, "its mistake"}},
    .init = planted_init,
    .admit = planted_admit,
    .victim = planted_victim,
    .drop = planted_drop,
    .order = planted_order,
};
