// SPDX-License-Identifier: MIT
#include "pagemap.h"

static uint32_t *root_word(const struct pagemap *map, uint32_t page) {
    return (uint32_t *)metapage_at(map->root) + page / PAGEMAP_LEAF_PAGES;
}

static uint32_t *span_word(const struct pagemap *map, uint32_t page) {
    return (uint32_t *)metapage_at(map->spans) + page / PAGEMAP_LEAF_PAGES;
}
#define SPAN(first, end) ((first) << 16 | (end))
#define SPAN_FIRST(span) ((span) >> 16)
#define SPAN_END(span) ((span) & 0xffffu)

int pagemap_init(struct pagemap *map) {
    map->root = metapage_take();
    map->spans = map->root == 0 ? 0 : metapage_take();
    if (map->root != 0 && map->spans == 0) {
        metapage_release(map->root);
    }
    return map->spans != 0;
}

void pagemap_end(struct pagemap *map) {
    for (uint32_t i = 0; i < PAGEMAP_LEAVES; i++) {
        uint32_t leaf = *root_word(map, i * PAGEMAP_LEAF_PAGES) >> 11;
        if (leaf != 0) {
            metapage_release(leaf);
        }
    }
    metapage_release(map->spans);
    metapage_release(map->root);
    *map = (struct pagemap){0};
}

int pagemap_prepare(struct pagemap *map, uint32_t page) {
    uint32_t *word = root_word(map, page);
    if (*word == 0) {
        *word = metapage_take() << 11;
    }
    return *word != 0;
}

static void span_widen(const struct pagemap *map, uint32_t page) {
    uint32_t *span = span_word(map, page), at = page % PAGEMAP_LEAF_PAGES;
    if (*span == 0) {
        *span = SPAN(at, at + 1);
    } else if (at < SPAN_FIRST(*span)) {
        *span = SPAN(at, SPAN_END(*span));
    } else if (at >= SPAN_END(*span)) {
        *span = SPAN(SPAN_FIRST(*span), at + 1);
    }
}

uint32_t pagemap_span(const struct pagemap *map, uint32_t page, uint32_t *first) {
    uint32_t base = page - page % PAGEMAP_LEAF_PAGES, *span = span_word(map, page);
    uint32_t low = SPAN_FIRST(*span), high = SPAN_END(*span);
    const uint32_t *leaf = pagemap_find(map, base);
    while (low < high && ENTRY_STATE(leaf[low]) != ENTRY_RESIDENT) {
        low++;
    }
    while (low < high && ENTRY_STATE(leaf[high - 1]) != ENTRY_RESIDENT) {
        high--;
    }
    *span = low < high ? SPAN(low, high) : 0;
    *first = base + low;
    return high - low;
}

void pagemap_set(struct pagemap *map, uint32_t page, uint32_t entry) {
    uint32_t *word = root_word(map, page);
    uint32_t *place = (uint32_t *)metapage_at(*word >> 11) + page % PAGEMAP_LEAF_PAGES;
    *word -= ENTRY_STATE(*place) == ENTRY_RESIDENT;
    *place = entry;
    if (ENTRY_STATE(entry) == ENTRY_RESIDENT) {
        ++*word;
        span_widen(map, page);
    }
}

uint32_t pagemap_next(const struct pagemap *map, uint32_t page, uint32_t end) {
    while (page < end && *root_word(map, page) == 0) {
        page = (page / PAGEMAP_LEAF_PAGES + 1) * PAGEMAP_LEAF_PAGES;
    }
    return page < end ? page : end;
}
