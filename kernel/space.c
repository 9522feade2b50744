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

// The hardware may read an entry at any moment: its present half is set last and cleared first.
static void entry_set(uint64_t *entry, uint64_t value) {
    volatile uint32_t *half = (volatile uint32_t *)entry;
    half[1] = (uint32_t)(value >> 32);
    half[0] = (uint32_t)value;
}

static uint64_t entry_clear(uint64_t *entry) {
    volatile uint32_t *half = (volatile uint32_t *)entry;
    uint32_t low = __atomic_exchange_n((uint32_t *)entry, 0, __ATOMIC_SEQ_CST);
    uint32_t high = half[1];
    half[1] = 0;
    return (uint64_t)high << 32 | low;
}

static uint64_t rights_bits(uint32_t rights) {
    return ENTRY_PRESENT | ENTRY_USER | (rights & MAP_WRITE ? ENTRY_WRITE : 0) |
           (rights & MAP_EXECUTE ? 0 : space_no_execute);
}

static void forget(const struct space *space, vaddr_t page) {
    if (space == space_loaded) {
        page_invalidate(page);
    }
}

static uint64_t *table_of(uint64_t directory_entry) {
    return window_address(ENTRY_FRAME(directory_entry));
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
    const uint64_t *directory = space->directory[page >> 30];
    if (directory == NULL || !(directory[page >> 21 & 511] & ENTRY_PRESENT)) {
        return NULL;
    }
    return &table_of(directory[page >> 21 & 511])[page >> 12 & 511];
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

uint64_t *space_entry_make(struct space *space, vaddr_t page) {
    uint64_t *directory = space->directory[page >> 30];
    if (directory == NULL && (directory = directory_make(space, page >> 30)) == NULL) {
        return NULL;
    }
    uint64_t *entry = &directory[page >> 21 & 511];
    if (!(*entry & ENTRY_PRESENT)) {
        uint64_t *table = kalloc_page(space->pool, FRAME_TABLE);
        if (table == NULL) {
            if (frame_entry(window_frame(directory))->maps == 0) {
                directory_free(space, page >> 30);
            }
            return NULL;
        }
        space->tables++;
        frame_entry(window_frame(directory))->maps++;
        entry_set(entry, (uint64_t)window_frame(table) << PAGE_SHIFT | ENTRY_PRESENT |
                             ENTRY_WRITE | ENTRY_USER);
    }
    return &table_of(*entry)[page >> 12 & 511];
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

void space_install(struct space *space, vaddr_t page, uint64_t *entry, frame_t frame,
                   uint32_t rights) {
    (void)page;  // an entry that was not present is in no cache
    frame_entry(frame)->maps++;
    frame_entry(window_frame(entry))->maps++;
    space->mapped++;
    entry_set(entry, (uint64_t)frame << PAGE_SHIFT | rights_bits(rights));
}

uint64_t space_change(struct space *space, vaddr_t page, uint64_t *entry, uint32_t rights) {
    uint64_t before = entry_clear(entry);
    entry_set(entry, (uint64_t)ENTRY_FRAME(before) << PAGE_SHIFT | rights_bits(rights) |
                         (before & (ENTRY_ACCESSED | ENTRY_DIRTY)));
    forget(space, page);
    return before;
}

uint64_t space_remove(struct space *space, vaddr_t page, uint64_t *entry) {
    uint64_t before = entry_clear(entry);
    frame_entry(ENTRY_FRAME(before))->maps--;
    frame_entry(window_frame(entry))->maps--;
    space->mapped--;
    forget(space, page);
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

static error_t item_check(const struct space *space, struct map_item item,
                          const struct pool *owner) {
    vaddr_t page = PAGE_DOWN(item.page);
    uint32_t rights = PAGE_OFFSET(item.page);
    if (!space_page_valid(page)) {
        return E_ADDRESS;
    }
    if (rights & ~MAP_RIGHTS || !(rights & MAP_READ) ||
        (item.frame & FRAME_FLAGS & ~FRAME_ZERO) != 0) {
        return E_ARGUMENT;
    }
    if ((rights & (MAP_WRITE | MAP_EXECUTE)) == (MAP_WRITE | MAP_EXECUTE)) {
        return E_WX;
    }
    if (!frame_owned(ITEM_FRAME(item), pool_number(owner))) {
        return E_OWNER;
    }
    uint64_t *entry = space_entry(space, page);
    return entry != NULL && *entry & ENTRY_PRESENT ? E_MAPPED : OK;
}

error_t space_map(struct space *space, const struct map_item *items, uint32_t count,
                  const struct pool *owner) {
    for (uint32_t i = 0; i < count; i++) {
        error_t error = item_check(space, items[i], owner);
        if (error != OK) {
            return error;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (PAGE_DOWN(items[j].page) == PAGE_DOWN(items[i].page)) {
                return E_MAPPED;
            }
        }
    }
    uint64_t *entry[TAG_ITEMS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        entry[i] = space_entry_make(space, PAGE_DOWN(items[i].page));
        if (entry[i] == NULL) {
            for (uint32_t j = 0; j <= i; j++) {
                space_trim(space, PAGE_DOWN(items[j].page));
            }
            return E_MEMORY;
        }
    }
    // point of no return: nothing below can fail
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].frame & FRAME_ZERO) {
            window_zero(ITEM_FRAME(items[i]));
        }
        space_install(space, PAGE_DOWN(items[i].page), entry[i], ITEM_FRAME(items[i]),
                      PAGE_OFFSET(items[i].page));
    }
    return OK;
}
