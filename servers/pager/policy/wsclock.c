// SPDX-License-Identifier: MIT
// WSClock: a clock that takes pages out of the working set: not used for longer than `tau` ticks. An
// old page that is dirty is written first, and the hand goes on. When it comes round without an old
// page, all are in the working set, and until the next tick this is plain CLOCK.
// Carr and Hennessy, WSClock: a simple and effective algorithm for virtual memory management, 1981.
#include "hand.h"

struct wsclock {
    struct hand hand;
    uint32_t count;  // residents
    uint32_t now;    // ticks so far
    uint32_t young;  // 1: nobody is old before the next tick
};
POLICY_MEMORY(wsclock, struct wsclock)

#define LAST_USE(policy, at) ((policy)->slot[at].word[2])

static void wsclock_init(struct policy *policy) {
    (void)policy;  // an empty ring is all zeros
}

static int is_old(const struct policy *policy, const struct wsclock *w, uint32_t slot) {
    return w->now - LAST_USE(policy, slot) > policy->parameter[0];
}

static void wsclock_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct wsclock *w = wsclock_memory(policy);
    w->count++;
    LAST_USE(policy, slot) = w->now;
    if (how == POLICY_COLD) {
        LAST_USE(policy, slot) = w->now - policy->parameter[0] - 1;
        hand_add_next(&w->hand, policy->slot, slot);
    } else {
        hand_add_behind(&w->hand, policy->slot, slot);
    }
}

static void wsclock_drop(struct policy *policy, uint32_t slot) {
    struct wsclock *w = wsclock_memory(policy);
    w->count--;
    hand_drop(&w->hand, policy->slot, slot);
}

static uint32_t wsclock_victim(struct policy *policy, uint32_t incoming) {
    struct wsclock *w = wsclock_memory(policy);
    (void)incoming;
    for (uint32_t looked = 0; w->count > 0; looked++) {
        uint32_t slot = hand_start(&w->hand);
        w->hand.at = LIST_NEWER(policy->slot, slot);
        w->young |= looked >= w->count;
        if (policy->slot[slot].ref) {
            policy->slot[slot].ref = 0;
            LAST_USE(policy, slot) = w->now;
        } else if (w->young || is_old(policy, w, slot)) {
            if (policy->slot[slot].dirty && !w->young) {
                return slot | POLICY_CLEAN;
            }
            wsclock_drop(policy, slot);
            return slot;
        }
    }
    return POLICY_NONE;
}

static void wsclock_tick(struct policy *policy) {
    struct wsclock *w = wsclock_memory(policy);
    w->now++;
    w->young = 0;
}

// Old pages, clean ones first; then all others from there on, for the round that found no more has
// cleared each `ref`.
static uint32_t wsclock_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    struct wsclock *w = wsclock_memory(policy);
    const struct policy_slot *slots = policy->slot;
    if (w->young) {
        return hand_order(&w->hand, slots, out, limit);
    }
    uint32_t count = 0, start = hand_start(&w->hand), next = start;
    for (uint32_t round = 0; round < 3; round++) {  // old and clean, old and dirty, others
        uint32_t at = round < 2 ? start : next;
        for (uint32_t left = w->count; left > 0 && count < limit; left--) {
            int old = !slots[at].ref && is_old(policy, w, at);
            uint32_t newer = LIST_NEWER(slots, at) != POLICY_NONE ? LIST_NEWER(slots, at)
                                                                   : w->hand.list.oldest;
            if (round == 2 ? !old : old && (slots[at].dirty != 0) == (round == 1)) {
                out[count++] = at;
                next = newer;
            }
            at = newer;
        }
    }
    return count;
}

static const struct policy_description wsclock_description = {
    .list = {POLICY_LIST(struct wsclock, hand.list, "ring",
                         "the hand finds its bit clear, and it is older than tau (or no page is)")},
    .hand = {{"hand", POLICY_WORD(struct wsclock, hand.at),
              POLICY_WORD(struct wsclock, hand.list)}},
    .number = {{"now", POLICY_WORD(struct wsclock, now), 0}},
    .page = {"last use", 2, 0},
};

const struct policy_operations policy_wsclock = {
    .sees_dirty = 1,
    .parameter = {{"tau", 2, 0, 1u << 30, "ticks without a use until a page is old"}},
    .init = wsclock_init,
    .admit = wsclock_admit,
    .victim = wsclock_victim,
    .drop = wsclock_drop,
    .tick = wsclock_tick,
    .order = wsclock_order,
    .description = POLICY_DESCRIBED(wsclock_description),
};
