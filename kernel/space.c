// SPDX-License-Identifier: MIT
#include "space_entry.h"
#include "kalloc.h"

pte_t kernel_page_directory[ENTRIES] __attribute__((aligned(4096)));
pte_t boot_directory_pointers[4] __attribute__((aligned(32)));
uint64_t space_no_execute;
struct space *space_loaded;
uint64_t space_loads;

uint32_t space_high[MAP_RIGHTS + 1] = {
    ENTRY_PRESENT, 0, ENTRY_PRESENT, 0, ENTRY_PRESENT, 0, ENTRY_PRESENT, ENTRY_PRESENT};

void space_no_execute_use(void) {
    space_no_execute = ENTRY_NO_EXECUTE;
    space_high[MAP_READ] = space_high[MAP_READ | MAP_WRITE] = ENTRY_NO_EXECUTE >> 32;
}

error_t space_create(struct space *space, struct pool *pool) {
    *space = (struct space){.pool = pool};
    space->pointers = kalloc(pool, 4 * sizeof(pte_t));
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

pte_t *space_entry(const struct space *space, vaddr_t page) {
    pte_t *table = table_find(space, page);
    return table == NULL ? NULL : &table[page >> 12 & 511];
}

// Let an entry name a table. Tables are low, and never move while they are named.
static void entry_point(pte_t *entry, const void *table, uint32_t bits) {
    entry_set((half_t *)entry, window_frame(table) << PAGE_SHIFT | bits, 0);
}

// Returns its low half.
static uint32_t entry_clear(pte_t *entry) {
    half_t *half = (half_t *)entry;
    uint32_t low = entry_take(half);
    half[1] = 0;
    return low;
}

// A changed page-directory-pointer entry is seen by the CPU only when CR3 is loaded (SDM 4.4.1).
static pte_t *directory_make(struct space *space, uint32_t gigabyte) {
    pte_t *directory = kalloc_page(space->pool, FRAME_TABLE);
    if (directory == NULL) {
        return NULL;
    }
    space->directory[gigabyte] = directory;
    space->tables++;
    entry_point(&space->pointers[gigabyte], directory, ENTRY_PRESENT);
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

pte_t *table_make(struct space *space, vaddr_t page) {
    pte_t *directory = space->directory[page >> 30];
    if (directory == NULL && (directory = directory_make(space, page >> 30)) == NULL) {
        return NULL;
    }
    pte_t *table = kalloc_page(space->pool, FRAME_TABLE);
    frame_t own = window_frame(directory);
    if (table == NULL) {
        if (frame_entry(own)->maps == 0) {
            directory_free(space, page >> 30);
        }
        return NULL;
    }
    space->tables++;
    frame_entry(own)->maps++;
    entry_point(&directory[page >> 21 & 511], table, ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER);
    return table;
}

pte_t *space_entry_make(struct space *space, vaddr_t page) {
    pte_t *table = table_find(space, page);
    table = table != NULL ? table : table_make(space, page);
    return table == NULL ? NULL : &table[page >> 12 & 511];
}

bool space_trim(struct space *space, vaddr_t page) {
    pte_t *directory = space->directory[page >> 30];
    pte_t *entry = directory == NULL ? NULL : &directory[page >> 21 & 511];
    if (entry == NULL || !(entry_low(*entry) & ENTRY_PRESENT) ||
        frame_entry(table_frame(entry_low(*entry)))->maps != 0) {
        return false;
    }
    frame_t table = table_frame(entry_clear(entry));
    frame_entry(window_frame(directory))->maps--;
    space->tables--;
    if (frame_entry(window_frame(directory))->maps == 0) {
        directory_free(space, page >> 30);
    }
    space_flush(space);  // paging-structure caches may hold the directory entry (SDM 4.10.3)
    pool_release(space->pool, table);
    return true;
}

// An entry that was not present is in no cache.
static void install(struct space *space, pte_t *entry, frame_t frame, uint32_t bits,
                    uint32_t high) {
    entry_count(space, entry, 1);
    entry_set((half_t *)entry, frame << PAGE_SHIFT | bits | ENTRY_USER, frame >> 20 | high);
}

void space_install(struct space *space, pte_t *entry, frame_t frame, uint32_t rights) {
    bool fixed = frame_entry(frame)->type != FRAME_USER;
    frame_entry(frame)->maps++;
    install(space, entry, frame, rights | (fixed ? ENTRY_FIXED : 0), space_high[rights]);
}

void space_install_device(struct space *space, pte_t *entry, frame_t frame) {
    install(space, entry, frame,
            ENTRY_PRESENT | ENTRY_WRITE | ENTRY_UNCACHED | ENTRY_DEVICE | ENTRY_FIXED,
            space_high[MAP_READ | MAP_WRITE]);
}

uint32_t space_remove(struct space *space, vaddr_t page, pte_t *entry) {
    half_t *half = (half_t *)entry;
    uint32_t low = entry_take(half), word = entry_report(low, half[1]);
    half[1] = 0;
    if (!(low & ENTRY_DEVICE)) {
        frame_entry(word >> 8)->maps--;
    }
    entry_count(space, entry, -1u);
    entry_forget(space, page, low);
    return word;
}

void space_flush(struct space *space) {
    if (space == space_loaded) {
        space_loaded = NULL;
        space_load(space);
    }
}

static void table_wipe(struct space *space, pte_t *table) {
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (entry_low(table[i]) & ENTRY_PRESENT) {
            space_remove(space, 0, &table[i]);
        }
    }
}

static uint32_t directory_destroy(struct space *space, uint32_t gigabyte, uint32_t steps) {
    pte_t *directory = space->directory[gigabyte];
    for (uint32_t i = 0; i < ENTRIES && steps > 0; i++) {
        if (entry_low(directory[i]) & ENTRY_PRESENT) {
            frame_t table = table_frame(entry_low(directory[i]));
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
