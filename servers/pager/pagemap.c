// SPDX-License-Identifier: MIT
#include "pagemap.h"

static uint32_t *root_word(const struct pagemap *map, uint32_t page) {
    return (uint32_t *)metapage_at(map->root) + page / PAGEMAP_LEAF_PAGES;
}

int pagemap_init(struct pagemap *map) {
    map->root = metapage_take();
    return map->root != 0;
}

void pagemap_end(struct pagemap *map) {
    for (uint32_t i = 0; i < PAGEMAP_LEAVES; i++) {
        uint32_t leaf = *root_word(map, i * PAGEMAP_LEAF_PAGES) >> 11;
        if (leaf != 0) {
            metapage_release(leaf);
        }
    }
    metapage_release(map->root);
    map->root = 0;
}

int pagemap_prepare(struct pagemap *map, uint32_t page) {
    uint32_t *word = root_word(map, page);
    if (*word == 0) {
        *word = metapage_take() << 11;
    }
    return *word != 0;
}

void pagemap_set(struct pagemap *map, uint32_t page, uint32_t entry) {
    uint32_t *word = root_word(map, page);
    uint32_t *place = (uint32_t *)metapage_at(*word >> 11) + page % PAGEMAP_LEAF_PAGES;
    *word -= ENTRY_STATE(*place) == ENTRY_RESIDENT;
    *word += ENTRY_STATE(entry) == ENTRY_RESIDENT;
    *place = entry;
}

uint32_t pagemap_next(const struct pagemap *map, uint32_t page, uint32_t end) {
    while (page < end && *root_word(map, page) == 0) {
        page = (page / PAGEMAP_LEAF_PAGES + 1) * PAGEMAP_LEAF_PAGES;
    }
    return page < end ? page : end;
}
