// SPDX-License-Identifier: MIT
// LFU: the page used least often since it came leaves first; of those, the one that has had this
// count for longest. What it knew of a page is forgotten with it (in-cache LFU).
// One list, sorted by count, then by arrival in that count. Where a count ends is found in a table
// of hints, which lies in word 3 of the records, or else by walking.
#include "list.h"

struct lfu {
    struct list queue;  // rarest first
};
POLICY_MEMORY(lfu, struct lfu)

#define COUNT(policy, at) ((policy)->slot[at].word[2])  // uses, the first included; 0: not resident

// By count: a slot that was the last of its count once. A record that gets a page loses its hint.
// Small counts, which many pages share, have places of their own; the others meet in the upper half.
static uint32_t *end_hint(const struct policy *policy, uint32_t count) {
    uint32_t half = policy->slots / 2, rest = policy->slots - half;
    uint32_t above = half + (uint32_t)((uint64_t)(count * 0x9e3779b1u) * rest >> 32);
    return &policy->slot[count < half ? count : above].word[3];
}

static void lfu_init(struct policy *policy) {
    (void)policy;  // an empty queue is all zeros
}

// The last slot of this count if the table knows it, else POLICY_NONE.
static uint32_t end_known(const struct policy *policy, uint32_t count) {
    uint32_t at = *end_hint(policy, count);
    if (count == 0 || at == POLICY_NONE || COUNT(policy, at) != count) {
        return POLICY_NONE;
    }
    uint32_t newer = LIST_NEWER(policy->slot, at);
    return newer == POLICY_NONE || COUNT(policy, newer) != count ? at : POLICY_NONE;
}

// Where to put a page that gets this count: behind all that have no more. `from` has no more.
static uint32_t place_behind(const struct policy *policy, const struct lfu *lfu, uint32_t from,
                             uint32_t count) {
    uint32_t newest = lfu->queue.newest;
    if (newest == POLICY_NONE || COUNT(policy, newest) <= count) {
        return newest;
    }
    uint32_t at = end_known(policy, count);
    if (at != POLICY_NONE) {
        return at;
    }
    at = end_known(policy, count - 1);
    at = at != POLICY_NONE ? at : from;
    uint32_t newer = at == POLICY_NONE ? lfu->queue.oldest : LIST_NEWER(policy->slot, at);
    while (COUNT(policy, newer) <= count) {  // ends at the newest, which has more
        at = newer;
        newer = LIST_NEWER(policy->slot, at);
    }
    return at;
}

static void place(struct policy *policy, uint32_t slot, uint32_t from, uint32_t count) {
    struct lfu *lfu = lfu_memory(policy);
    uint32_t older = place_behind(policy, lfu, from, count);
    list_link(&lfu->queue, policy->slot, slot, older,
              older == POLICY_NONE ? lfu->queue.oldest : LIST_NEWER(policy->slot, older));
    COUNT(policy, slot) = count;
    *end_hint(policy, count) = slot;
}

static void lfu_drop(struct policy *policy, uint32_t slot) {
    struct lfu *lfu = lfu_memory(policy);
    uint32_t *end = end_hint(policy, COUNT(policy, slot));
    if (*end == slot) {
        *end = LIST_OLDER(policy->slot, slot);  // of the same count, or found wrong
    }
    list_remove(&lfu->queue, policy->slot, slot);
    COUNT(policy, slot) = 0;
}

static void lfu_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    if (how == POLICY_COLD) {
        list_add_oldest(&lfu_memory(policy)->queue, policy->slot, slot);
        COUNT(policy, slot) = 1;
    } else {
        place(policy, slot, POLICY_NONE, 1);
    }
}

static void lfu_touch(struct policy *policy, uint32_t slot) {
    uint32_t count = COUNT(policy, slot), older = LIST_OLDER(policy->slot, slot);
    if (count < UINT32_MAX) {
        lfu_drop(policy, slot);
        place(policy, slot, older, count + 1);
    }
}

static uint32_t lfu_victim(struct policy *policy, uint32_t incoming) {
    (void)incoming;
    uint32_t slot = lfu_memory(policy)->queue.oldest;
    if (slot != POLICY_NONE) {
        lfu_drop(policy, slot);
    }
    return slot;
}

static uint32_t lfu_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return list_write(&lfu_memory(policy)->queue, policy->slot, out, limit);
}

static const struct policy_description lfu_description = {
    .list = {POLICY_LIST(struct lfu, queue, "queue",
                         "it has the fewest uses, and has had so many for longest")},
    .page = {"uses", 2, 0},
};

const struct policy_operations policy_lfu = {
    .init = lfu_init,
    .admit = lfu_admit,
    .touch = lfu_touch,
    .victim = lfu_victim,
    .drop = lfu_drop,
    .order = lfu_order,
    .description = POLICY_DESCRIBED(lfu_description),
};
