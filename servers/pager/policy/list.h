// SPDX-License-Identifier: MIT
// Doubly linked lists of slots, for policies: links in words 0 and 1 of a slot's record, so that a
// slot is in one list at a time. Static inline: a policy's object file needs nothing else.
#pragma once
#include "policy.h"

// Both ends are POLICY_NONE when empty. Following `newer` from `oldest` meets each slot of the list
// once and ends at `newest`; `older` is the way back.
struct list {
    uint32_t oldest, newest;
};

#define LIST_OLDER(slots, at) ((slots)[at].word[0])
#define LIST_NEWER(slots, at) ((slots)[at].word[1])

// Put `slot` between two neighbours; POLICY_NONE is beyond the end.
static inline void list_link(struct list *list, struct policy_slot *slots, uint32_t slot,
                             uint32_t older, uint32_t newer) {
    LIST_OLDER(slots, slot) = older;
    LIST_NEWER(slots, slot) = newer;
    if (older != POLICY_NONE) {
        LIST_NEWER(slots, older) = slot;
    } else {
        list->oldest = slot;
    }
    if (newer != POLICY_NONE) {
        LIST_OLDER(slots, newer) = slot;
    } else {
        list->newest = slot;
    }
}

static inline void list_add_newest(struct list *list, struct policy_slot *slots, uint32_t slot) {
    list_link(list, slots, slot, list->newest, POLICY_NONE);
}

static inline void list_add_oldest(struct list *list, struct policy_slot *slots, uint32_t slot) {
    list_link(list, slots, slot, POLICY_NONE, list->oldest);
}

static inline void list_remove(struct list *list, struct policy_slot *slots, uint32_t slot) {
    uint32_t older = LIST_OLDER(slots, slot), newer = LIST_NEWER(slots, slot);
    if (older != POLICY_NONE) {
        LIST_NEWER(slots, older) = newer;
    } else {
        list->oldest = newer;
    }
    if (newer != POLICY_NONE) {
        LIST_OLDER(slots, newer) = older;
    } else {
        list->newest = older;
    }
}

// What policies that keep an order do at each use: as few branches as there can be.
static inline void list_move_newest(struct list *list, struct policy_slot *slots, uint32_t slot) {
    uint32_t older = LIST_OLDER(slots, slot), newer = LIST_NEWER(slots, slot);
    uint32_t newest = list->newest;
    if (slot == newest) {
        return;
    }
    LIST_OLDER(slots, newer) = older;
    if (older != POLICY_NONE) {
        LIST_NEWER(slots, older) = newer;
    } else {
        list->oldest = newer;
    }
    LIST_OLDER(slots, slot) = newest;
    LIST_NEWER(slots, slot) = POLICY_NONE;
    LIST_NEWER(slots, newest) = slot;
    list->newest = slot;
}

// All of `more`, in its order, behind the newest of `list`; `more` is empty then.
static inline void list_append(struct list *list, struct policy_slot *slots, struct list *more) {
    if (more->oldest == POLICY_NONE) {
        return;
    }
    LIST_OLDER(slots, more->oldest) = list->newest;
    if (list->newest != POLICY_NONE) {
        LIST_NEWER(slots, list->newest) = more->oldest;
    } else {
        list->oldest = more->oldest;
    }
    list->newest = more->newest;
    *more = (struct list){POLICY_NONE, POLICY_NONE};
}

// From oldest to newest, at most `limit`; returns how many.
static inline uint32_t list_write(const struct list *list, const struct policy_slot *slots,
                                  uint32_t *out, uint32_t limit) {
    uint32_t count = 0;
    for (uint32_t at = list->oldest; at != POLICY_NONE && count < limit;
         at = LIST_NEWER(slots, at)) {
        out[count++] = at;
    }
    return count;
}
