// SPDX-License-Identifier: MIT
// Which pages of the store are taken: one bit each. Page 0 is never used, so that 0 can say "none".
// Pure: does no I/O.
#pragma once
#include "types.h"

#define SWAP_NONE 0u

struct swap {
    uint32_t *bit;   // 1: taken
    uint32_t pages;  // 0: no store
    uint32_t used;   // number of bits set, page 0 not counted. swap_check()
    uint32_t cursor; // word where the search goes on, so that neighbours in time are neighbours there
};

#define SWAP_WORDS(pages) (((pages) + 31) / 32)

// `bits` holds SWAP_WORDS(pages) zeroed words.
void swap_init(struct swap *swap, uint32_t *bits, uint32_t pages);
uint32_t swap_take(struct swap *swap);  // SWAP_NONE: full, or no store
void swap_release(struct swap *swap, uint32_t page);
uint32_t swap_check(const struct swap *swap);

static inline uint32_t swap_room(const struct swap *swap) {
    return swap->pages == 0 ? 0 : swap->pages - 1 - swap->used;
}
