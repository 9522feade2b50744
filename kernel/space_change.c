// SPDX-License-Identifier: MIT
// Map, unmap and protect: one page by the shortest way, lists of new pages by runs of neighbours.
// What is refused, and why, is found out after a test that only says that something is wrong.
#include "space_entry.h"

#define WHOLE_MAX TAG_ITEMS_MAX  // a list up to so long is done whole or not at all

static inline __attribute__((always_inline)) bool rights_valid(uint32_t rights) {
    return rights <= MAP_RIGHTS && !(space_high[rights] & ENTRY_PRESENT);
}

static error_t page_error(vaddr_t page_rights) {
    if (!space_page_valid(PAGE_DOWN(page_rights))) {
        return E_ADDRESS;
    }
    uint32_t rights = PAGE_OFFSET(page_rights);
    return rights_valid(rights) ? OK : rights == MAP_RIGHTS ? E_WX : E_ARGUMENT;
}

// --- map -----------------------------------------------------------------------------------------

// The frame that an item's word names; one with a flag set names none that there is.
static inline __attribute__((always_inline)) frame_t frame_named(uint32_t word) {
    return word >> 8 | word << 24;
}

static error_t map_error(const struct map_item *item, const struct pool *owner) {
    error_t error = page_error(item->page);
    if (error != E_ADDRESS && item->frame & FRAME_FLAGS & ~FRAME_ZERO) {
        return E_ARGUMENT;
    }
    return error != OK ? error : pool_owns(owner, ITEM_FRAME(*item)) ? E_MAPPED : E_OWNER;
}

// The one frame that is mapped for those who do not own it: the clock's, to be read.
static __attribute__((noinline)) error_t map_other(struct space *space, const struct map_item *item,
                                                   const struct pool *owner) {
    error_t error = map_error(item, owner);
    frame_t frame = frame_named(item->frame);
    if (error != E_OWNER || PAGE_OFFSET(item->page) != MAP_READ || !frame_is_clock(frame)) {
        return error;
    }
    pte_t *entry = space_entry_make(space, item->page);
    if (entry == NULL || entry_low(*entry) & ENTRY_PRESENT) {
        return entry == NULL ? E_MEMORY : E_MAPPED;
    }
    space_install(space, entry, frame, MAP_READ);
    return OK;
}

error_t space_map_one(struct space *space, const struct map_item *item, const struct pool *owner) {
    vaddr_t page = item->page;
    frame_t frame = frame_named(item->frame & ~FRAME_ZERO);
    uint32_t rights = PAGE_OFFSET(page);
    if (!pool_owns(owner, frame) || page < LAYOUT_USER_FIRST || !rights_valid(rights)) {
        return map_other(space, item, owner);
    }
    pte_t *table = table_find(space, page);
    if (table == NULL) {
        if (page >= LAYOUT_KERNEL) {
            return E_ADDRESS;
        }
        table = table_make(space, page);
        if (table == NULL) {
            return E_MEMORY;
        }
    }
    half_t *half = entry_in(table, page);
    if (half[0] & ENTRY_PRESENT) {
        return map_error(item, owner);
    }
    uint32_t high = frame >> 20 | space_high[rights];
    frame_entry(frame)->maps++;
    entry_count(space, table, 1);
    entry_set(half, frame << PAGE_SHIFT | rights | ENTRY_USER, high);
    if (item->frame & FRAME_ZERO) {
        window_zero(frame);
    }
    return OK;
}

// How many of the items that follow a mapped one are for the next pages of its table, with its
// rights, and are mapped now; the others are somebody else's affair. The price of a page.
static __attribute__((noinline)) uint32_t run_map(struct space *space, const struct map_item *items, uint32_t count,
                        const struct pool *owner) {
    vaddr_t page = items[-1].page;
    if (count == 0 || items->page != page + PAGE_SIZE) {
        return 0;
    }
    pte_t *table = table_known(space, page);
    half_t *half = entry_in(table, page);
    uint32_t rights = PAGE_OFFSET(page) | ENTRY_USER, high = space_high[PAGE_OFFSET(page)];
    const struct map_item *item = items, *end = items + MIN_OF(count, 511 - (page >> 12 & 511));
    for (; item != end; item++) {
        frame_t frame = frame_named(item->frame);
        page += PAGE_SIZE;
        half += 2;
        if (item->page != page || !pool_owns(owner, frame) ||
            half[0] & ENTRY_PRESENT) {
            break;
        }
        frame_entry(frame)->maps++;
        entry_set(half, frame << PAGE_SHIFT | rights, frame >> 20 | high);
    }
    uint32_t done = (uint32_t)(item - items);
    entry_count(space, table, done);
    return done;
}

// Nobody has run since: no entry is in any cache.
static void map_undo(struct space *space, const struct map_item *items, uint32_t count,
                     uint32_t made) {
    for (uint32_t i = 0; i < count; i++) {
        space_remove(space, PAGE_DOWN(items[i].page), space_entry(space, items[i].page));
    }
    for (; made != 0; made &= made - 1) {
        (void)space_trim(space, items[bit_lowest(made)].page);
    }
}

error_t space_map(struct space *space, const struct map_item *items, uint32_t count,
                  const struct pool *owner, uint32_t *done) {
    uint32_t at = 0, made = 0, zeroes = 0;
    error_t error = OK;
    while (at < count && zeroes < WHOLE_MAX) {
        uint32_t tables = space->tables, word = items[at].frame;
        struct map_item item = {items[at].page, word & ~FRAME_ZERO};  // zeroed when all is done
        error = word & FRAME_ZERO && frame_is_clock(ITEM_FRAME(item))
                    ? E_OWNER
                    : space_map_one(space, &item, owner);
        if (error != OK) {
            break;
        }
        made |= (uint32_t)(space->tables != tables) << at % 32;
        zeroes += word & FRAME_ZERO;
        at++;
        at += run_map(space, &items[at], count - at, owner);
    }
    *done = at;
    if (error != OK && count <= WHOLE_MAX) {
        map_undo(space, items, at, made);
        return error;
    }
    for (uint32_t i = 0; i < at && zeroes > 0; i++) {
        if (items[i].frame & FRAME_ZERO) {
            window_zero(ITEM_FRAME(items[i]));
            zeroes--;
        }
    }
    return at == 0 ? error : OK;
}

// --- unmap and protect ---------------------------------------------------------------------------

static error_t change_error(const struct space *space, vaddr_t page_rights, bool protect) {
    error_t error = page_error(protect ? page_rights : PAGE_DOWN(page_rights) | MAP_READ);
    if (!protect && PAGE_OFFSET(page_rights) != 0) {
        error = E_ADDRESS;
    }
    if (error != OK) {
        return error;
    }
    const pte_t *entry = space_entry(space, page_rights);
    if (entry == NULL || !(entry_low(*entry) & ENTRY_PRESENT)) {
        return E_UNMAPPED;
    }
    return entry_low(*entry) & ENTRY_FIXED ? E_DENIED : OK;
}

error_t space_unmap_one(struct space *space, struct map_item *item) {
    vaddr_t page = item->page;
    pte_t *table = table_find(space, page);
    if (table == NULL || PAGE_OFFSET(page) != 0 || !entry_changeable(entry_in(table, page))) {
        return change_error(space, page, false);
    }
    item->frame = space_remove(space, page, (pte_t *)entry_in(table, page));
    return OK;
}

error_t space_protect_one(struct space *space, struct map_item *item) {
    vaddr_t page = item->page;
    uint32_t rights = PAGE_OFFSET(page);
    pte_t *table = table_find(space, page);
    if (table == NULL || !rights_valid(rights) || !entry_changeable(entry_in(table, page))) {
        return change_error(space, page, true);
    }
    half_t *half = entry_in(table, page);
    uint32_t low = entry_take(half), high = half[1];
    entry_set(half, (low & ~MAP_RIGHTS) | rights | ENTRY_USER, (high & 15) | space_high[rights]);
    item->frame = entry_report(low, high);
    entry_forget(space, page, low);
    return OK;
}

// Of a list that is done whole: a page that is unmapped twice is not there the second time.
static error_t list_error(const struct space *space, const struct map_item *items, uint32_t count,
                          bool protect) {
    for (uint32_t i = 0; i < count; i++) {
        error_t error = change_error(space, items[i].page, protect);
        for (uint32_t k = 0; k < i && !protect; k++) {
            error = items[k].page == items[i].page ? E_UNMAPPED : error;
        }
        if (error != OK) {
            return error;
        }
    }
    return OK;
}

error_t space_change(struct space *space, struct map_item *items, uint32_t count, bool protect,
                     uint32_t *done) {
    error_t error = count <= WHOLE_MAX ? list_error(space, items, count, protect) : OK;
    error_t (*change)(struct space *, struct map_item *) =
        protect ? space_protect_one : space_unmap_one;
    uint32_t at = 0;
    for (; at < count && error == OK; at += error == OK) {
        error = change(space, &items[at]);
    }
    *done = at;
    return at == 0 ? error : OK;
}
