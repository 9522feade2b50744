// SPDX-License-Identifier: MIT
// Aging: at each tick the register of every page is shifted right and its Accessed bit comes in at
// the left; the page with the least register leaves first. Tanenbaum, Modern Operating Systems,
// section 3.4.7. The registers have no end here: to shift them is to put the pages that were used
// behind all others, each group in its order, so the place in a list is the whole register. A page
// used since the last tick leaves only if there is no other; one that came counts as used.
#include "list.h"

// state: not found used since the last tick; came since then; was there before, and found used
enum { IDLE = 1, NEW, USED };

struct aging {
    struct list of[USED + 1];  // by state: IDLE, NEW, USED one behind the other are in order
};
POLICY_MEMORY(aging, struct aging)

static void aging_init(struct policy *policy) {
    (void)policy;  // empty lists are all zeros
}

static void aging_drop(struct policy *policy, uint32_t slot) {
    list_remove(&aging_memory(policy)->of[policy->slot[slot].state], policy->slot, slot);
}

static void enter(struct policy *policy, uint32_t slot, uint8_t state) {
    policy->slot[slot].state = state;
    list_add_newest(&aging_memory(policy)->of[state], policy->slot, slot);
}

static void aging_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    if (how == POLICY_COLD) {
        policy->slot[slot].state = IDLE;
        list_add_oldest(&aging_memory(policy)->of[IDLE], policy->slot, slot);
    } else {
        enter(policy, slot, how == POLICY_USED ? NEW : IDLE);
    }
}

static void put_behind(struct policy *policy, uint32_t slot) {
    aging_drop(policy, slot);
    enter(policy, slot, USED);
}

static uint32_t aging_victim(struct policy *policy, uint32_t incoming) {
    struct aging *aging = aging_memory(policy);
    uint32_t slot;
    (void)incoming;
    while ((slot = aging->of[IDLE].oldest) != POLICY_NONE && policy->slot[slot].ref) {
        put_behind(policy, slot);
    }
    slot = slot != POLICY_NONE ? slot : aging->of[NEW].oldest;
    slot = slot != POLICY_NONE ? slot : aging->of[USED].oldest;
    if (slot != POLICY_NONE) {
        aging_drop(policy, slot);
    }
    return slot;
}

static void aging_tick(struct policy *policy) {
    struct aging *aging = aging_memory(policy);
    for (uint32_t at = aging->of[IDLE].oldest, newer; at != POLICY_NONE; at = newer) {
        newer = LIST_NEWER(policy->slot, at);
        if (policy->slot[at].ref) {
            put_behind(policy, at);
        }
    }
    for (uint8_t state = NEW; state <= USED; state++) {
        for (uint32_t at = aging->of[state].oldest; at != POLICY_NONE;
             at = LIST_NEWER(policy->slot, at)) {
            policy->slot[at].state = IDLE;
            policy->slot[at].ref = 0;
        }
        list_append(&aging->of[IDLE], policy->slot, &aging->of[state]);
    }
}

static uint32_t write_some(const struct policy *policy, const struct list *list, int ref,
                           uint32_t *out, uint32_t count, uint32_t limit) {
    for (uint32_t at = list->oldest; at != POLICY_NONE && count < limit;
         at = LIST_NEWER(policy->slot, at)) {
        if ((policy->slot[at].ref != 0) == ref) {
            out[count++] = at;
        }
    }
    return count;
}

static uint32_t aging_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    const struct aging *aging = aging_memory(policy);
    uint32_t count = write_some(policy, &aging->of[IDLE], 0, out, 0, limit);
    count += list_write(&aging->of[NEW], policy->slot, out + count, limit - count);
    count += list_write(&aging->of[USED], policy->slot, out + count, limit - count);
    return write_some(policy, &aging->of[IDLE], 1, out, count, limit);
}

static const struct policy_description aging_description = {
    .list = {POLICY_LIST(struct aging, of[IDLE], "idle", "its register is the least"),
             POLICY_LIST(struct aging, of[NEW], "new",
                         "all others were used since the last tick, and of the new ones it came "
                         "first"),
             POLICY_LIST(struct aging, of[USED], "used",
                         "all were used since the last tick, and its register was the least")},
};

const struct policy_operations policy_aging = {
    .init = aging_init,
    .admit = aging_admit,
    .victim = aging_victim,
    .drop = aging_drop,
    .tick = aging_tick,
    .order = aging_order,
    .description = POLICY_DESCRIBED(aging_description),
};
