// SPDX-License-Identifier: MIT
// The pager's core on the model machine, with a store that is slow, full, absent or broken, and
// with memory that ends.
#include <string.h>

#include "audit.h"
#include "control.h"
#include "mapping.h"
#include "pager_load.h"
#include "tests/test.h"
#include "transfer.h"

// ---- a slow store ----------------------------------------------------------------------------

// Programs that were refused are replaced by new ones.
static void refused_replace(void) {
    for (uint32_t i = 0; i < MODEL_TASKS * MODEL_THREADS; i++) {
        struct model_task *task = &model.task[i / MODEL_THREADS];
        if (task->number != 0 && task->thread[i % MODEL_THREADS].state == THREAD_REFUSED) {
            CHECK(domain_find(task->number)->reason_length > 0);
            model_kill(task);
            (void)load_program_start();
        }
    }
}

TEST(pager_store_tight, "with a store nearly full, and full, nothing is lost but programs") {
    for (uint32_t seed = 1; seed <= 8; seed++) {
        load_begin(500, 60 + seed * 20, seed);
        model.slowness = seed % 2 * 6;
        CHECK_EQUAL(load_limit(64), OK);
        load_run(2, 0, TROUBLE_NONE);
        for (uint32_t i = 0; i < 20000; i++) {
            load_step(TROUBLE_NONE);
            refused_replace();
            if (i % 256 == 0) {
                CHECK_EQUAL(audit_count(), 0);
            }
        }
        CHECK(domain_find(load_next_number - 1) != NULL);
        load_finish();
    }
}

static uint32_t heap_state(struct model_task *task, uint32_t place) {
    return ENTRY_STATE(pagemap_get(&domain_find(task->number)->pages, load_place_page(place)));
}

// A page whose first write is held up by the block server; it was rescued by an access.
static struct model_task *page_rescued(bool write) {
    load_begin(400, 1000, 9);
    load_policy_use("fifo");
    CHECK_EQUAL(load_limit(64), OK);
    struct model_task *task = load_program_start();
    load_write_all(task, 0, 64);
    model.hold = true;
    load_write_all(task, 64, 1);
    while (model.begun == 0) {  // half of the old contents is on its way
        model_block_step();
    }
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    load_touch(task, 0, write);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_RESIDENT);
    return task;
}

static void page_read_back(struct model_task *task) {
    model_block_drain();
    load_write_all(task, 140, 100);
    model_block_drain();
    CHECK_EQUAL(heap_state(task, 0), ENTRY_STORED);
    load_touch(task, 0, false);
    model_block_drain();
    load_touch(task, 0, false);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_RESIDENT);
    load_finish();
}

TEST(pager_rescue_unchanged, "a page that was rescued and not changed needs no second write") {
    struct model_task *task = page_rescued(false);
    load_write_all(task, 70, 70);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    uint32_t slot = ENTRY_VALUE(pagemap_get(&domain_find(task->number)->pages, load_place_page(0)));
    CHECK(!framelist_at(slot)->again);
    page_read_back(task);
}

TEST(pager_rescue_changed, "a page that changes while it is being written is written once more") {
    struct model_task *task = page_rescued(true);
    load_write_all(task, 70, 70);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    page_read_back(task);
}

TEST(pager_rescue_twice, "a page that waits for its second write can be rescued and is not lost") {
    struct model_task *task = page_rescued(true);
    load_write_all(task, 70, 70);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    load_touch(task, 0, false);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_RESIDENT);
    page_read_back(task);
}

TEST(pager_rescue_fails, "a page whose write failed after it was rescued is written once more") {
    struct model_task *task = page_rescued(false);
    model_block_step();
    model.io_errors = 1;
    model.hold = false;
    while (transfer_errors == 0 && framelist_at(ENTRY_VALUE(pagemap_get(
               &domain_find(task->number)->pages, load_place_page(0))))->busy) {
        model_block_step();
    }
    model.io_errors = 0;
    page_read_back(task);
}

// ---- nothing left ----------------------------------------------------------------------------

TEST(pager_ghost_waits, "a page that comes back and waits for room is remembered until there is some") {
    load_begin(400, 1000, 9);
    load_policy_use("2q");
    CHECK_EQUAL(load_limit(64), OK);
    struct model_task *task = load_program_start();
    load_write_all(task, 0, 100);
    model_block_drain();
    const struct domain *domain = domain_find(task->number);
    uint32_t place = 99;  // the last that left: fewer frames have fewer ghosts
    while (place > 0 && resident_ghost(domain, load_place_page(place)) == POLICY_NONE) {
        place--;
    }
    uint32_t page = load_place_page(place);
    uint32_t mark = resident_ghost(domain, page), value[MODEL_WORDS];
    model.hold = true;
    CHECK_EQUAL(load_limit(16), OK);  // more pages are too many than can be written at a time
    CHECK(!model_access(&task->thread[0], page, false, value));
    CHECK(task->thread[0].state == THREAD_WAITS);
    CHECK_EQUAL(resident_ghost(domain, page), mark);
    model.hold = false;
    model_block_drain();
    CHECK(task->thread[0].state == THREAD_RUNS);
    CHECK(ENTRY_STATE(pagemap_get(&domain->pages, page)) == ENTRY_RESIDENT);
    CHECK(domain->resident <= 16);
    load_finish();
}

TEST(pager_store_full, "with a full store the program that needs room is refused, others go on") {
    load_begin(300, 40, 7);
    CHECK_EQUAL(load_limit(40), OK);
    struct model_task *greedy = load_program_start(), *modest = load_program_start();
    load_touch(modest, 0, true);
    uint32_t filled = load_fill(greedy);
    CHECK(filled >= 70 && filled < LOAD_HEAP_PAGES);
    CHECK_EQUAL(greedy->thread[0].error, E_FULL);
    CHECK(strstr(domain_find(greedy->number)->reason, "memory and the store are full") != NULL);
    for (uint32_t place = 0; place < filled; place++) {  // what it wrote is not lost either
        if (greedy->entry[load_place_page(place)].frame != 0) {
            load_touch(greedy, place, false);
        }
    }
    for (uint32_t place = 0; place < 20; place++) {
        load_touch(modest, place, true);
    }
    CHECK_EQUAL(modest->thread[0].state, THREAD_RUNS);
    CHECK_EQUAL(audit_count(), 0);
    model_kill(greedy);
    CHECK(load_fill(modest) > 60);
    load_finish();
}

TEST(pager_store_absent, "without a store programs live in their limit, and die of more") {
    load_begin(300, 0, 7);
    CHECK_EQUAL(load_limit(40), OK);
    struct model_task *task = load_program_start();
    uint32_t filled = load_fill(task);
    CHECK(filled >= 30 && filled <= 40);
    CHECK_EQUAL(task->thread[0].state, THREAD_REFUSED);
    CHECK(strstr(domain_find(task->number)->reason, "there is no store") != NULL);
    load_finish();
}

TEST(pager_clean_pages_need_no_store, "pages that were only read leave memory without a store") {
    load_begin(300, 0, 7);
    CHECK_EQUAL(load_limit(16), OK);
    struct model_task *task = load_program_start();
    vaddr_t address;
    CHECK_EQUAL(mapping_add(domain_find(task->number), LAYOUT_USER_FIRST, 2 * PAGE_SIZE, MAP_READ,
                            MAPPING_NO_FILE, 0, &address), OK);
    CHECK_EQUAL(address, LAYOUT_USER_FIRST);
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t value[MODEL_WORDS];
        CHECK(!model_access(&task->thread[0], LAYOUT_USER_FIRST / PAGE_SIZE, false, value));
        for (uint32_t place = 0; place < LOAD_PLACES; place++) {
            load_touch(task, place, false);
        }
    }
    CHECK_EQUAL(task->thread[0].state, THREAD_RUNS);
    CHECK(domain_find(task->number)->counters.evictions > 2 * LOAD_PLACES);
    CHECK_EQUAL(domain_find(task->number)->counters.written, 0);
    load_finish();
}

TEST(pager_io_errors, "failed transfers end in refusals, never in wrong contents or a hang") {
    for (uint32_t seed = 1; seed <= 8; seed++) {
        load_begin(400, 1500, seed);
        model.io_errors = 60;
        model.slowness = seed % 2 * 6;
        CHECK_EQUAL(load_limit(40), OK);
        load_run(3, 20000, TROUBLE_KILLS);
        model.io_errors = 0;
        load_finish();
    }
}

TEST(pager_store_dies, "when every transfer fails, programs are refused in words and none hangs") {
    load_begin(400, 1500, 5);
    CHECK_EQUAL(load_limit(40), OK);
    struct model_task *reader = load_program_start(), *writer = load_program_start();
    for (uint32_t place = 0; place < 60; place++) {
        while (load_version[reader - model.task][place] == 0) {
            load_touch(reader, place, true);
            model_block_step();
        }
    }
    model_block_drain();
    model.io_errors = 1;
    load_touch(reader, 0, false);
    model_block_drain();
    CHECK_EQUAL(reader->thread[0].state, THREAD_REFUSED);
    CHECK(strstr(domain_find(reader->number)->reason, "could not read the page back") != NULL);
    CHECK(load_fill(writer) < LOAD_HEAP_PAGES);
    CHECK(strstr(domain_find(writer->number)->reason, "the store reports errors") != NULL);
    model.io_errors = 0;
    load_finish();
}

TEST(pager_no_page_tables, "without memory for page tables a fault is refused, nothing is lost") {
    load_begin(200, 100, 3);
    struct model_task *task = load_program_start();
    uint32_t filled = 0;
    while (model.taken < model.frames || framelist_idle > FRAMES_SPARE) {
        load_write_all(task, filled++, 1);
    }
    load_write_all(task, filled, 40);  // and of the spare ones none is zeroed any more
    load_advise_at(task, 1, filled + 39);
    load_touch(task, 0, true);
    model.entries_left = 0;
    uint32_t value[MODEL_WORDS];
    CHECK(!model_access(&task->thread[0], load_place_page(1), false, value));
    CHECK_EQUAL(task->thread[0].error, E_MEMORY);
    CHECK_EQUAL(audit_count(), 0);
    model.entries_left = UINT32_MAX;
    task->thread[0].state = THREAD_RUNS;
    load_touch(task, 0, false);
    load_touch(task, 1, false);  // zeros, whatever its frame held before
    load_touch(task, 1, true);
    load_touch(task, 1, false);
    load_finish();
}

TEST(pager_memory_ends_anywhere, "a pool of any size refuses or serves, and never breaks a law") {
    for (uint32_t frames = 1; frames < 130; frames++) {
        load_begin(frames, 0, frames);
        struct model_task *task = model_admit(MODEL_NUMBER_FIRST);
        if (task != NULL) {
            vaddr_t address;
            load_next_number++;
            memset(load_version[task - model.task], 0, sizeof load_version[0]);
            CHECK_EQUAL(mapping_add(domain_find(task->number), 0, LOAD_HEAP_PAGES * PAGE_SIZE,
                                    MAP_READ | MAP_WRITE, MAPPING_NO_FILE, 0, &address), OK);
            (void)load_fill(task);
        }
        CHECK_EQUAL(audit_count(), 0);
        load_finish();
    }
}
