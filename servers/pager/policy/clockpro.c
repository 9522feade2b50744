// SPDX-License-Identifier: MIT
// CLOCK-Pro: LIRS's idea with one clock. Pages are hot or cold; a cold page is in its test period at
// first, also after it has left (a ghost), and becomes hot if it is used in it. Three hands go round:
// HAND_cold looks for a victim, HAND_hot makes hot pages cold, HAND_test ends test periods. The
// number of cold frames adapts: one more for each use in a test period, one less for each that ends.
// Jiang, Chen and Zhang, CLOCK-Pro: an effective improvement of the CLOCK replacement, USENIX 2005.
#include "lists.h"

enum { RING = 1, DEAD };  // state; DEAD: a ghost whose test period is over
enum { COLD = 1, TEST, HOT, GHOST, BACK };  // count; TEST: cold, in its test period, as each GHOST of
                                            // the ring is; BACK: such a ghost is coming
enum { TO_COOL, TO_EVICT, TO_END, HANDS };  // HAND_hot, HAND_cold, HAND_test

struct clockpro {
    struct lists lists;
    uint32_t hand[HANDS];      // in the ring, if that is not empty
    uint32_t pages[BACK + 1];  // by `count`
    uint32_t target;           // resident cold pages
};
POLICY_MEMORY(clockpro, struct clockpro)

static void clockpro_init(struct policy *policy) {
    clockpro_memory(policy)->target = 1;
}

static void target_add(const struct policy *policy, struct clockpro *c, uint32_t more) {
    uint32_t most = policy->frames > 1 ? policy->frames - 1 : 1, target = c->target + more;
    c->target = target < 1 ? 1 : target < most ? target : most;
}

// Moves a hand; returns where it was.
static uint32_t pass(const struct policy *policy, struct clockpro *c, uint32_t hand) {
    uint32_t at = c->hand[hand], newer = LIST_NEWER(policy->slot, at);
    c->hand[hand] = newer != POLICY_NONE ? newer : c->lists.of[RING].oldest;
    return at;
}

static void become(struct policy *policy, struct clockpro *c, uint32_t slot, uint8_t kind) {
    c->pages[policy->slot[slot].count]--;
    c->pages[kind]++;
    policy->slot[slot].count = kind;
}

static void leave(struct policy *policy, struct clockpro *c, uint32_t slot) {
    for (uint32_t hand = 0; hand < HANDS; hand++) {
        if (c->hand[hand] == slot) {
            pass(policy, c, hand);
        }
    }
    lists_leave(&c->lists, policy->slot, slot);
    become(policy, c, slot, 0);
}

// Just behind a hand, which comes there last.
static void enter(struct policy *policy, struct clockpro *c, uint32_t slot, uint8_t kind,
                  uint32_t hand) {
    uint32_t at = c->lists.of[RING].oldest != POLICY_NONE ? c->hand[hand] : POLICY_NONE;
    lists_enter_before(&c->lists, policy->slot, slot, RING, at);
    become(policy, c, slot, kind);
    if (at == POLICY_NONE) {
        c->hand[TO_COOL] = c->hand[TO_EVICT] = c->hand[TO_END] = slot;
    }
}

// The test period of this page, if it is in one.
static void test_end(struct policy *policy, struct clockpro *c, uint32_t slot) {
    uint8_t kind = policy->slot[slot].count;
    if (kind == TEST) {
        become(policy, c, slot, COLD);
        target_add(policy, c, 0u - 1);
    } else if (kind == GHOST) {
        leave(policy, c, slot);
        lists_enter(&c->lists, policy->slot, slot, DEAD);
        target_add(policy, c, 0u - 1);
    }
}

// Until no more than `most` pages are hot.
static void cool(struct policy *policy, struct clockpro *c, uint32_t most) {
    while (c->pages[HOT] > most) {
        uint32_t at = pass(policy, c, TO_COOL);
        if (policy->slot[at].count != HOT) {
            test_end(policy, c, at);
        } else if (policy->slot[at].ref) {
            policy->slot[at].ref = 0;
        } else {
            become(policy, c, at, COLD);
        }
    }
}

// A cold page goes to the head of the clock, or a ghost comes there: hot if in its test period.
static void used(struct policy *policy, struct clockpro *c, uint32_t slot) {
    uint8_t kind = policy->slot[slot].count;
    policy->slot[slot].ref = 0;
    leave(policy, c, slot);
    enter(policy, c, slot, kind == COLD ? TEST : HOT, TO_COOL);
    if (kind != COLD) {
        target_add(policy, c, kind == TEST);
        cool(policy, c, policy->frames - c->target);
    }
}

static void ghost_back(struct policy *policy, struct clockpro *c, uint32_t slot) {
    if (policy->slot[slot].count == GHOST) {
        leave(policy, c, slot);
        become(policy, c, slot, BACK);
        target_add(policy, c, 1);
    }
}

static uint32_t clockpro_victim(struct policy *policy, uint32_t incoming) {
    struct clockpro *c = clockpro_memory(policy);
    ghost_back(policy, c, incoming);
    while (c->pages[HOT] + c->pages[COLD] + c->pages[TEST] > 0) {
        if (c->pages[COLD] + c->pages[TEST] == 0) {
            cool(policy, c, c->pages[HOT] - 1);
        }
        uint32_t at = pass(policy, c, TO_EVICT);
        uint8_t kind = policy->slot[at].count;
        if (kind <= TEST && policy->slot[at].ref) {
            used(policy, c, at);
        } else if (kind == COLD) {
            leave(policy, c, at);
            return at;
        } else if (kind == TEST) {
            become(policy, c, at, GHOST);
            while (c->pages[GHOST] > policy->frames) {
                test_end(policy, c, pass(policy, c, TO_END));
            }
            return at | POLICY_GHOST;
        }
    }
    return POLICY_NONE;
}

static void clockpro_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct clockpro *c = clockpro_memory(policy);
    ghost_back(policy, c, slot);
    if (policy->slot[slot].count == BACK) {
        used(policy, c, slot);
    } else if (how == POLICY_COLD) {
        enter(policy, c, slot, COLD, TO_EVICT);
        c->hand[TO_EVICT] = slot;
    } else {
        enter(policy, c, slot, how == POLICY_USED ? TEST : COLD, TO_COOL);
    }
}

static void clockpro_drop(struct policy *policy, uint32_t slot) {
    leave(policy, clockpro_memory(policy), slot);
}

static uint32_t clockpro_reap(struct policy *policy, int must) {
    struct clockpro *c = clockpro_memory(policy);
    while (must && c->lists.count[DEAD] == 0 && c->pages[GHOST] > 0) {
        test_end(policy, c, pass(policy, c, TO_END));
    }
    return lists_take(&c->lists, policy->slot, DEAD);
}

static uint32_t clockpro_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, clockpro_victim, out, limit);
}

static const struct policy_description clockpro_description = {
    .list = {POLICY_LIST(struct clockpro, lists.of[RING], "ring", NULL)},
    .state_in = POLICY_IN_COUNT,
    .state = {{"cold", "the cold hand finds its bit clear, and its test period is over", COLD},
              {"hot", "no page was cold: the hot hand made it so, the cold hand finds its bit clear",
               HOT},
              {"test", "the cold hand finds its bit clear; its test period goes on", TEST},
              {"ghost", NULL, GHOST},
              {"back", NULL, BACK}},
    .hand = {{"hot hand", POLICY_WORD(struct clockpro, hand[TO_COOL]), 0},
             {"cold hand", POLICY_WORD(struct clockpro, hand[TO_EVICT]), 0},
             {"test hand", POLICY_WORD(struct clockpro, hand[TO_END]), 0}},
    .number = {{"cold target", POLICY_WORD(struct clockpro, target), 0}},
};

const struct policy_operations policy_clockpro = {
    .ghosts = 100,
    .init = clockpro_init,
    .admit = clockpro_admit,
    .victim = clockpro_victim,
    .drop = clockpro_drop,
    .reap = clockpro_reap,
    .order = clockpro_order,
    .description = POLICY_DESCRIBED(clockpro_description),
};
