// SPDX-License-Identifier: MIT
// NRU, not recently used: the victim is of the lowest class there is, and in it the first in the
// queue: 0 neither used nor dirty, 1 dirty, 2 used, 3 both. Every so many ticks "used" is forgotten,
// and also when every page was used. Tanenbaum, Modern Operating Systems, section 3.4.2.
#include "list.h"

// Pages not used since the last reset are in IDLE, or in DIRTY if victim() found them dirty; a
// used one goes to USED. A reset puts all of USED behind IDLE in one step, so a record says USED
// and yet lies in IDLE if its epoch is an old one.
enum { IDLE = 1, DIRTY, USED };

struct nru {
    struct list of[USED + 1];
    uint32_t epoch, ticks;
};
POLICY_MEMORY(nru, struct nru)

#define EPOCH(policy, at) ((policy)->slot[at].word[2])

static void nru_init(struct policy *policy) {
    (void)policy;  // empty lists are all zeros
}

static void nru_drop(struct policy *policy, uint32_t slot) {
    struct nru *nru = nru_memory(policy);
    uint8_t state = policy->slot[slot].state;
    int old = state == USED && EPOCH(policy, slot) != nru->epoch;
    list_remove(&nru->of[old ? IDLE : state], policy->slot, slot);
}

static void enter(struct policy *policy, uint32_t slot, uint8_t state) {
    struct nru *nru = nru_memory(policy);
    policy->slot[slot].state = state;
    EPOCH(policy, slot) = nru->epoch;
    list_add_newest(&nru->of[state], policy->slot, slot);
}

static void nru_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    if (how == POLICY_COLD) {
        policy->slot[slot].state = IDLE;
        list_add_oldest(&nru_memory(policy)->of[IDLE], policy->slot, slot);
    } else {
        int used = how == POLICY_USED || (how == POLICY_ADOPTED && policy->slot[slot].ref);
        enter(policy, slot, used ? USED : IDLE);
    }
}

static void nru_touch(struct policy *policy, uint32_t slot) {
    if (policy->slot[slot].state != USED || EPOCH(policy, slot) != nru_memory(policy)->epoch) {
        nru_drop(policy, slot);
        enter(policy, slot, USED);
    }
}

static void reset(struct policy *policy, struct nru *nru) {
    list_append(&nru->of[IDLE], policy->slot, &nru->of[USED]);
    nru->epoch++;
    nru->ticks = 0;
}

static uint32_t nru_victim(struct policy *policy, uint32_t incoming) {
    struct nru *nru = nru_memory(policy);
    uint32_t slot;
    (void)incoming;
    if (nru->of[IDLE].oldest == POLICY_NONE && nru->of[DIRTY].oldest == POLICY_NONE) {
        reset(policy, nru);
    }
    while ((slot = nru->of[IDLE].oldest) != POLICY_NONE) {
        nru_drop(policy, slot);
        if (!policy->slot[slot].dirty) {
            return slot;
        }
        enter(policy, slot, DIRTY);
    }
    slot = nru->of[DIRTY].oldest;
    if (slot != POLICY_NONE) {
        nru_drop(policy, slot);
    }
    return slot;
}

static void nru_tick(struct policy *policy) {
    struct nru *nru = nru_memory(policy);
    if (++nru->ticks >= policy->parameter[0]) {
        reset(policy, nru);
    }
}

static uint32_t write_some(const struct policy *policy, const struct list *list, int dirty,
                           uint32_t *out, uint32_t count, uint32_t limit) {
    for (uint32_t at = list->oldest; at != POLICY_NONE && count < limit;
         at = LIST_NEWER(policy->slot, at)) {
        if ((policy->slot[at].dirty != 0) == dirty) {
            out[count++] = at;
        }
    }
    return count;
}

static uint32_t nru_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    const struct nru *nru = nru_memory(policy);
    uint32_t count = write_some(policy, &nru->of[IDLE], 0, out, 0, limit);
    count += list_write(&nru->of[DIRTY], policy->slot, out + count, limit - count);
    count = write_some(policy, &nru->of[IDLE], 1, out, count, limit);
    count = write_some(policy, &nru->of[USED], 0, out, count, limit);
    return write_some(policy, &nru->of[USED], 1, out, count, limit);
}

static const struct policy_description nru_description = {
    .list = {POLICY_LIST(struct nru, of[IDLE], "idle", "it is the oldest of the lowest class"),
             POLICY_LIST(struct nru, of[DIRTY], "dirty",
                         "no page is idle and clean, and it is the oldest idle one"),
             POLICY_LIST(struct nru, of[USED], "used",
                         "every page was used, so uses are forgotten; it is the oldest of the "
                         "lowest class")},
    .number = {{"ticks", POLICY_WORD(struct nru, ticks), 0}},
};

const struct policy_operations policy_nru = {
    .sees_dirty = 1,
    .parameter = {{"reset", 8, 1, UINT32_MAX, "ticks until all uses are forgotten"}},
    .init = nru_init,
    .admit = nru_admit,
    .touch = nru_touch,
    .victim = nru_victim,
    .drop = nru_drop,
    .tick = nru_tick,
    .order = nru_order,
    .description = POLICY_DESCRIBED(nru_description),
};
