// SPDX-License-Identifier: MIT
// SIEVE: a queue in order of arrival that used pages do not leave; the hand moves from the oldest
// to the newest and stays where it took the last victim, so that new pages prove themselves.
// Zhang and others, SIEVE is Simpler than LRU, NSDI 2024: "visited" is ref, 0 on insert.
#include "hand.h"

POLICY_MEMORY(sieve, struct hand)

static void sieve_init(struct policy *policy) {
    (void)policy;  // an empty queue is all zeros
}

static void sieve_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct hand *hand = sieve_memory(policy);
    if (how == POLICY_COLD) {
        hand_add_next(hand, policy->slot, slot);
    } else {
        list_add_newest(&hand->list, policy->slot, slot);
    }
}

static uint32_t sieve_victim(struct policy *policy, uint32_t incoming) {
    (void)incoming;
    return hand_take(sieve_memory(policy), policy->slot);
}

static void sieve_drop(struct policy *policy, uint32_t slot) {
    hand_drop(sieve_memory(policy), policy->slot, slot);
}

static uint32_t sieve_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return hand_order(sieve_memory(policy), policy->slot, out, limit);
}

static const struct policy_description sieve_description = {
    .list = {POLICY_LIST(struct hand, list, "queue", "the hand finds its bit clear")},
    .hand = {{"hand", POLICY_WORD(struct hand, at), POLICY_WORD(struct hand, list)}},
};

const struct policy_operations policy_sieve = {
    .init = sieve_init,
    .admit = sieve_admit,
    .victim = sieve_victim,
    .drop = sieve_drop,
    .order = sieve_order,
    .description = POLICY_DESCRIBED(sieve_description),
};
