// SPDX-License-Identifier: MIT
#include "pagemap.h"

static uint32_t *root_word(const struct pagemap *map, uint32_t page) {
    return &map->root[page / PAGEMAP_LEAF_PAGES];
}

int pagemap_init(struct pagemap *map) {
    uint32_t root = metapage_take();
    uint32_t spans = root == 0 ? 0 : metapage_take();
    if (root != 0 && spans == 0) {
        metapage_release(root);
    }
    *map = (struct pagemap){metapage_at(root), metapage_at(spans)};
    return spans != 0;
}

void pagemap_end(struct pagemap *map) {
    for (uint32_t i = 0; i < PAGEMAP_LEAVES; i++) {
        uint32_t leaf = *root_word(map, i * PAGEMAP_LEAF_PAGES) >> 11;
        if (leaf != 0) {
            metapage_release(leaf);
        }
    }
    metapage_release(metapage_number(map->spans));
    metapage_release(metapage_number(map->root));
    *map = (struct pagemap){0};
}

int pagemap_prepare(struct pagemap *map, uint32_t page) {
    uint32_t *word = root_word(map, page);
    if (*word == 0) {
        *word = metapage_take() << 11;
    }
    return *word != 0;
}

uint32_t pagemap_span(const struct pagemap *map, uint32_t page, uint32_t *first) {
    struct pagemap_run *span = &map->spans[page / PAGEMAP_LEAF_PAGES];
    uint32_t base = page - page % PAGEMAP_LEAF_PAGES, low = span->first, high = span->end;
    const uint32_t *leaf = pagemap_find(map, base);
    while (low < high && ENTRY_STATE(leaf[low]) != ENTRY_RESIDENT) {
        low++;
    }
    while (low < high && ENTRY_STATE(leaf[high - 1]) != ENTRY_RESIDENT) {
        high--;
    }
    *span = low < high ? (struct pagemap_run){(uint16_t)low, (uint16_t)high}
                       : (struct pagemap_run){0, 0};
    *first = base + low;
    return high - low;
}

uint32_t pagemap_next(const struct pagemap *map, uint32_t page, uint32_t end) {
    while (page < end && *root_word(map, page) == 0) {
        page = (page / PAGEMAP_LEAF_PAGES + 1) * PAGEMAP_LEAF_PAGES;
    }
    return page < end ? page : end;
}
