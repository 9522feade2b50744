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
    ENTRY_GHOST,      // untouched or stored, and its policy remembers it; value: its mark (resident.h)
};
#define ENTRY(state, value) ((uint32_t)(value) << 3 | (state))
#define ENTRY_STATE(entry) ((enum entry_state)((entry) & 7u))
#define ENTRY_VALUE(entry) ((entry) >> 3)

// root: metapage with 1024 words, each leaf's metapage << 11 | number of its resident entries.
// spans: metapage with a part of each leaf outside of which no entry is resident: pagemap_span().
struct pagemap {
    uint32_t *root;
    struct pagemap_run {
        uint16_t first, end;  // 0, 0: none
    } *spans;
};
#define PAGEMAP_LEAF_PAGES 1024u
#define PAGEMAP_LEAVES (0xc0000u / PAGEMAP_LEAF_PAGES)

// The entry of a page; NULL: no leaf, so it is untouched. Change it with pagemap_set() alone.
static inline uint32_t *pagemap_find(const struct pagemap *map, uint32_t page) {
    uint32_t leaf = map->root[page / PAGEMAP_LEAF_PAGES] >> 11;
    return leaf == 0 ? NULL : (uint32_t *)metapage_at(leaf) + page % PAGEMAP_LEAF_PAGES;
}

static inline uint32_t pagemap_get(const struct pagemap *map, uint32_t page) {
    const uint32_t *entry = pagemap_find(map, page);
    return entry == NULL ? ENTRY(ENTRY_UNTOUCHED, 0) : *entry;
}

// Resident pages among the 1024 that share page's leaf.
static inline uint32_t pagemap_residents(const struct pagemap *map, uint32_t page) {
    return map->root[page / PAGEMAP_LEAF_PAGES] & 0x7ffu;
}

// The narrowest run of pages, in the leaf of `page`, outside of which none of that leaf is resident.
// Returns its length, 0 if none is.
uint32_t pagemap_span(const struct pagemap *map, uint32_t page, uint32_t *first);

static inline int pagemap_has_leaf(const struct pagemap *map, uint32_t page) {
    return map->root[page / PAGEMAP_LEAF_PAGES] != 0;
}

int pagemap_init(struct pagemap *map);  // 0: no memory
void pagemap_end(struct pagemap *map);
// Make sure that there is a leaf for the page. 0: no memory.
int pagemap_prepare(struct pagemap *map, uint32_t page);
// The leaf is there, the page not resident, and the entry does not say that it is.
static inline void pagemap_set(struct pagemap *map, uint32_t page, uint32_t entry) {
    *pagemap_find(map, page) = entry;
}
// The leaf is there and the page not resident: now it is, in the frame of this slot.
static inline void pagemap_admit(struct pagemap *map, uint32_t page, uint32_t slot) {
    struct pagemap_run *span = &map->spans[page / PAGEMAP_LEAF_PAGES];
    uint32_t at = page % PAGEMAP_LEAF_PAGES;
    *pagemap_find(map, page) = ENTRY(ENTRY_RESIDENT, slot);
    ++map->root[page / PAGEMAP_LEAF_PAGES];
    if (at < span->first || span->end == 0) {
        span->first = (uint16_t)at;
    }
    if (at >= span->end) {
        span->end = (uint16_t)(at + 1);
    }
}
// The page is resident: now it is what the entry says.
static inline void pagemap_leave(struct pagemap *map, uint32_t page, uint32_t entry) {
    pagemap_set(map, page, entry);
    --map->root[page / PAGEMAP_LEAF_PAGES];
}
// First page >= page and < end that has a leaf, or end.
uint32_t pagemap_next(const struct pagemap *map, uint32_t page, uint32_t end);
