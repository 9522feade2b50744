// SPDX-License-Identifier: MIT
// Address spaces with page tables in host memory, against a plain list of pages. The two
// instructions that only a kernel may execute are counted instead.
#include "kernel_host.h"
#include "kernel/window.h"

static uint32_t loads, invalidations;
#define cr3_write hardware_cr3_write
#define page_invalidate hardware_page_invalidate
#include "kernel/cpu.h"
#undef cr3_write
#undef page_invalidate
static void cr3_write(uint32_t value) {
    (void)value;
    loads++;
}
static void page_invalidate(vaddr_t page) {
    (void)page;
    invalidations++;
}
#include "kernel/space.c"
#include "kernel/space_change.c"

enum { FRAMES = 1024, KERNEL = 20, PAGES = 24 };

static struct space space;
static struct pool *root, *payer;

static void start(uint32_t reserved) {
    root = machine_make(FRAMES, KERNEL, FRAMES);
    payer = pool_split(root, reserved, 0, 20);
    space_loaded = NULL;
    space_no_execute_use();
    CHECK_EQUAL(space_create(&space, payer), OK);
}

static void end(void) {
    while (space_destroy(&space, 2) > 0) {
    }
    CHECK_EQUAL(payer->used, 0);
    CHECK_EQUAL(space.mapped, 0);
    machine_check();
}

// Page i: spread over three gigabytes and several tables.
static vaddr_t page_of(uint32_t i) {
    return 0x00400000u + i % 3 * 0x40000000u + i / 3 % 4 * 0x200000u + i / 12 * PAGE_SIZE;
}

static struct map_item item_of(uint32_t i, uint32_t rights, frame_t frame) {
    return (struct map_item){page_of(i) | rights, frame << 8};
}

static error_t map_one(struct map_item item) {
    return space_map_one(&space, &item, root);
}

TEST(space_model, "2,000 random maps, changes and removals agree with a plain list") {
    start(100);
    frame_t mapped[PAGES] = {0};
    frame_t frame[PAGES];
    for (uint32_t i = 0; i < PAGES; i++) {
        frame[i] = pool_take(root, FRAME_USER);
    }
    uint32_t state = 11, count = 0;
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t i = roll(&state) % PAGES, k = roll(&state) % PAGES;
        vaddr_t page = page_of(i);
        uint64_t *entry = space_entry(&space, page);
        bool present = entry != NULL && *entry & ENTRY_PRESENT;
        CHECK(present == (mapped[i] != 0));
        if (!present) {
            struct map_item item = item_of(i, MAP_READ | MAP_WRITE, frame[k]);
            CHECK_EQUAL(map_one(item), OK);
            mapped[i] = frame[k];
            count++;
        } else if (roll(&state) % 2 == 0) {
            *entry |= ENTRY_DIRTY;
            struct map_item item = item_of(i, MAP_READ, 0);
            CHECK_EQUAL(space_protect_one(&space, &item), OK);
            CHECK_EQUAL(ITEM_FRAME(item), mapped[i]);
            CHECK(*entry & ENTRY_DIRTY && !(*entry & ENTRY_WRITE));
        } else {
            CHECK_EQUAL(space_remove(&space, page, entry) >> 8, mapped[i]);
            mapped[i] = 0;
            count--;
            (void)space_trim(&space, page);
        }
        CHECK_EQUAL(space.mapped, count);
        CHECK_EQUAL(payer->used, space.tables + 1);  // and the frame of the pointer table
    }
    end();
}

TEST(space_rights, "entries carry exactly the rights asked for, user always, execute only if said") {
    start(50);
    frame_t frame = pool_take(root, FRAME_USER);
    const struct {
        uint32_t rights;
        uint64_t bits;
    } kinds[] = {{MAP_READ, ENTRY_PRESENT | ENTRY_USER | ENTRY_NO_EXECUTE},
                 {MAP_READ | MAP_WRITE,
                  ENTRY_PRESENT | ENTRY_USER | ENTRY_WRITE | ENTRY_NO_EXECUTE},
                 {MAP_READ | MAP_EXECUTE, ENTRY_PRESENT | ENTRY_USER}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        struct map_item item = item_of(i, kinds[i].rights, frame);
        CHECK_EQUAL(map_one(item), OK);
        CHECK(*space_entry(&space, page_of(i)) ==
              (kinds[i].bits | (uint64_t)frame << PAGE_SHIFT));
    }
    struct map_item wrong = item_of(5, MAP_RIGHTS, frame);
    CHECK_EQUAL(map_one(wrong), E_WX);
    end();
}

TEST(space_map_fails_whole, "when the n-th page table cannot be paid nothing is mapped, for all n") {
    frame_t frame;
    for (uint32_t reserved = 1;; reserved++) {
        start(reserved);
        frame = pool_take(root, FRAME_USER);
        struct map_item items[12];
        uint32_t done;
        for (uint32_t i = 0; i < 12; i++) {
            items[i] = item_of(i, MAP_READ, frame);
        }
        error_t error = space_map(&space, items, 12, root, &done);
        if (error == OK) {
            CHECK_EQUAL(reserved, 1 + 3 + 12);  // pointers, three directories, twelve tables
            end();
            return;
        }
        CHECK_EQUAL(error, E_MEMORY);
        CHECK_EQUAL(space.mapped, 0);
        CHECK_EQUAL(space.tables, 0);
        CHECK_EQUAL(payer->used, 1);
        CHECK_EQUAL(frame_entry(frame)->maps, 0);
        machine_check();
        end();
    }
}

TEST(space_tlb, "entries of the loaded space are invalidated; a new directory reloads CR3") {
    start(50);
    frame_t frame = pool_take(root, FRAME_USER);
    struct map_item item = item_of(0, MAP_READ, frame);
    loads = invalidations = 0;
    CHECK_EQUAL(map_one(item), OK);
    space_remove(&space, page_of(0), space_entry(&space, page_of(0)));
    CHECK_EQUAL(loads + invalidations, 0);  // it is not loaded: nothing of it is cached
    CHECK(space_trim(&space, page_of(0)));
    space_load(&space);
    space_load(&space);
    CHECK_EQUAL(loads, 1);
    CHECK_EQUAL(map_one(item), OK);
    CHECK_EQUAL(loads, 2);
    struct map_item wider = item_of(0, MAP_READ | MAP_WRITE, 0);
    CHECK_EQUAL(space_protect_one(&space, &wider), OK);
    CHECK_EQUAL(invalidations, 0);  // nobody used it
    *space_entry(&space, page_of(0)) |= ENTRY_ACCESSED;
    CHECK_EQUAL(space_protect_one(&space, &wider), OK);
    CHECK_EQUAL(invalidations, 1);
    space_remove(&space, page_of(0), space_entry(&space, page_of(0)));
    CHECK_EQUAL(invalidations, 2);
    CHECK(space_trim(&space, page_of(0)));
    CHECK(loads > 2);
    CHECK(!space_trim(&space, page_of(0)));
    end();
}

TEST(space_destroy_slices, "a space goes in slices, gives all back, and is never left loaded") {
    start(100);
    frame_t frame = pool_take(root, FRAME_USER);
    for (uint32_t i = 0; i < PAGES; i++) {
        struct map_item item = item_of(i, MAP_READ, frame);
        CHECK_EQUAL(map_one(item), OK);
    }
    CHECK_EQUAL(frame_entry(frame)->maps, PAGES);
    space_load(&space);
    uint32_t before = space.tables, slices = 0, left;
    do {
        left = space_destroy(&space, 2);
        CHECK(left < before && space_loaded == NULL);
        before = left;
        slices++;
    } while (left > 0);
    CHECK(slices > 3);
    CHECK_EQUAL(frame_entry(frame)->maps, 0);
    CHECK_EQUAL(payer->used, 0);
    machine_check();
}
