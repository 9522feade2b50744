// SPDX-License-Identifier: MIT
#include "region.h"
#include "message.h"
#include "layout.h"

uint32_t region_index(const struct regions *regions, uint32_t page) {
    uint32_t low = 0, high = regions->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (regions->list[middle].end <= page) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct region *region_search(struct regions *regions, uint32_t page) {
    uint32_t at = region_index(regions, page);
    if (at == regions->count || page < regions->list[at].first) {
        return NULL;
    }
    regions->last = at;
    return &regions->list[at];
}

static void list_open(struct regions *regions, uint32_t at) {
    for (uint32_t i = regions->count++; i > at; i--) {
        regions->list[i] = regions->list[i - 1];
    }
}

static void list_close(struct regions *regions, uint32_t at) {
    regions->count--;
    for (uint32_t i = at; i < regions->count; i++) {
        regions->list[i] = regions->list[i + 1];
    }
}

// Does b go on where a ends, alike in all else?
static int is_continued(const struct region *a, const struct region *b) {
    if (a->end != b->first || a->kind != b->kind || a->rights != b->rights) {
        return 0;
    }
    return a->kind != REGION_FILE || (a->file == b->file && a->file_end == b->file_end &&
                                      b->file_page == a->file_page + (a->end - a->first));
}

static void join(struct regions *regions, uint32_t at) {
    if (at > 0 && at < regions->count &&
        is_continued(&regions->list[at - 1], &regions->list[at])) {
        regions->list[at - 1].end = regions->list[at].end;
        list_close(regions, at);
    }
}

// Make `page` a border: the region that spans it becomes two. There is room.
static void split(struct regions *regions, uint32_t page) {
    uint32_t at = region_index(regions, page);
    if (at == regions->count || regions->list[at].first >= page) {
        return;
    }
    list_open(regions, at);
    struct region *low = &regions->list[at], *high = &regions->list[at + 1];
    low->end = page & 0xfffffu;
    high->file_page += page - high->first;
    high->first = page & 0xfffffu;
}

// How many regions splitting at the two borders would add.
static uint32_t split_cost(const struct regions *regions, uint32_t first, uint32_t end) {
    uint32_t cost = 0;
    uint32_t at = region_index(regions, first);
    cost += at < regions->count && regions->list[at].first < first;
    at = region_index(regions, end);
    cost += at < regions->count && regions->list[at].first < end;
    return cost;
}

error_t region_add(struct regions *regions, const struct region *region) {
    uint32_t at = region_index(regions, region->first);
    if (at < regions->count && regions->list[at].first < region->end) {
        return E_MAPPED;
    }
    if (at > 0 && is_continued(&regions->list[at - 1], region)) {
        regions->list[at - 1].end = region->end;
        join(regions, at);
        return OK;
    }
    if (regions->count == REGIONS_MAX) {
        return E_LIMIT;
    }
    list_open(regions, at);
    regions->list[at] = *region;
    join(regions, at + 1);
    return OK;
}

error_t region_remove(struct regions *regions, uint32_t first, uint32_t end) {
    uint32_t at = region_index(regions, first);
    int inside = at < regions->count && regions->list[at].first < first &&
                 regions->list[at].end > end;
    if (inside && regions->count == REGIONS_MAX) {
        return E_LIMIT;
    }
    if (inside) {
        split(regions, end);
    }
    while (at < regions->count && regions->list[at].first < end) {
        struct region *region = &regions->list[at];
        if (region->first < first) {
            region->end = first & 0xfffffu;
            at++;
        } else if (region->end > end) {
            region->file_page += end - region->first;
            region->first = end & 0xfffffu;
        } else {
            list_close(regions, at);
        }
    }
    return OK;
}

error_t region_protect(struct regions *regions, uint32_t first, uint32_t end, uint32_t rights) {
    uint32_t page = first;
    for (uint32_t i = region_index(regions, first); page < end; i++) {
        const struct region *region = &regions->list[i];
        if (i == regions->count || region->first > page || region->kind == REGION_GUARD) {
            return E_UNMAPPED;
        }
        page = region->end;
    }
    if (regions->count + split_cost(regions, first, end) > REGIONS_MAX) {
        return E_LIMIT;
    }
    split(regions, first);
    split(regions, end);
    uint32_t at = region_index(regions, first);
    for (; at < regions->count && regions->list[at].first < end; at++) {
        regions->list[at].rights = rights & MAP_RIGHTS;
    }
    for (uint32_t i = at + 1; i-- > region_index(regions, first);) {
        join(regions, i);
    }
    return OK;
}

uint32_t region_gap(const struct regions *regions, uint32_t pages, uint32_t from, uint32_t to) {
    for (uint32_t at = region_index(regions, from); from < to && pages <= to - from; at++) {
        if (at == regions->count || regions->list[at].first >= from + pages) {
            return from;
        }
        from = regions->list[at].end;
    }
    return 0;
}

uint32_t region_check(const struct regions *regions) {
    uint32_t broken = regions->count > REGIONS_MAX;
    for (uint32_t i = 0; i < regions->count && i < REGIONS_MAX; i++) {
        const struct region *region = &regions->list[i];
        broken += region->first >= region->end || region->end > LAYOUT_KERNEL / PAGE_SIZE;
        broken += i > 0 && regions->list[i - 1].end > region->first;
        broken += (region->rights & MAP_WRITE) && (region->rights & MAP_EXECUTE);
    }
    return broken;
}
