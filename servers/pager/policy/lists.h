// SPDX-License-Identifier: MIT
// Some lists of slots, counted, each slot in the one that its `state` names, 0: in none; and an order
// by rehearsal for policies whose victims depend on each other. Static inline, as list.h.
#pragma once
#include "list.h"

#define LISTS_END 5u

// A policy that uses these has them at the beginning of its memory.
struct lists {
    struct list of[LISTS_END];  // by state; of[0] stays empty
    uint32_t count[LISTS_END];
};

static inline void lists_leave(struct lists *lists, struct policy_slot *slots, uint32_t slot) {
    uint8_t state = slots[slot].state;
    if (state != 0) {
        list_remove(&lists->of[state], slots, slot);
        lists->count[state]--;
        slots[slot].state = 0;
    }
}

// From whatever list to the newest end of this one.
static inline void lists_enter(struct lists *lists, struct policy_slot *slots, uint32_t slot,
                               uint8_t state) {
    if (slots[slot].state == state) {
        list_move_newest(&lists->of[state], slots, slot);
        return;
    }
    lists_leave(lists, slots, slot);
    slots[slot].state = state;
    list_add_newest(&lists->of[state], slots, slot);
    lists->count[state]++;
}

// Before `newer` in this list, at its newest end if that is POLICY_NONE.
static inline void lists_enter_before(struct lists *lists, struct policy_slot *slots, uint32_t slot,
                                      uint8_t state, uint32_t newer) {
    struct list *list = &lists->of[state];
    lists_leave(lists, slots, slot);
    slots[slot].state = state;
    list_link(list, slots, slot, newer != POLICY_NONE ? LIST_OLDER(slots, newer) : list->newest,
              newer);
    lists->count[state]++;
}

static inline void lists_enter_oldest(struct lists *lists, struct policy_slot *slots, uint32_t slot,
                                      uint8_t state) {
    lists_leave(lists, slots, slot);
    lists_enter_before(lists, slots, slot, state, lists->of[state].oldest);
}

// Takes the oldest of a list out of it; POLICY_NONE: it is empty.
static inline uint32_t lists_take(struct lists *lists, struct policy_slot *slots, uint8_t state) {
    uint32_t slot = lists->of[state].oldest;
    if (slot != POLICY_NONE) {
        lists_leave(lists, slots, slot);
    }
    return slot;
}

// ---- rehearsal -------------------------------------------------------------------------------

static inline void rehearsal_keep(struct policy_slot *slots, const struct lists *lists) {
    for (uint32_t i = 0; i < LISTS_END; i++) {
        for (uint32_t at = lists->of[i].oldest; at != POLICY_NONE; at = LIST_NEWER(slots, at)) {
            struct policy_slot *record = &slots[at];
            record->word[2] = record->word[1];
            record->word[3] = record->state | (uint32_t)record->count << 8 |
                              (uint32_t)record->ref << 16;
        }
    }
}

static inline void rehearsal_return(struct policy_slot *slots, const struct lists *lists) {
    for (uint32_t i = 0; i < LISTS_END; i++) {
        uint32_t older = POLICY_NONE;
        for (uint32_t at = lists->of[i].oldest; at != POLICY_NONE; at = slots[at].word[2]) {
            struct policy_slot *record = &slots[at];
            record->word[0] = older;
            record->word[1] = record->word[2];
            record->state = (uint8_t)record->word[3];
            record->count = (uint8_t)(record->word[3] >> 8);
            record->ref = (uint8_t)(record->word[3] >> 16);
            older = at;
        }
    }
}

// What `order` answers: asks for victims, then puts everything back. The policy's memory begins with
// struct lists, all slots that it remembers are in one, words 2 and 3 of the records are free for
// this, and its victim() never asks for a page to be cleaned.
static inline uint32_t lists_rehearse(struct policy *policy,
                                      uint32_t (*victim)(struct policy *policy, uint32_t incoming),
                                      uint32_t *out, uint32_t limit) {
    uint32_t kept[POLICY_MEMORY_WORDS], count = 0, slot = POLICY_NONE;
    for (uint32_t i = 0; i < POLICY_MEMORY_WORDS; i++) {
        kept[i] = policy->memory[i];
    }
    const struct lists *lists = (const struct lists *)(const void *)kept;
    rehearsal_keep(policy->slot, lists);
    while (count < limit && (slot = victim(policy, POLICY_NONE)) != POLICY_NONE) {
        out[count++] = POLICY_SLOT(slot);
    }
    for (uint32_t i = 0; i < POLICY_MEMORY_WORDS; i++) {
        policy->memory[i] = kept[i];
    }
    rehearsal_return(policy->slot, lists);
    return count;
}
