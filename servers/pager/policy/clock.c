// SPDX-License-Identifier: MIT
// CLOCK: a ring with a hand; the same victims as FIFO with reinsertion of used pages.
// The parameter is the reference bit of a page that was just loaded for a program: 0 is the
// textbook's, 1 (clock_r1) what an MMU does, since the faulting access is tried again.
// Corbato, A paging experiment with the Multics system, 1968.
#include "hand.h"

POLICY_MEMORY(clock, struct hand)

static void clock_init(struct policy *policy) {
    (void)policy;  // an empty ring is all zeros
}

static void clock_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct hand *hand = clock_memory(policy);
    if (how == POLICY_COLD) {
        hand_add_next(hand, policy->slot, slot);
        return;
    }
    if (how == POLICY_USED && policy->parameter[0] != 0) {
        policy->slot[slot].ref = 1;
    }
    hand_add_behind(hand, policy->slot, slot);
}

static uint32_t clock_victim(struct policy *policy, uint32_t incoming) {
    (void)incoming;
    return hand_take(clock_memory(policy), policy->slot);
}

static void clock_drop(struct policy *policy, uint32_t slot) {
    hand_drop(clock_memory(policy), policy->slot, slot);
}

static uint32_t clock_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return hand_order(clock_memory(policy), policy->slot, out, limit);
}

static const struct policy_description clock_description = {
    .list = {POLICY_LIST(struct hand, list, "ring", "the hand finds its bit clear")},
    .hand = {{"hand", POLICY_WORD(struct hand, at), POLICY_WORD(struct hand, list)}},
};

const struct policy_operations policy_clock = {
    .parameter = {{"load", 0, 0, 1, "reference bit of a page that was just loaded"}},
    .init = clock_init,
    .admit = clock_admit,
    .victim = clock_victim,
    .drop = clock_drop,
    .order = clock_order,
    .description = POLICY_DESCRIBED(clock_description),
};
