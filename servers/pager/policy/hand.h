// SPDX-License-Identifier: MIT
// A hand that sweeps round a list of slots, from old to new and from the newest on to the oldest,
// and takes the first page not used since it passed: what CLOCK and SIEVE have in common. They
// differ in where new pages join the list. Static inline, as list.h.
#pragma once
#include "list.h"

struct hand {
    struct list list;  // all residents
    uint32_t at;       // the page it looks at next; POLICY_NONE: the oldest
};

static inline uint32_t hand_start(const struct hand *hand) {
    return hand->at != POLICY_NONE ? hand->at : hand->list.oldest;
}

// Joins just behind the hand, which comes there last.
static inline void hand_add_behind(struct hand *hand, struct policy_slot *slots, uint32_t slot) {
    if (hand->at == POLICY_NONE) {
        list_add_newest(&hand->list, slots, slot);
    } else {
        list_link(&hand->list, slots, slot, LIST_OLDER(slots, hand->at), hand->at);
    }
}

// Joins where the hand looks next.
static inline void hand_add_next(struct hand *hand, struct policy_slot *slots, uint32_t slot) {
    if (hand->at == POLICY_NONE) {
        list_add_oldest(&hand->list, slots, slot);
    } else {
        list_link(&hand->list, slots, slot, LIST_OLDER(slots, hand->at), hand->at);
        hand->at = slot;
    }
}

static inline void hand_drop(struct hand *hand, struct policy_slot *slots, uint32_t slot) {
    if (hand->at == slot) {
        hand->at = LIST_NEWER(slots, slot);
    }
    list_remove(&hand->list, slots, slot);
}

// Takes the next page that was not used out of the list and stays at the one after it. Ends within
// two rounds, for each page that it passes loses its ref. POLICY_NONE if the list is empty.
static inline uint32_t hand_take(struct hand *hand, struct policy_slot *slots) {
    uint32_t slot = hand_start(hand);
    if (slot == POLICY_NONE) {
        return POLICY_NONE;
    }
    while (slots[slot].ref) {
        slots[slot].ref = 0;
        slot = LIST_NEWER(slots, slot);
        if (slot == POLICY_NONE) {
            slot = hand->list.oldest;
        }
    }
    hand->at = LIST_NEWER(slots, slot);
    list_remove(&hand->list, slots, slot);
    return slot;
}

// Those with this ref, one round from the hand on, appended to `out`; returns the new count.
static inline uint32_t hand_round(const struct hand *hand, const struct policy_slot *slots,
                                  int ref, uint32_t *out, uint32_t count, uint32_t limit) {
    uint32_t start = hand_start(hand), at = start;
    while (at != POLICY_NONE && count < limit) {
        if ((slots[at].ref != 0) == ref) {
            out[count++] = at;
        }
        at = LIST_NEWER(slots, at);
        if (at == POLICY_NONE) {
            at = hand->list.oldest;
        }
        if (at == start) {
            break;
        }
    }
    return count;
}

// In the order of hand_take(): first round, the pages not used; second round, the others.
static inline uint32_t hand_order(const struct hand *hand, const struct policy_slot *slots,
                                  uint32_t *out, uint32_t limit) {
    uint32_t count = hand_round(hand, slots, 0, out, 0, limit);
    return hand_round(hand, slots, 1, out, count, limit);
}
