// SPDX-License-Identifier: MIT
// MGLRU, after Linux's multi-generational LRU: pages are in generations, those used lately in the
// youngest. The oldest generation is emptied page by page; what was used meanwhile goes to the
// youngest. A new generation begins at each tick while there is room for one, and whenever fewer
// than three are left; all pages are looked at then, and those used move there.
// Linux, Documentation/mm/multigen_lru.rst. Not here: tiers of file pages and their refaults, and
// the filter that finds which page tables are worth looking at.
#include "list.h"

enum { GENERATIONS = 4, LEAST = 3 };

// Generations `oldest` to `youngest`, at most GENERATIONS, are lists; each page's record says in
// which one it is.
struct mglru {
    struct list generation[GENERATIONS];  // by number modulo GENERATIONS
    uint32_t oldest, youngest;
    uint32_t count;  // residents
};
POLICY_MEMORY(mglru, struct mglru)

#define NUMBER(policy, at) ((policy)->slot[at].word[2])

static struct list *generation(struct mglru *m, uint32_t number) {
    return &m->generation[number % GENERATIONS];
}

static void enter(struct policy *policy, uint32_t slot, uint32_t number) {
    NUMBER(policy, slot) = number;
    list_add_newest(generation(mglru_memory(policy), number), policy->slot, slot);
}

static void leave(struct policy *policy, uint32_t slot) {
    list_remove(generation(mglru_memory(policy), NUMBER(policy, slot)), policy->slot, slot);
}

static void mglru_init(struct policy *policy) {
    (void)policy;  // generation 0 is empty: all zeros
}

static void mglru_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct mglru *m = mglru_memory(policy);
    m->count++;
    if (how == POLICY_COLD) {
        NUMBER(policy, slot) = m->oldest;
        list_add_oldest(generation(m, m->oldest), policy->slot, slot);
    } else {
        enter(policy, slot, how == POLICY_READ_AHEAD ? m->oldest : m->youngest);
    }
}

// A used page goes to the youngest generation, as one that is not used any more.
static void promote(struct policy *policy, uint32_t slot) {
    leave(policy, slot);
    policy->slot[slot].ref = 0;
    enter(policy, slot, mglru_memory(policy)->youngest);
}

static void age(struct policy *policy, struct mglru *m) {
    uint32_t last = m->youngest++;
    for (uint32_t number = m->oldest; number <= last; number++) {
        for (uint32_t at = generation(m, number)->oldest, newer; at != POLICY_NONE; at = newer) {
            newer = LIST_NEWER(policy->slot, at);
            if (policy->slot[at].ref) {
                promote(policy, at);
            }
        }
    }
}

static uint32_t mglru_victim(struct policy *policy, uint32_t incoming) {
    struct mglru *m = mglru_memory(policy);
    (void)incoming;
    while (m->count > 0) {
        uint32_t slot = generation(m, m->oldest)->oldest;
        if (m->youngest - m->oldest + 1 < LEAST) {
            age(policy, m);
        } else if (slot == POLICY_NONE) {
            m->oldest++;
        } else if (policy->slot[slot].ref) {
            promote(policy, slot);
        } else {
            leave(policy, slot);
            m->count--;
            return slot;
        }
    }
    return POLICY_NONE;
}

static void mglru_drop(struct policy *policy, uint32_t slot) {
    leave(policy, slot);
    mglru_memory(policy)->count--;
}

static void mglru_tick(struct policy *policy) {
    struct mglru *m = mglru_memory(policy);
    if (m->youngest - m->oldest + 1 < GENERATIONS) {
        age(policy, m);
    }
}

// From old to young those not used, then the others.
static uint32_t mglru_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    struct mglru *m = mglru_memory(policy);
    uint32_t count = 0;
    for (int ref = 0; ref < 2; ref++) {
        for (uint32_t number = m->oldest; number <= m->youngest; number++) {
            for (uint32_t at = generation(m, number)->oldest; at != POLICY_NONE && count < limit;
                 at = LIST_NEWER(policy->slot, at)) {
                if ((policy->slot[at].ref != 0) == ref) {
                    out[count++] = at;
                }
            }
        }
    }
    return count;
}

static const struct policy_description mglru_description = {
    .state_in = POLICY_IN_STATE,
    .state = {{NULL, "it is the first of the oldest generation with a clear bit", 0}},
    .number = {{"oldest", POLICY_WORD(struct mglru, oldest), 0},
               {"youngest", POLICY_WORD(struct mglru, youngest), 0}},
    .page = {"generation", 2, 0},
};

const struct policy_operations policy_mglru = {
    .init = mglru_init,
    .admit = mglru_admit,
    .victim = mglru_victim,
    .drop = mglru_drop,
    .tick = mglru_tick,
    .order = mglru_order,
    .description = POLICY_DESCRIBED(mglru_description),
};
