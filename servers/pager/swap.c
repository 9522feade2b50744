// SPDX-License-Identifier: MIT
#include "swap.h"

void swap_init(struct swap *swap, uint32_t *bits, uint32_t pages) {
    *swap = (struct swap){.bit = bits, .pages = pages};
    if (pages == 0) {
        return;
    }
    bits[0] |= 1;
    if (pages % 32 != 0) {
        bits[pages / 32] |= ~0u << pages % 32;  // past the end: never free
    }
}

uint32_t swap_take(struct swap *swap) {
    if (swap_room(swap) == 0) {
        return SWAP_NONE;
    }
    while (swap->bit[swap->cursor] == UINT32_MAX) {
        swap->cursor = swap->cursor + 1 < SWAP_WORDS(swap->pages) ? swap->cursor + 1 : 0;
    }
    uint32_t *word = &swap->bit[swap->cursor];
    uint32_t bit = (uint32_t)__builtin_ctz(~*word);
    *word |= 1u << bit;
    swap->used++;
    return swap->cursor * 32 + bit;
}

void swap_release(struct swap *swap, uint32_t page) {
    if (page == SWAP_NONE) {
        return;
    }
    swap->bit[page / 32] &= ~(1u << page % 32);
    swap->used--;
}

uint32_t swap_check(const struct swap *swap) {
    uint32_t set = 0;
    for (uint32_t page = 1; page < swap->pages; page++) {
        set += swap->bit[page / 32] >> page % 32 & 1;
    }
    return (set != swap->used) + (swap->pages > 0 && (swap->bit[0] & 1) == 0);
}
