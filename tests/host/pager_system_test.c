// SPDX-License-Identifier: MIT
// The pager's core on the model machine: programs touch memory at random, and every word that they
// read is what they wrote last, whatever is evicted, killed, changed or broken meanwhile.
#include <string.h>

#include "audit.h"
#include "control.h"
#include "mapping.h"
#include "pager_model.h"
#include "program.h"
#include "resident.h"
#include "tests/test.h"
#include "transfer.h"

#define HEAP_FIRST (LAYOUT_MAP_FIRST / PAGE_SIZE)
#define HEAP_PAGES 300u
#define DATA_FIRST 0x0804cu
#define DATA_PAGES 8u
#define TEXT_FIRST 0x08048u
#define STACK_PAGES 16u
#define STACK_FIRST (LAYOUT_STACK_TOP / PAGE_SIZE - STACK_PAGES)
#define PLACES (HEAP_PAGES + DATA_PAGES + STACK_PAGES)

// What a program remembers of its own memory: the version of each page, 0: not written yet.
static uint32_t version[MODEL_TASKS][PLACES];
static uint32_t next_number;

static uint32_t place_page(uint32_t place) {
    if (place < HEAP_PAGES) {
        return HEAP_FIRST + place;
    }
    place -= HEAP_PAGES;
    return place < DATA_PAGES ? DATA_FIRST + place : STACK_FIRST + place - DATA_PAGES;
}

static uint32_t word_expected(const struct model_task *task, uint32_t place, uint32_t word) {
    uint32_t v = version[task - model.task][place];
    if (v != 0) {
        return (task->number << 24 ^ place << 12 ^ v) * 2654435761u + word;
    }
    uint32_t data = place - HEAP_PAGES;  // pages 2, 3, 4 and half of 5 of the file, then zeros
    if (place < HEAP_PAGES || data > 3 || (data == 3 && word >= MODEL_WORDS / 2)) {
        return 0;
    }
    return model_file_word(data + 2, word);
}

// One access that the program makes until it goes through or has to wait.
static void thread_touch(struct model_thread *thread, uint32_t place, bool write) {
    struct model_task *task = thread->task;
    uint32_t value[MODEL_WORDS], *v = &version[task - model.task][place];
    if (write) {
        ++*v;
        for (uint32_t word = 0; word < MODEL_WORDS; word++) {
            value[word] = word_expected(task, place, word);
        }
    }
    for (uint32_t tries = 0; tries < 3; tries++) {
        if (model_access(thread, place_page(place), write, value)) {
            for (uint32_t word = 0; word < MODEL_WORDS; word++) {
                CHECK_EQUAL(value[word], word_expected(task, place, word));
            }
            return;
        }
        if (thread->state != THREAD_RUNS) {
            break;
        }
    }
    *v -= write;
}

static void touch(struct model_task *task, uint32_t place, bool write) {
    thread_touch(&task->thread[0], place, write);
}

static struct model_task *program_start(void) {
    vaddr_t address = 0;
    struct model_task *task = model_admit(next_number++);
    if (task != NULL) {
        memset(version[task - model.task], 0, sizeof version[0]);
        CHECK_EQUAL(mapping_add(domain_find(task->number), 0, HEAP_PAGES * PAGE_SIZE,
                                MAP_READ | MAP_WRITE, MAPPING_NO_FILE, 0, &address), OK);
        CHECK_EQUAL(address, LAYOUT_MAP_FIRST);
    }
    return task;
}

static void begin(uint32_t frames, uint32_t store_pages, uint32_t seed) {
    model_start(frames, store_pages, seed);
    next_number = MODEL_NUMBER_FIRST;
}

static void finish(void) {
    for (uint32_t i = 0; i < MODEL_TASKS; i++) {
        if (model.task[i].number != 0) {
            model_kill(&model.task[i]);
        }
    }
    model_block_drain();
    CHECK_EQUAL(audit_count(), 0);
    CHECK_EQUAL(resident_faults(), 0);
    model_check_empty();
    model_replay();
    model_stop();
}

// Some pages are used more than others.
static uint32_t place_draw(void) {
    return model_random(3) == 0 ? model_random(PLACES) : model_random(PLACES / 8) * 8;
}

static struct model_thread *runner_draw(void) {
    struct model_task *task = &model.task[model_random(MODEL_TASKS)];
    struct model_thread *thread = &task->thread[model_random(MODEL_THREADS)];
    return task->number != 0 && thread->state == THREAD_RUNS ? thread : NULL;
}

static void advise_at(struct model_task *task, uint32_t place, uint32_t pages) {
    CHECK_EQUAL(mapping_advise(domain_find(task->number), place_page(place) * PAGE_SIZE,
                               pages * PAGE_SIZE, ADVICE_FREE), OK);
    memset(&version[task - model.task][place], 0, pages * sizeof(uint32_t));
}

static void advise_one(struct model_task *task) {
    advise_at(task, model_random(HEAP_PAGES - 8), 1 + model_random(8));
}

static void protect_one(struct model_task *task) {
    static const uint8_t rights[] = {0, MAP_READ, MAP_READ | MAP_EXECUTE};
    vaddr_t address = place_page(model_random(HEAP_PAGES - 8)) * PAGE_SIZE;
    struct domain *domain = domain_find(task->number);
    CHECK_EQUAL(mapping_protect(domain, address, 8 * PAGE_SIZE, rights[model_random(3)]), OK);
    CHECK_EQUAL(mapping_protect(domain, address, 8 * PAGE_SIZE, MAP_READ | MAP_WRITE), OK);
}

static void remap_one(struct model_task *task) {
    uint32_t place = model_random(HEAP_PAGES - 8), pages = 1 + model_random(8);
    vaddr_t at = place_page(place) * PAGE_SIZE, address;
    struct domain *domain = domain_find(task->number);
    CHECK_EQUAL(mapping_remove(domain, at, pages * PAGE_SIZE), OK);
    CHECK_EQUAL(mapping_add(domain, at, pages * PAGE_SIZE, MAP_READ | MAP_WRITE, MAPPING_NO_FILE,
                            0, &address), OK);
    CHECK_EQUAL(address, at);
    memset(&version[task - model.task][place], 0, pages * sizeof(uint32_t));
}

static void control_one(void) {
    static const field_name names[] = {{"fifo"}, {"clock"}, {"sieve"}, {"clock_r1"}};
    if (model_random(2)) {
        CHECK_EQUAL(control_policy_set(&names[model_random(4)]), OK);
    } else {
        CHECK_EQUAL(control_limit_set(model_random(4) == 0 ? 0 : LIMIT_MIN + model_random(100)), OK);
    }
}

enum trouble { TROUBLE_NONE = 0, TROUBLE_CHANGES = 1, TROUBLE_KILLS = 2 };

static void step(enum trouble trouble) {
    struct model_thread *thread = runner_draw();
    uint32_t dice = model_random(200);
    model_block_step();
    if (thread == NULL) {
        return;
    }
    struct model_task *task = thread->task;
    if (dice == 0 && (trouble & TROUBLE_KILLS)) {
        model_kill(task);
        (void)program_start();
    } else if (dice == 1 && (trouble & TROUBLE_CHANGES)) {
        control_one();
    } else if (dice == 2) {
        advise_one(task);
    } else if (dice == 3) {
        protect_one(task);
    } else if (dice == 4) {
        remap_one(task);
    } else {
        thread_touch(thread, place_draw(), model_random(3) == 0);
    }
}

static void run(uint32_t programs, uint32_t steps, enum trouble trouble) {
    for (uint32_t i = 0; i < programs; i++) {
        CHECK(program_start() != NULL);
    }
    for (uint32_t i = 0; i < steps; i++) {
        step(trouble);
        if (i % 256 == 0) {
            CHECK_EQUAL(audit_count(), 0);
        }
    }
}

static void policy_use(const char *text) {
    field_name name = {{0}};
    strcpy(name.bytes, text);
    CHECK_EQUAL(control_policy_set(&name), OK);
}

// ---- rejections ------------------------------------------------------------------------------

TEST(pager_rejects_addresses, "misaligned, wrapping, empty and kernel ranges are refused") {
    begin(256, 100, 1);
    struct domain *domain = domain_find(program_start()->number);
    vaddr_t address;
    uint32_t state;
    const uint32_t rw = MAP_READ | MAP_WRITE;
#define ADD(hint, length, rights, file, offset) \
    mapping_add(domain, hint, length, rights, file, offset, &address)
    CHECK_EQUAL(ADD(0, 0, rw, MAPPING_NO_FILE, 0), E_ARGUMENT);
    CHECK_EQUAL(ADD(0, UINT32_MAX, rw, MAPPING_NO_FILE, 0), E_ARGUMENT);
    CHECK_EQUAL(ADD(0, 0x90000000, rw, MAPPING_NO_FILE, 0), E_MEMORY);
    CHECK_EQUAL(ADD(0x50000001, 4096, rw, MAPPING_NO_FILE, 0), E_ADDRESS);
    CHECK_EQUAL(ADD(0x1000, 4096, rw, MAPPING_NO_FILE, 0), E_ADDRESS);
    CHECK_EQUAL(ADD(0xc0000000, 4096, rw, MAPPING_NO_FILE, 0), E_ADDRESS);
    CHECK_EQUAL(ADD(0xaffff000, 8192, rw, MAPPING_NO_FILE, 0), E_ADDRESS);
    CHECK_EQUAL(ADD(0, 4096, 8, MAPPING_NO_FILE, 0), E_ARGUMENT);
    CHECK_EQUAL(ADD(0, 4096, MAP_RIGHTS, MAPPING_NO_FILE, 0), E_WX);
    CHECK_EQUAL(ADD(0, 4096, MAP_READ, 7, 0), E_NOT_FOUND);
    CHECK_EQUAL(ADD(0, 4096, MAP_READ, 0, 1), E_ARGUMENT);
    CHECK_EQUAL(ADD(0, 4096, MAP_READ, 0, MODEL_MODULE_PAGES * PAGE_SIZE), E_ARGUMENT);
    CHECK_EQUAL(ADD(0, 8192, MAP_READ, 0, (MODEL_MODULE_PAGES - 1) * PAGE_SIZE), E_ARGUMENT);
    CHECK_EQUAL(mapping_remove(domain, 0x40000001, 4096), E_ADDRESS);
    CHECK_EQUAL(mapping_remove(domain, 0x40000000, 0), E_ARGUMENT);
    CHECK_EQUAL(mapping_remove(domain, 0x40000000, UINT32_MAX), E_ADDRESS);
    CHECK_EQUAL(mapping_remove(domain, LAYOUT_BUFFER, 4096), E_ADDRESS);
    CHECK_EQUAL(mapping_remove(domain, 0xfffff000, 4096), E_ADDRESS);
    CHECK_EQUAL(mapping_protect(domain, 0x40000000, 4096, MAP_RIGHTS), E_WX);
    CHECK_EQUAL(mapping_protect(domain, 0x7fff0000, 4096, MAP_READ), E_UNMAPPED);
    CHECK_EQUAL(mapping_advise(domain, 0x40000000, 4096, 99), E_ARGUMENT);
    CHECK_EQUAL(mapping_state(domain, LAYOUT_KERNEL, &state), E_ADDRESS);
    CHECK_EQUAL(mapping_state(domain, 0x40000800, &state), E_ADDRESS);
    CHECK_EQUAL(mapping_state(domain, 0x7fff0000, &state), OK);
    CHECK_EQUAL(state, PAGE_STATE_NONE);
    CHECK_EQUAL(audit_count(), 0);
    finish();
}

TEST(pager_refuses_faults, "faults that nobody can serve are refused with a sentence") {
    begin(256, 100, 1);
    struct model_task *task = program_start();
    struct domain *domain = domain_find(task->number);
    uint32_t value[MODEL_WORDS] = {0};
    CHECK(!model_access(&task->thread[0], 0x7fff0, false, value));
    CHECK_EQUAL(task->thread[0].state, THREAD_REFUSED);
    CHECK_TEXT(domain->reason,
               "read of 0x7fff0123 at eip 0x08048200: no memory is mapped there");
    CHECK(!model_access(&task->thread[0], TEXT_FIRST, true, value));
    CHECK_TEXT(domain->reason, "write of 0x08048123 at eip 0x08048200: the page is read-only");
    uint32_t guard = (LAYOUT_STACK_TOP - LAYOUT_STACK_SIZE) / PAGE_SIZE - 1;
    CHECK(!model_access(&task->thread[0], guard, true, value));
    CHECK_TEXT(domain->reason, "write of 0xbfdff123 at eip 0x08048200: the stack is full");
    struct fault fault = {LABEL_fault_exception, task->number, 9, 6, 0x08048200};
    struct answer answer;
    demand_serve(&fault, &answer);
    CHECK_EQUAL(answer.kind, ANSWER_ERROR);
    CHECK_TEXT(domain->reason, "invalid instruction at eip 0x08048200");
    fault = (struct fault){LABEL_fault_read, 999, 9, 0x08048000, 0};
    demand_serve(&fault, &answer);
    CHECK_EQUAL(answer.kind, ANSWER_ERROR);
    finish();
}

TEST(pager_refuses_programs, "unknown modules, taken numbers and too many programs are refused") {
    begin(512, 100, 1);
    struct program_start start;
    field_name name = {"nothing"};
    CHECK_EQUAL(program_admit(50, HANDLE(SLOT_FREE), &name, &start), E_NOT_FOUND);
    CHECK_TEXT(domain_recall(50)->reason, "module nothing does not exist");
    struct model_task *task = program_start();
    field_name program = {"program"};
    CHECK_EQUAL(program_admit(task->number, HANDLE(SLOT_FREE + 1), &program, &start), E_STATE);
    CHECK_EQUAL(program_retire(999), E_NOT_FOUND);
    finish();
}

TEST(pager_rejects_control, "unknown policies, tiny limits and plans for the past are refused") {
    begin(256, 100, 1);
    field_name unknown = {"lru?"}, fifo = {"fifo"}, endless;
    memset(&endless, 'x', sizeof endless);
    CHECK_EQUAL(control_policy_set(&unknown), E_NOT_FOUND);
    CHECK_EQUAL(control_policy_set(&endless), E_NOT_FOUND);
    CHECK_EQUAL(control_limit_set(LIMIT_MIN - 1), E_ARGUMENT);
    CHECK_EQUAL(control_policy_plan(0, &fifo), E_ARGUMENT);
    CHECK_EQUAL(control_policy_plan(10, &unknown), E_NOT_FOUND);
    finish();
}

// ---- loads -----------------------------------------------------------------------------------

TEST(pager_keeps_contents, "under every policy and limit programs read what they wrote") {
    static const char *const names[] = {"fifo", "clock", "clock_r1", "sieve"};
    static const uint32_t limits[] = {LIMIT_MIN, 20, 64, 150};
    for (uint32_t i = 0; i < 16; i++) {
        test_case(names[i % 4]);
        begin(800, 1500, i + 1);
        model.slowness = i % 3 * 6;
        policy_use(names[i % 4]);
        CHECK_EQUAL(control_limit_set(limits[i / 4]), OK);
        run(3, 20000, TROUBLE_NONE);
        CHECK(domain_find(MODEL_NUMBER_FIRST)->counters.evictions > 0);
        finish();
    }
}

TEST(pager_pool_is_small, "without limits programs share a pool that is too small for them") {
    for (uint32_t seed = 1; seed <= 6; seed++) {
        begin(200 + seed * 10, 1500, seed);
        policy_use(seed % 2 ? "sieve" : "clock");
        run(3, 20000, TROUBLE_NONE);
        finish();
    }
}

TEST(pager_survives_changes, "policies and limits change and programs die in the middle of it all") {
    for (uint32_t seed = 1; seed <= 12; seed++) {
        begin(500, 1500, seed);
        model.slowness = seed % 3 * 6;
        run(4, 20000, TROUBLE_CHANGES | TROUBLE_KILLS);
        finish();
    }
}

// Programs that were refused are replaced by new ones.
static void refused_replace(void) {
    for (uint32_t i = 0; i < MODEL_TASKS * MODEL_THREADS; i++) {
        struct model_task *task = &model.task[i / MODEL_THREADS];
        if (task->number != 0 && task->thread[i % MODEL_THREADS].state == THREAD_REFUSED) {
            CHECK(domain_find(task->number)->reason_length > 0);
            model_kill(task);
            (void)program_start();
        }
    }
}

TEST(pager_store_tight, "with a store that is nearly full, and full, nothing is lost but programs") {
    for (uint32_t seed = 1; seed <= 8; seed++) {
        begin(500, 60 + seed * 20, seed);
        model.slowness = seed % 2 * 6;
        CHECK_EQUAL(control_limit_set(64), OK);
        run(2, 0, TROUBLE_NONE);
        for (uint32_t i = 0; i < 20000; i++) {
            step(TROUBLE_NONE);
            refused_replace();
            if (i % 256 == 0) {
                CHECK_EQUAL(audit_count(), 0);
            }
        }
        CHECK(domain_find(next_number - 1) != NULL);
        finish();
    }
}

// Write to so many pages, one after the other, until each write went through.
static void write_all(struct model_task *task, uint32_t first, uint32_t count) {
    for (uint32_t place = first; place < first + count; place++) {
        uint32_t before = version[task - model.task][place];
        for (uint32_t i = 0; i < 1000 && version[task - model.task][place] == before; i++) {
            if (task->thread[0].state == THREAD_RUNS) {
                touch(task, place, true);
            }
            model_block_step();
        }
        CHECK(version[task - model.task][place] != before);
    }
}

static uint32_t heap_state(struct model_task *task, uint32_t place) {
    return ENTRY_STATE(pagemap_get(&domain_find(task->number)->pages, place_page(place)));
}

// A page whose first write is held up by the block server; it was rescued by an access.
static struct model_task *page_rescued(bool write) {
    begin(400, 1000, 9);
    policy_use("fifo");
    CHECK_EQUAL(control_limit_set(64), OK);
    struct model_task *task = program_start();
    write_all(task, 0, 64);
    model.hold = true;
    write_all(task, 64, 1);
    while (model.begun == 0) {  // half of the old contents is on its way
        model_block_step();
    }
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    touch(task, 0, write);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_RESIDENT);
    return task;
}

static void page_read_back(struct model_task *task) {
    model_block_drain();
    write_all(task, 140, 100);
    model_block_drain();
    CHECK_EQUAL(heap_state(task, 0), ENTRY_STORED);
    touch(task, 0, false);
    model_block_drain();
    touch(task, 0, false);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_RESIDENT);
    finish();
}

TEST(pager_rescue_unchanged, "a page that was rescued and not changed needs no second write") {
    struct model_task *task = page_rescued(false);
    write_all(task, 70, 70);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    uint32_t slot = ENTRY_VALUE(pagemap_get(&domain_find(task->number)->pages, place_page(0)));
    CHECK(!framelist_at(slot)->again);
    page_read_back(task);
}

TEST(pager_rescue_changed, "a page that changes while it is being written is written once more") {
    struct model_task *task = page_rescued(true);
    write_all(task, 70, 70);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    page_read_back(task);
}

TEST(pager_rescue_twice, "a page that waits for its second write can be rescued and is not lost") {
    struct model_task *task = page_rescued(true);
    write_all(task, 70, 70);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_WRITING);
    touch(task, 0, false);
    CHECK_EQUAL(heap_state(task, 0), ENTRY_RESIDENT);
    page_read_back(task);
}

TEST(pager_rescue_fails, "a page whose write failed after it was rescued is written once more") {
    struct model_task *task = page_rescued(false);
    model_block_step();
    model.io_errors = 1;
    model.hold = false;
    while (transfer_errors == 0 && framelist_at(ENTRY_VALUE(pagemap_get(
               &domain_find(task->number)->pages, place_page(0))))->busy) {
        model_block_step();
    }
    model.io_errors = 0;
    page_read_back(task);
}

TEST(pager_plan_acts, "a planned policy takes over at its fault, with the pages that are there") {
    begin(400, 1000, 3);
    field_name sieve = {"sieve"};
    CHECK_EQUAL(control_limit_set(50), OK);
    CHECK_EQUAL(control_policy_plan(200, &sieve), OK);
    struct model_task *task = program_start();
    struct domain *domain = domain_find(task->number);
    while (demand_faults < 199) {
        model_block_step();
        if (task->thread[0].state == THREAD_RUNS) {
            touch(task, place_draw(), true);
        }
    }
    CHECK_TEXT(domain->policy.kind->name, "fifo");
    while (demand_faults < 200) {
        model_block_step();
        if (task->thread[0].state == THREAD_RUNS) {
            touch(task, place_draw(), true);
        }
    }
    CHECK_TEXT(domain->policy.kind->name, "sieve");
    CHECK_EQUAL(domain->policy.resident, domain->resident);
    CHECK_EQUAL(audit_count(), 0);
    finish();
}

// ---- nothing left ----------------------------------------------------------------------------

// Write to pages in turn until the program is refused; returns how many went through.
static uint32_t fill(struct model_task *task) {
    uint32_t place = 0, idle = 0;
    while (place < HEAP_PAGES && task->thread[0].state != THREAD_REFUSED && idle < 2000) {
        if (task->thread[0].state == THREAD_RUNS) {
            uint32_t before = version[task - model.task][place];
            touch(task, place, true);
            place += version[task - model.task][place] != before;
            idle = 0;
        } else {
            idle++;
        }
        model_block_step();
    }
    CHECK(idle < 2000);
    return place;
}

TEST(pager_store_full, "with a full store the program that needs room is refused, others go on") {
    begin(300, 40, 7);
    CHECK_EQUAL(control_limit_set(40), OK);
    struct model_task *greedy = program_start(), *modest = program_start();
    touch(modest, 0, true);
    uint32_t filled = fill(greedy);
    CHECK(filled >= 70 && filled < HEAP_PAGES);
    CHECK_EQUAL(greedy->thread[0].error, E_FULL);
    CHECK(strstr(domain_find(greedy->number)->reason, "memory and the store are full") != NULL);
    for (uint32_t place = 0; place < filled; place++) {  // what it wrote is not lost either
        if (greedy->entry[place_page(place)].frame != 0) {
            touch(greedy, place, false);
        }
    }
    for (uint32_t place = 0; place < 20; place++) {
        touch(modest, place, true);
    }
    CHECK_EQUAL(modest->thread[0].state, THREAD_RUNS);
    CHECK_EQUAL(audit_count(), 0);
    model_kill(greedy);
    CHECK(fill(modest) > 60);
    finish();
}

TEST(pager_store_absent, "without a store programs live in their limit, and die of more, in words") {
    begin(300, 0, 7);
    CHECK_EQUAL(control_limit_set(40), OK);
    struct model_task *task = program_start();
    uint32_t filled = fill(task);
    CHECK(filled >= 30 && filled <= 40);
    CHECK_EQUAL(task->thread[0].state, THREAD_REFUSED);
    CHECK(strstr(domain_find(task->number)->reason, "there is no store") != NULL);
    finish();
}

TEST(pager_clean_pages_need_no_store, "pages that were only read leave memory without a store") {
    begin(300, 0, 7);
    CHECK_EQUAL(control_limit_set(16), OK);
    struct model_task *task = program_start();
    vaddr_t address;
    CHECK_EQUAL(mapping_add(domain_find(task->number), LAYOUT_USER_FIRST, 2 * PAGE_SIZE, MAP_READ,
                            MAPPING_NO_FILE, 0, &address), OK);
    CHECK_EQUAL(address, LAYOUT_USER_FIRST);
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t value[MODEL_WORDS];
        CHECK(!model_access(&task->thread[0], LAYOUT_USER_FIRST / PAGE_SIZE, false, value));
        for (uint32_t place = 0; place < PLACES; place++) {
            touch(task, place, false);
        }
    }
    CHECK_EQUAL(task->thread[0].state, THREAD_RUNS);
    CHECK(domain_find(task->number)->counters.evictions > 2 * PLACES);
    CHECK_EQUAL(domain_find(task->number)->counters.written, 0);
    finish();
}

TEST(pager_io_errors, "failed transfers end in refusals, never in wrong contents or a hang") {
    for (uint32_t seed = 1; seed <= 8; seed++) {
        begin(400, 1500, seed);
        model.io_errors = 60;
        model.slowness = seed % 2 * 6;
        CHECK_EQUAL(control_limit_set(40), OK);
        run(3, 20000, TROUBLE_KILLS);
        model.io_errors = 0;
        finish();
    }
}

TEST(pager_store_dies, "when every transfer fails, programs are refused in words and none hangs") {
    begin(400, 1500, 5);
    CHECK_EQUAL(control_limit_set(40), OK);
    struct model_task *reader = program_start(), *writer = program_start();
    for (uint32_t place = 0; place < 60; place++) {
        while (version[reader - model.task][place] == 0) {
            touch(reader, place, true);
            model_block_step();
        }
    }
    model_block_drain();
    model.io_errors = 1;
    touch(reader, 0, false);
    model_block_drain();
    CHECK_EQUAL(reader->thread[0].state, THREAD_REFUSED);
    CHECK(strstr(domain_find(reader->number)->reason, "could not read the page back") != NULL);
    CHECK(fill(writer) < HEAP_PAGES);
    CHECK(strstr(domain_find(writer->number)->reason, "the store reports errors") != NULL);
    model.io_errors = 0;
    finish();
}

TEST(pager_no_page_tables, "without memory for page tables a fault is refused, nothing is lost") {
    begin(200, 100, 3);
    struct model_task *task = program_start();
    uint32_t filled = 0;
    while (model.taken < model.frames || framelist_idle > FRAMES_SPARE) {
        write_all(task, filled++, 1);
    }
    write_all(task, filled, 40);  // and of the spare ones none is zeroed any more
    advise_at(task, 1, filled + 39);
    touch(task, 0, true);
    model.entries_left = 0;
    uint32_t value[MODEL_WORDS];
    CHECK(!model_access(&task->thread[0], place_page(1), false, value));
    CHECK_EQUAL(task->thread[0].error, E_MEMORY);
    CHECK_EQUAL(audit_count(), 0);
    model.entries_left = UINT32_MAX;
    task->thread[0].state = THREAD_RUNS;
    touch(task, 0, false);
    touch(task, 1, false);  // zeros, whatever its frame held before
    touch(task, 1, true);
    touch(task, 1, false);
    finish();
}

TEST(pager_memory_ends_anywhere, "a pool of any size refuses or serves, and never breaks a law") {
    for (uint32_t frames = 1; frames < 130; frames++) {
        begin(frames, 0, frames);
        struct model_task *task = model_admit(MODEL_NUMBER_FIRST);
        if (task != NULL) {
            vaddr_t address;
            next_number++;
            memset(version[task - model.task], 0, sizeof version[0]);
            CHECK_EQUAL(mapping_add(domain_find(task->number), 0, HEAP_PAGES * PAGE_SIZE,
                                    MAP_READ | MAP_WRITE, MAPPING_NO_FILE, 0, &address), OK);
            (void)fill(task);
        }
        CHECK_EQUAL(audit_count(), 0);
        finish();
    }
}
