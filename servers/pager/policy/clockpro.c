// SPDX-License-Identifier: MIT
// CLOCK-Pro: LIRS's idea with one clock. Pages are hot or cold; a cold page is in its test period at
// first, also after it has left (a ghost), and becomes hot if it is used in it. Three hands go round:
// HAND_cold looks for a victim, HAND_hot makes hot pages cold, HAND_test ends test periods. The
// number of cold frames adapts: one more for each use in a test period, one less for each that ends.
// Jiang, Chen and Zhang, CLOCK-Pro: an effective improvement of the CLOCK replacement, USENIX 2005.
#include "lists.h"

enum { RING = 1, DEAD };            // state; DEAD: a ghost whose test period is over
enum { HOT = 1, TEST = 2, GHOST = 4, RETURNS = 8 };  // bits of count; RETURNS: a ghost is coming

struct clockpro {
    struct lists lists;
    uint32_t hand_hot, hand_cold, hand_test;
    uint32_t hot, cold, ghosts;  // cold: resident ones
    uint32_t target;             // cold frames
};
POLICY_MEMORY(clockpro, struct clockpro)

static void clockpro_init(struct policy *policy) {
    clockpro_memory(policy)->target = 1;
}

static uint32_t next(const struct policy *policy, const struct clockpro *c, uint32_t at) {
    uint32_t newer = LIST_NEWER(policy->slot, at);
    return newer != POLICY_NONE ? newer : c->lists.of[RING].oldest;
}

static void target_move(const struct policy *policy, struct clockpro *c, int more) {
    uint32_t most = policy->frames > 1 ? policy->frames - 1 : 1;
    if (more) {
        c->target++;
    } else {
        c->target -= c->target > 1;
    }
    c->target = c->target < most ? c->target : most;
}

static void ring_leave(struct policy *policy, struct clockpro *c, uint32_t slot) {
    uint32_t *hands[] = {&c->hand_hot, &c->hand_cold, &c->hand_test};
    for (uint32_t i = 0; i < 3; i++) {
        if (*hands[i] == slot) {
            uint32_t newer = next(policy, c, slot);
            *hands[i] = newer != slot ? newer : POLICY_NONE;
        }
    }
    lists_leave(&c->lists, policy->slot, slot);
}

// Just behind `hand`, which comes there last.
static void ring_enter(struct policy *policy, struct clockpro *c, uint32_t slot, uint32_t hand) {
    struct list *ring = &c->lists.of[RING];
    policy->slot[slot].state = RING;
    c->lists.count[RING]++;
    if (hand == POLICY_NONE) {
        list_add_newest(ring, policy->slot, slot);
        c->hand_hot = c->hand_cold = c->hand_test = slot;
    } else {
        list_link(ring, policy->slot, slot, LIST_OLDER(policy->slot, hand), hand);
    }
}

static void test_end(struct policy *policy, struct clockpro *c, uint32_t slot) {
    uint8_t *bits = &policy->slot[slot].count;
    if (*bits & TEST) {
        target_move(policy, c, 0);
        if (*bits & GHOST) {
            c->ghosts--;
            ring_leave(policy, c, slot);
            lists_enter(&c->lists, policy->slot, slot, DEAD);
        }
        *bits = 0;
    }
}

// HAND_hot: until no more than `most` pages are hot.
static void demote(struct policy *policy, struct clockpro *c, uint32_t most) {
    while (c->hot > most) {
        uint32_t at = c->hand_hot;
        struct policy_slot *record = &policy->slot[at];
        c->hand_hot = next(policy, c, at);
        if (!(record->count & HOT)) {
            test_end(policy, c, at);
        } else if (record->ref) {
            record->ref = 0;
        } else {
            record->count = 0;
            c->hot--;
            c->cold++;
        }
    }
}

static void test_end_next(struct policy *policy, struct clockpro *c) {
    uint32_t at = c->hand_test;
    c->hand_test = next(policy, c, at);
    test_end(policy, c, at);
}

// A cold page was used: it goes to the head of the clock, hot if that was in its test period.
static void promote(struct policy *policy, struct clockpro *c, uint32_t slot) {
    struct policy_slot *record = &policy->slot[slot];
    int hot = record->count & TEST;
    record->ref = 0;
    record->count = hot ? HOT : TEST;
    ring_leave(policy, c, slot);
    ring_enter(policy, c, slot, c->hand_hot);
    if (hot) {
        c->cold--;
        c->hot++;
        target_move(policy, c, 1);
        demote(policy, c, policy->frames - c->target);
    }
}

// A ghost that comes back was used in its test period.
static void ghost_returns(struct policy *policy, struct clockpro *c, uint32_t slot) {
    ring_leave(policy, c, slot);
    policy->slot[slot].count = RETURNS;
    c->ghosts--;
    target_move(policy, c, 1);
}

static uint32_t clockpro_victim(struct policy *policy, uint32_t incoming) {
    struct clockpro *c = clockpro_memory(policy);
    if (policy->slot[incoming].state == RING) {
        ghost_returns(policy, c, incoming);
    }
    while (c->hot + c->cold > 0) {
        if (c->cold == 0) {
            demote(policy, c, c->hot - 1);
        }
        uint32_t at = c->hand_cold;
        struct policy_slot *record = &policy->slot[at];
        c->hand_cold = next(policy, c, at);
        if (record->count & (HOT | GHOST)) {
            continue;
        }
        if (record->ref) {
            promote(policy, c, at);
            continue;
        }
        c->cold--;
        if (!(record->count & TEST)) {
            ring_leave(policy, c, at);
            return at;
        }
        record->count = TEST | GHOST;
        for (c->ghosts++; c->ghosts > policy->frames;) {
            test_end_next(policy, c);
        }
        return at | POLICY_GHOST;
    }
    return POLICY_NONE;
}

static void clockpro_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct clockpro *c = clockpro_memory(policy);
    struct policy_slot *record = &policy->slot[slot];
    if (record->state == RING) {
        ghost_returns(policy, c, slot);
    }
    lists_leave(&c->lists, policy->slot, slot);
    if (record->count == RETURNS) {
        record->count = HOT;
        c->hot++;
        ring_enter(policy, c, slot, c->hand_hot);
        demote(policy, c, policy->frames - c->target);
        return;
    }
    record->count = how == POLICY_USED ? TEST : 0;
    c->cold++;
    ring_enter(policy, c, slot, how == POLICY_COLD ? c->hand_cold : c->hand_hot);
    if (how == POLICY_COLD) {
        c->hand_cold = slot;
    }
}

static void clockpro_drop(struct policy *policy, uint32_t slot) {
    struct clockpro *c = clockpro_memory(policy);
    const struct policy_slot *record = &policy->slot[slot];
    if (record->state == RING) {
        c->hot -= (record->count & HOT) != 0;
        c->ghosts -= (record->count & GHOST) != 0;
        c->cold -= (record->count & (HOT | GHOST)) == 0;
        ring_leave(policy, c, slot);
    }
    lists_leave(&c->lists, policy->slot, slot);
}

static uint32_t clockpro_reap(struct policy *policy, int must) {
    struct clockpro *c = clockpro_memory(policy);
    while (must && c->lists.count[DEAD] == 0 && c->ghosts > 0) {
        test_end_next(policy, c);
    }
    return lists_take(&c->lists, policy->slot, DEAD);
}

static uint32_t clockpro_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return lists_rehearse(policy, clockpro_victim, out, limit);
}

static const struct policy_description clockpro_description = {
    .list = {POLICY_LIST(struct clockpro, lists.of[RING], "ring", NULL)},
    .state_in = POLICY_IN_COUNT,
    .state = {{"cold", "the cold hand finds its bit clear, and its test period is over", 0},
              {"hot", "no page was cold: the hot hand made it so, the cold hand finds its bit clear",
               HOT},
              {"test", "the cold hand finds its bit clear; its test period goes on", TEST},
              {"ghost", NULL, TEST | GHOST},
              {"back", NULL, RETURNS}},
    .hand = {{"hot hand", POLICY_WORD(struct clockpro, hand_hot), 0},
             {"cold hand", POLICY_WORD(struct clockpro, hand_cold), 0},
             {"test hand", POLICY_WORD(struct clockpro, hand_test), 0}},
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
