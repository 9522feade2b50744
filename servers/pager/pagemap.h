// SPDX-License-Identifier: MIT
// What each page of one address space holds: two levels of 1024 words in metapages, like the
// processor's own tables, so that a page is found in two loads. Knows no rights: region.h does.
#pragma once
#include "metapage.h"

// An entry: value << 3 | state. A page without a leaf is untouched.
enum entry_state {
    ENTRY_UNTOUCHED,  // zeros, or what the file shows; no value
    ENTRY_RESIDENT,   // value: slot of the frame
    ENTRY_STORED,     // value: page of the store
    ENTRY_READING,    // value: slot of the frame being filled
    ENTRY_WRITING,    // value: slot of the frame being written
};
#define ENTRY(state, value) ((uint32_t)(value) << 3 | (state))
#define ENTRY_STATE(entry) ((enum entry_state)((entry) & 7u))
#define ENTRY_VALUE(entry) ((entry) >> 3)

// root: metapage with 1024 words, each leaf's metapage << 11 | number of its resident entries.
// spans: metapage with 1024 words, first << 16 | end of a part of each leaf outside of which no entry
// is resident: pagemap_span().
struct pagemap {
    uint32_t root, spans;
};
#define PAGEMAP_LEAF_PAGES 1024u
#define PAGEMAP_LEAVES (0xc0000u / PAGEMAP_LEAF_PAGES)

// The entry of a page; NULL: no leaf, so it is untouched. Change it with pagemap_set() alone.
static inline uint32_t *pagemap_find(const struct pagemap *map, uint32_t page) {
    uint32_t leaf = ((uint32_t *)metapage_at(map->root))[page / PAGEMAP_LEAF_PAGES] >> 11;
    return leaf == 0 ? NULL : (uint32_t *)metapage_at(leaf) + page % PAGEMAP_LEAF_PAGES;
}

static inline uint32_t pagemap_get(const struct pagemap *map, uint32_t page) {
    const uint32_t *entry = pagemap_find(map, page);
    return entry == NULL ? ENTRY(ENTRY_UNTOUCHED, 0) : *entry;
}

// Resident pages among the 1024 that share page's leaf.
static inline uint32_t pagemap_residents(const struct pagemap *map, uint32_t page) {
    return ((uint32_t *)metapage_at(map->root))[page / PAGEMAP_LEAF_PAGES] & 0x7ffu;
}

// The narrowest run of pages, in the leaf of `page`, outside of which none of that leaf is resident.
// Returns its length, 0 if none is.
uint32_t pagemap_span(const struct pagemap *map, uint32_t page, uint32_t *first);

int pagemap_init(struct pagemap *map);  // 0: no memory
void pagemap_end(struct pagemap *map);
// Make sure that there is a leaf for the page. 0: no memory.
int pagemap_prepare(struct pagemap *map, uint32_t page);
// The leaf is there.
void pagemap_set(struct pagemap *map, uint32_t page, uint32_t entry);
// First page >= page and < end that has a leaf, or end.
uint32_t pagemap_next(const struct pagemap *map, uint32_t page, uint32_t end);
