// SPDX-License-Identifier: MIT
// The regions of one address space: ordered runs of pages with one meaning. Pure: knows nothing of
// what the pages hold; pagemap.h does.
#pragma once
#include "types.h"

enum region_kind {
    REGION_ANONYMOUS,  // zeros until written
    REGION_FILE,       // private: shows a module until written; zeros past file_end
    REGION_GUARD,      // every access is refused
};

// Pages [first, end). File bytes from file_page * 4096 on are shown, none at or past file_end.
struct region {
    uint32_t rights : 3, kind : 2, : 7, first : 20;
    uint32_t file : 12, end : 20;  // file: number of the module
    uint32_t file_page;
    uint32_t file_end;
};
_Static_assert(sizeof(struct region) == 16, "the regions of a task fill one page");
#define REGIONS_MAX (PAGE_SIZE / 16u)

// list[0 .. count), ordered, first < end <= next first; list holds REGIONS_MAX. region_check().
struct regions {
    struct region *list;
    uint32_t count;
    uint32_t last;  // where region_find() found the last one
};

// The region of a page, or NULL. Pages of one region come in runs.
struct region *region_search(struct regions *regions, uint32_t page);
static inline struct region *region_find(struct regions *regions, uint32_t page) {
    struct region *region = &regions->list[regions->last];
    return regions->last < regions->count && page >= region->first && page < region->end
               ? region : region_search(regions, page);
}
// The first region that ends after `page`: count if there is none.
uint32_t region_index(const struct regions *regions, uint32_t page);

// Add a region; joined with a neighbour that goes on alike. E_MAPPED: it overlaps; E_LIMIT.
error_t region_add(struct regions *regions, const struct region *region);
// Cut pages [first, end) out, holes allowed. E_LIMIT: no room for the second half of a split.
error_t region_remove(struct regions *regions, uint32_t first, uint32_t end);
// Change rights of pages [first, end). E_UNMAPPED: there is a hole or a guard; E_LIMIT.
error_t region_protect(struct regions *regions, uint32_t first, uint32_t end, uint32_t rights);

// First of `pages` free pages in [from, to), lowest fit; 0: none.
uint32_t region_gap(const struct regions *regions, uint32_t pages, uint32_t from, uint32_t to);

// How many laws are broken.
uint32_t region_check(const struct regions *regions);
