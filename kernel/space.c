// SPDX-License-Identifier: MIT
#include "space.h"
#include "cpu.h"
#include "kalloc.h"
#include "panic.h"
#include "window.h"

uint64_t kernel_page_directory[ENTRIES] __attribute__((aligned(4096)));
uint64_t boot_directory_pointers[4] __attribute__((aligned(32)));
uint64_t space_no_execute;
struct space *space_loaded;
uint64_t space_loads;

// An entry by its halves: the low one has the present bit and all that the CPU writes.
typedef volatile uint32_t __attribute__((may_alias)) half_t;
_Static_assert(MAP_READ == ENTRY_PRESENT && MAP_WRITE == ENTRY_WRITE && MAP_EXECUTE == ENTRY_USER,
               "valid rights are the bits of an entry, but for execute, which is in all of them");
#define TABLE_REACH (ENTRIES * PAGE_SIZE)

// The high half of an entry with these rights but for its frame's bits; ENTRY_PRESENT: no such rights
// can be given. Reading is a must, and nothing is both writable and executable.
static uint32_t rights_high[MAP_RIGHTS + 1] = {
    ENTRY_PRESENT, 0, ENTRY_PRESENT, 0, ENTRY_PRESENT, 0, ENTRY_PRESENT, ENTRY_PRESENT};

void space_no_execute_use(void) {
    space_no_execute = ENTRY_NO_EXECUTE;
    rights_high[MAP_READ] = rights_high[MAP_READ | MAP_WRITE] = ENTRY_NO_EXECUTE >> 32;
}

// The hardware may read an entry at any moment: its present half is set last and cleared first.
static void entry_set(uint64_t *entry, uint64_t value) {
    half_t *half = (half_t *)entry;
    half[1] = (uint32_t)(value >> 32);
    half[0] = (uint32_t)value;
}

static uint64_t entry_clear(uint64_t *entry) {
    half_t *half = (half_t *)entry;
    uint32_t low = __atomic_exchange_n(&half[0], 0, __ATOMIC_SEQ_CST);
    uint32_t high = half[1];
    half[1] = 0;
    return (uint64_t)high << 32 | low;
}

// What a map item asks for: its frame word, without flags, is an entry but for four bits' place.
static inline uint64_t entry_of(uint32_t frame_word, uint32_t rights) {
    uint32_t high = rights_high[rights] | frame_word >> 28;
    return (uint64_t)high << 32 | frame_word << 4 | rights | ENTRY_USER;
}

// An entry is cached only after its Accessed bit was set (SDM 4.10.2.3).
static void forget(const struct space *space, vaddr_t page, uint32_t before) {
    if (space == space_loaded && before & ENTRY_ACCESSED) {
        page_invalidate(page);
    }
}

// Tables lie in the window, so the low half of a directory entry says where.
static uint64_t *table_of(uint64_t directory_entry) {
    uint64_t *table = window_address((frame_t)((uint32_t)directory_entry >> PAGE_SHIFT));
    if (table == NULL) {
        __builtin_unreachable();
    }
    return table;
}

// The page table of a page, NULL while there is none.
static uint64_t *table_find(const struct space *space, vaddr_t page) {
    const uint64_t *directory = space->directory[page >> 30];
    uint64_t entry = directory == NULL ? 0 : directory[page >> 21 & 511];
    return (uint32_t)entry & ENTRY_PRESENT ? table_of(entry) : NULL;
}

error_t space_create(struct space *space, struct pool *pool) {
    *space = (struct space){.pool = pool};
    space->pointers = kalloc(pool, 4 * sizeof(uint64_t));
    if (space->pointers == NULL) {
        return E_MEMORY;
    }
    space->pointers[3] = boot_directory_pointers[3];
    return OK;
}

void space_load(struct space *space) {
    if (space != space_loaded) {
        space_loaded = space;
        space_loads++;
        cr3_write((uint32_t)(uintptr_t)(space == NULL ? boot_directory_pointers : space->pointers) -
                  LAYOUT_KERNEL);
    }
}

uint64_t *space_entry(const struct space *space, vaddr_t page) {
    uint64_t *table = table_find(space, page);
    return table == NULL ? NULL : &table[page >> 12 & 511];
}

// A changed page-directory-pointer entry is seen by the CPU only when CR3 is loaded (SDM 4.4.1).
static uint64_t *directory_make(struct space *space, uint32_t gigabyte) {
    uint64_t *directory = kalloc_page(space->pool, FRAME_TABLE);
    if (directory == NULL) {
        return NULL;
    }
    space->directory[gigabyte] = directory;
    space->tables++;
    entry_set(&space->pointers[gigabyte],
              (uint64_t)window_frame(directory) << PAGE_SHIFT | ENTRY_PRESENT);
    space_flush(space);
    return directory;
}

static void directory_free(struct space *space, uint32_t gigabyte) {
    entry_clear(&space->pointers[gigabyte]);
    space_flush(space);
    kfree_page(space->pool, space->directory[gigabyte]);
    space->directory[gigabyte] = NULL;
    space->tables--;
}

// A page table for a page that has none; NULL: the pool is exhausted.
static uint64_t *table_make(struct space *space, vaddr_t page) {
    uint64_t *directory = space->directory[page >> 30];
    if (directory == NULL && (directory = directory_make(space, page >> 30)) == NULL) {
        return NULL;
    }
    uint64_t *table = kalloc_page(space->pool, FRAME_TABLE);
    frame_t own = window_frame(directory);
    if (table == NULL) {
        if (frame_entry(own)->maps == 0) {
            directory_free(space, page >> 30);
        }
        return NULL;
    }
    space->tables++;
    frame_entry(own)->maps++;
    entry_set(&directory[page >> 21 & 511], (uint64_t)window_frame(table) << PAGE_SHIFT |
                                                ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER);
    return table;
}

uint64_t *space_entry_make(struct space *space, vaddr_t page) {
    uint64_t *table = table_find(space, page);
    table = table != NULL ? table : table_make(space, page);
    return table == NULL ? NULL : &table[page >> 12 & 511];
}

bool space_trim(struct space *space, vaddr_t page) {
    uint64_t *directory = space->directory[page >> 30];
    uint64_t *entry = directory == NULL ? NULL : &directory[page >> 21 & 511];
    if (entry == NULL || !(*entry & ENTRY_PRESENT) ||
        frame_entry(ENTRY_FRAME(*entry))->maps != 0) {
        return false;
    }
    frame_t table = ENTRY_FRAME(entry_clear(entry));
    frame_entry(window_frame(directory))->maps--;
    space->tables--;
    if (frame_entry(window_frame(directory))->maps == 0) {
        directory_free(space, page >> 30);
    }
    space_flush(space);  // paging-structure caches may hold the directory entry (SDM 4.10.3)
    pool_release(space->pool, table);
    return true;
}

static inline void install(struct space *space, uint64_t *entry, frame_t frame, uint32_t rights) {
    frame_entry(frame)->maps++;
    frame_entry(window_frame(entry))->maps++;
    space->mapped++;
    entry_set(entry, entry_of(frame << 8, rights));  // that was not present is in no cache
}

void space_install(struct space *space, uint64_t *entry, frame_t frame, uint32_t rights) {
    install(space, entry, frame, rights);
}

void space_install_device(struct space *space, uint64_t *entry, frame_t frame) {
    frame_entry(window_frame(entry))->maps++;
    space->mapped++;
    entry_set(entry, (uint64_t)frame << PAGE_SHIFT | space_no_execute | ENTRY_PRESENT | ENTRY_WRITE |
                         ENTRY_USER | ENTRY_UNCACHED | ENTRY_DEVICE);
}

uint64_t space_remove(struct space *space, vaddr_t page, uint64_t *entry) {
    uint64_t before = entry_clear(entry);
    if (!(before & ENTRY_DEVICE)) {
        frame_entry(ENTRY_FRAME(before))->maps--;
    }
    frame_entry(window_frame(entry))->maps--;
    space->mapped--;
    forget(space, page, (uint32_t)before);
    return before;
}

void space_flush(struct space *space) {
    if (space == space_loaded) {
        space_loaded = NULL;
        space_load(space);
    }
}

static void table_wipe(struct space *space, uint64_t *table) {
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (table[i] & ENTRY_PRESENT) {
            space_remove(space, 0, &table[i]);
        }
    }
}

static uint32_t directory_destroy(struct space *space, uint32_t gigabyte, uint32_t steps) {
    uint64_t *directory = space->directory[gigabyte];
    for (uint32_t i = 0; i < ENTRIES && steps > 0; i++) {
        if (directory[i] & ENTRY_PRESENT) {
            frame_t table = ENTRY_FRAME(directory[i]);
            table_wipe(space, window_address(table));
            entry_clear(&directory[i]);
            frame_entry(window_frame(directory))->maps--;
            pool_release(space->pool, table);
            space->tables--;
            steps--;
        }
    }
    if (frame_entry(window_frame(directory))->maps == 0) {
        directory_free(space, gigabyte);
    }
    return steps;
}

uint32_t space_destroy(struct space *space, uint32_t steps) {
    if (space == space_loaded) {
        space_load(NULL);
    }
    for (uint32_t gigabyte = 0; gigabyte < 3; gigabyte++) {
        if (space->directory[gigabyte] != NULL) {
            steps = directory_destroy(space, gigabyte, steps);
        }
    }
    if (space->tables == 0 && space->pointers != NULL) {
        kfree(space->pool, space->pointers);
        space->pointers = NULL;
    }
    return space->tables;
}

// --- lists of items ------------------------------------------------------------------------------

// A list up to so long is done whole or not at all.
#define WHOLE_MAX TAG_ITEMS_MAX

static inline error_t page_check(vaddr_t page_rights) {
    bool outside = page_rights - LAYOUT_USER_FIRST >= LAYOUT_KERNEL - LAYOUT_USER_FIRST;
    return outside ? E_ADDRESS : OK;
}

static inline bool rights_valid(uint32_t rights) {
    return rights <= MAP_RIGHTS && !(rights_high[rights] & ENTRY_PRESENT);
}

static error_t rights_error(uint32_t rights) {
    return rights == MAP_RIGHTS ? E_WX : E_ARGUMENT;
}

static error_t item_check(struct map_item item, uint16_t owner) {
    error_t error = page_check(item.page);
    if (error != OK) {
        return error;
    }
    if (item.frame & FRAME_FLAGS & ~FRAME_ZERO) {
        return E_ARGUMENT;
    }
    if (!rights_valid(PAGE_OFFSET(item.page))) {
        return rights_error(PAGE_OFFSET(item.page));
    }
    return frame_owned(ITEM_FRAME(item), owner) ? OK : E_OWNER;
}

// What items of one page table are held against. Not on the stack, where it would cost a register.
static struct run {
    char *table;
    vaddr_t first;    // page that its first entry is for
    uint32_t wanted;  // FRAME_WORD of the frames
    uint32_t most;    // item word of the last frame that there is
} run;

// Install items until one is refused, or needs more than this can: that is found out elsewhere.
// Returns how many. This loop is the price of a page: few values live at a time.
static uint32_t run_install(const struct map_item *item, uint32_t count) {
    uint32_t left = count;
    for (; left > 0; left--, item++) {
        uint32_t word = item->frame;
        if (word & FRAME_FLAGS || word > run.most) {
            break;
        }
        struct frame *frame =
            (struct frame *)((char *)frames.table + word / 256 * sizeof(struct frame));
        if (frame->word != run.wanted) {
            break;
        }
        uint32_t offset = item->page ^ run.first;
        half_t *half = (half_t *)(run.table + (offset / PAGE_SIZE * 8));
        if (offset & ~(TABLE_REACH - PAGE_SIZE + MAP_RIGHTS) || half[0] & ENTRY_PRESENT) {
            break;
        }
        offset &= MAP_RIGHTS;
        if (rights_high[offset] & ENTRY_PRESENT) {
            break;
        }
        frame->maps++;
        half[1] = rights_high[offset] | word >> 28;
        half[0] = word << 4 | offset | ENTRY_USER;
    }
    return count - left;
}

static void items_zero(const struct map_item *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].frame & FRAME_ZERO) {
            window_zero(ITEM_FRAME(items[i]));
        }
    }
}

// Nobody has run since: no entry is in any cache.
static void items_undo(struct space *space, const struct map_item *items, uint32_t count,
                       uint32_t made) {
    for (uint32_t i = 0; i < count; i++) {
        space_remove(space, PAGE_DOWN(items[i].page), space_entry(space, items[i].page));
    }
    for (; made != 0; made &= made - 1) {
        (void)space_trim(space, items[bit_lowest(made)].page);
    }
}

error_t space_map_one(struct space *space, struct map_item item, const struct pool *owner) {
    error_t error = item_check(item, pool_number(owner));
    if (error != OK) {
        return error;
    }
    uint64_t *table = table_find(space, item.page);
    if (table == NULL && (table = table_make(space, item.page)) == NULL) {
        return E_MEMORY;
    }
    uint64_t *entry = &table[item.page >> 12 & 511];
    if ((uint32_t)*entry & ENTRY_PRESENT) {
        return E_MAPPED;
    }
    install(space, entry, ITEM_FRAME(item), PAGE_OFFSET(item.page));
    return OK;
}

// As many items as there are of one table, none where nothing was mapped before.
static uint32_t run_map(struct space *space, const struct map_item *items, uint32_t count,
                        const struct pool *owner) {
    vaddr_t page = items->page;
    uint64_t *table = page < LAYOUT_KERNEL ? table_find(space, page) : NULL;
    if (table == NULL || page < TABLE_REACH) {  // in whose first pages nothing may be mapped
        return 0;
    }
    run = (struct run){(char *)table, page & ~(TABLE_REACH - 1),
                       FRAME_WORD(FRAME_USER, pool_number(owner)), (frames.count << 8) - 1};
    uint32_t part = run_install(items, count);
    frame_entry(window_frame(table))->maps += part;
    space->mapped += part;
    return part;
}

error_t space_map_part(struct space *space, const struct map_item *items, uint32_t count,
                       const struct pool *owner, uint32_t *done) {
    uint32_t at = 0, made = 0, zeroes = 0;
    error_t error = OK;
    while (at < count && zeroes < WHOLE_MAX) {
        uint32_t part = run_map(space, &items[at], count - at, owner);
        uint32_t tables = space->tables;
        if (part == 0) {
            error = space_map_one(space, items[at], owner);
            if (error != OK) {
                break;
            }
            part = 1;
            zeroes += items[at].frame & FRAME_ZERO;
            made |= (uint32_t)(space->tables != tables) << at % 32;
        }
        at += part;
    }
    *done = at;
    if (error != OK && count <= WHOLE_MAX) {
        items_undo(space, items, at, made);
        return error;
    }
    if (zeroes > 0) {
        items_zero(items, at);
    }
    return at == 0 ? error : OK;
}

// Unmap, or change rights. The half with the present bit is taken out as it is at that moment, so
// that no Accessed or Dirty bit is lost.
static error_t item_change(struct space *space, vaddr_t page_rights, bool protect,
                           uint64_t *before) {
    vaddr_t page = PAGE_DOWN(page_rights);
    uint32_t rights = PAGE_OFFSET(page_rights);
    if (page_check(page) != OK || (rights != 0 && !protect)) {
        return E_ADDRESS;
    }
    if (protect && !rights_valid(rights)) {
        return rights_error(rights);
    }
    uint64_t *table = table_find(space, page);
    if (table == NULL) {
        return E_UNMAPPED;
    }
    half_t *half = (half_t *)table + (page >> 12 & 511) * 2;
    if (!(half[0] & ENTRY_PRESENT)) {
        return E_UNMAPPED;
    }
    uint32_t high = half[1];
    struct frame *frame = frame_entry(half[0] >> 12 | high << 20);
    if (half[0] & ENTRY_DEVICE || frame->type != FRAME_USER) {
        return E_DENIED;
    }
    uint32_t low = __atomic_exchange_n(&half[0], 0, __ATOMIC_SEQ_CST);
    if (protect) {
        half[1] = rights_high[rights] | (high & 15);
        half[0] = (low & ~MAP_RIGHTS) | rights | ENTRY_USER;
    } else {
        half[1] = 0;
        frame->maps--;
        frame_entry(window_frame(table))->maps--;
        space->mapped--;
    }
    forget(space, page, low);
    *before = (uint64_t)high << 32 | low;
    return OK;
}

static void change_undo(struct space *space, const struct map_item *items, uint32_t count,
                        bool protect, const uint64_t *before) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *entry = space_entry(space, items[i].page);
        if (!protect) {
            space_install(space, entry, ENTRY_FRAME(before[i]), MAP_READ);
        }
        entry_set(entry, before[i]);
    }
}

static void change_report(struct map_item *items, uint32_t count, const uint64_t *before) {
    for (uint32_t i = 0; i < count; i++) {
        items[i].frame = space_report(before[i]);
    }
}

error_t space_change_part(struct space *space, struct map_item *items, uint32_t count,
                          bool protect, uint32_t *done) {
    uint64_t before[WHOLE_MAX];  // of the latest part of the list
    error_t error = OK;
    uint32_t at = 0, part = 0;
    while (at + part < count && error == OK) {
        if (part == WHOLE_MAX) {
            change_report(&items[at], part, before);
            at += part;
            part = 0;
        }
        error = item_change(space, items[at + part].page, protect, &before[part]);
        part += error == OK;
    }
    if (error != OK && count <= WHOLE_MAX) {
        change_undo(space, items, part, protect, before);
        return error;
    }
    change_report(&items[at], part, before);
    *done = at + part;
    return *done == 0 ? error : OK;
}

// What a scan finds in up to 32 entries. The hardware changes no entry meanwhile.
struct found {
    uint32_t accessed, dirty, present;
};

static inline struct found entries_scan(uint64_t *first, uint32_t count) {
    struct found found = {0, 0, 0};
    for (uint64_t *entry = first + count; entry != first;) {
        uint32_t __attribute__((may_alias)) *low = (uint32_t *)--entry;
        found.accessed = bit_take(found.accessed, low, ENTRY_ACCESSED_BIT);
        found.dirty = bit_push(found.dirty, low, ENTRY_DIRTY_BIT);
        found.present = bit_add(found.present, low, ENTRY_PRESENT_BIT);
    }
    return found;
}

uint32_t space_scan(struct space *space, vaddr_t first, uint32_t count, uint32_t bitmap[2][32]) {
    uint32_t present = 0, any = 0;
    for (uint32_t i = 0; i < (count + 63) / 64 * 2; i++) {
        bitmap[0][i] = bitmap[1][i] = 0;
    }
    for (uint32_t i = 0; i < count;) {
        vaddr_t page = first + i * PAGE_SIZE;
        uint32_t end = i + MIN_OF(count - i, ENTRIES - (page >> 12 & 511));
        uint64_t *entry = space_entry(space, page);
        for (uint32_t part; i < end && entry != NULL; i += part, entry += part) {
            part = MIN_OF(end - i, 32 - i % 32);
            struct found found = entries_scan(entry, part);
            bitmap[0][i / 32] |= found.accessed << i % 32;
            bitmap[1][i / 32] |= found.dirty << i % 32;
            any |= found.accessed;
            present += found.present;
        }
        i = end;
    }
    if (any != 0) {
        space_flush(space);
    }
    return present;
}
