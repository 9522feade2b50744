// SPDX-License-Identifier: MIT
// Numbers the pages of all tasks from 0 on in order of first use.
#pragma once
#include <stdint.h>
#include <stdlib.h>

#include "sim_trace.h"

// Open addressing; `place` holds 1 + the new number, 0: free. Less than half of it is in use.
struct numbering_entry {
    uint64_t page;
    uint32_t task, place;
};
struct numbering {
    struct numbering_entry *entry;
    uint32_t mask, count;
};

static inline struct numbering numbering_new(uint32_t mask) {
    return (struct numbering){sim_allocate((size_t)mask + 1, sizeof(struct numbering_entry)), mask,
                              0};
}

static inline void numbering_free(struct numbering *n) {
    free(n->entry);
}

static inline struct numbering_entry *numbering_find(const struct numbering *n, uint64_t page,
                                                     uint32_t task) {
    uint64_t key = (page ^ (uint64_t)task << 40) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(key >> 32) & n->mask;
    while (n->entry[at].place != 0 && (n->entry[at].page != page || n->entry[at].task != task)) {
        at = (at + 1) & n->mask;
    }
    return &n->entry[at];
}

static inline void numbering_grow(struct numbering *n) {
    struct numbering larger = numbering_new(n->mask * 2 + 1);
    for (size_t at = 0; at <= n->mask; at++) {
        const struct numbering_entry *old = &n->entry[at];
        if (old->place != 0) {
            *numbering_find(&larger, old->page, old->task) = *old;
        }
    }
    larger.count = n->count;
    numbering_free(n);
    *n = larger;
}

static inline uint32_t numbering_number(struct numbering *n, uint64_t page, uint32_t task) {
    struct numbering_entry *entry = numbering_find(n, page, task);
    if (entry->place != 0) {
        return entry->place - 1;
    }
    *entry = (struct numbering_entry){page, task, ++n->count};
    if (n->count > n->mask / 2) {
        numbering_grow(n);
    }
    return n->count - 1;
}
