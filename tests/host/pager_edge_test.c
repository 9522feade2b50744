// SPDX-License-Identifier: MIT
// The pager's audit finds what is broken on purpose, requests to the kernel fail one after the
// other, and modules are damaged or shown as files.
#include <string.h>

#include "audit.h"
#include "control.h"
#include "mapping.h"
#include "module.h"
#include "pager_load.h"
#include "program.h"
#include "resident.h"
#include "tests/test.h"
#include "transfer.h"

// ---- the audit -------------------------------------------------------------------------------

// A law is broken by `change`, seen, and mended by `undo`.
#define PLANT(change, undo)          \
    do {                             \
        CHECK_EQUAL(audit_count(), 0); \
        change;                      \
        CHECK(audit_count() > 0);    \
        undo;                        \
        CHECK_EQUAL(audit_count(), 0); \
    } while (0)

static uint32_t slot_of(struct domain *domain, uint32_t place) {
    return ENTRY_VALUE(pagemap_get(&domain->pages, load_place_page(place)));
}

TEST(pager_audit_finds, "each kind of law, broken on purpose, is found by the audit") {
    load_begin(300, 500, 1);
    CHECK_EQUAL(load_limit(30), OK);
    struct model_task *task = load_program_start();
    struct domain *domain = domain_find(task->number);
    load_write_all(task, 0, 60);
    model_block_drain();
    uint32_t here = 59, gone = 0;
    CHECK_EQUAL(task->entry[load_place_page(gone)].frame, 0);
    struct frame_record *frame = framelist_at(slot_of(domain, here)), kept = *frame;
    uint32_t *entry = pagemap_find(&domain->pages, load_place_page(gone)), stored = *entry;
    PLANT(frame->page++, *frame = kept);
    PLANT(frame->state = FRAME_WRITING, *frame = kept);
    PLANT(frame->state = FRAME_IDLE, *frame = kept);
    PLANT(frame->state = 15, *frame = kept);
    PLANT(frame->busy = 1, *frame = kept);
    PLANT(frame->domain++, *frame = kept);
    PLANT(frame->mark++, *frame = kept);
    PLANT(frame->store = 7, *frame = kept);
    PLANT(*entry = ENTRY(ENTRY_UNTOUCHED, 0), *entry = stored);
    PLANT(*entry = ENTRY(ENTRY_STORED, 499), *entry = stored);
    PLANT(*entry = ENTRY(ENTRY_STORED, 5000), *entry = stored);
    PLANT(*entry = ENTRY(ENTRY_RESIDENT, 0), *entry = stored);
    PLANT(*entry = ENTRY(ENTRY_RESIDENT, slot_of(domain, here)), *entry = stored);
    PLANT(*entry |= 7, *entry = stored);
    PLANT(domain->resident++, domain->resident--);
    PLANT(domain->reading++, domain->reading--);
    PLANT(domain->writing++, domain->writing--);
    PLANT(domain->swapped++, domain->swapped--);
    struct region region = domain->regions.list[0];
    PLANT(domain->regions.list[0].end = region.first & 0xfffffu, domain->regions.list[0] = region);
    PLANT(domain->regions.list[0].rights = MAP_RIGHTS, domain->regions.list[0] = region);
    PLANT(framelist_idle++, framelist_idle--);
    PLANT(metapage_used++, metapage_used--);
    PLANT(swap_space.used++, swap_space.used--);
    PLANT(swap_space.bit[0] &= ~1u, swap_space.bit[0] |= 1);
    PLANT(transfer_count++, transfer_count--);
    load_finish();
}

// ---- failing requests ------------------------------------------------------------------------

// Everything that a program may need once; returns whether all of it went through.
static bool life(void) {
    struct model_task *task = model_admit(load_next_number++);
    vaddr_t heap, file;
    if (task == NULL) {
        return false;
    }
    memset(load_version[task - model.task], 0, sizeof load_version[0]);
    struct domain *domain = domain_find(task->number);
    CHECK_EQUAL(mapping_add(domain, 0, LOAD_HEAP_PAGES * PAGE_SIZE, MAP_READ | MAP_WRITE,
                            MAPPING_NO_FILE, 0, &heap), OK);
    CHECK_EQUAL(mapping_add(domain, 0x60000000, PAGE_SIZE, MAP_READ, 0, 0, &file), OK);
    uint32_t value[MODEL_WORDS];
    for (uint32_t place = 0; place < LOAD_PLACES; place += 2) {
        load_touch(task, place, place % 4);
        (void)model_access(&task->thread[1], file / PAGE_SIZE, false, value);
        model_block_step();
    }
    bool whole = task->thread[0].state == THREAD_RUNS && task->thread[1].state == THREAD_RUNS;
    CHECK(whole || domain->reason_length > 0);
    return whole;
}

TEST(pager_requests_fail, "whichever request to the kernel fails, no law is broken, no page lost") {
    bool whole = false;
    for (uint32_t n = 1; n < 200 && !(whole && model.fail_at != 0); n++) {
        load_begin(400, 500, n);
        model.fail_at = n;
        whole = life();
        model.slowness = 0;
        CHECK_EQUAL(audit_count(), 0);
        load_finish();
    }
    CHECK(whole);
}

TEST(pager_marks_without_memory, "a policy that cannot grow evicts earlier instead of failing") {
    load_begin(1500, 1000, 1);
    struct model_task *task = load_program_start();
    struct domain *domain = domain_find(task->number);
    vaddr_t at;
    uint32_t value[MODEL_WORDS] = {0};
    CHECK_EQUAL(mapping_add(domain, 0, 700 * PAGE_SIZE, MAP_READ | MAP_WRITE, MAPPING_NO_FILE, 0,
                            &at), OK);
    for (uint32_t page = 0; page < 700; page++) {
        model.windows_closed = domain->resident + 2 >= domain->policy.policy.slots;
        for (uint32_t i = 0; i < 100; i++) {
            if (task->thread[0].state == THREAD_RUNS &&
                model_access(&task->thread[0], at / PAGE_SIZE + page, true, value)) {
                break;
            }
            model_block_step();
        }
    }
    model.windows_closed = false;
    CHECK_EQUAL(task->thread[0].state, THREAD_RUNS);
    CHECK(domain->resident < 512);
    CHECK(domain->counters.evictions > 150);
    CHECK_EQUAL(audit_count(), 0);
    load_finish();
}

// ---- modules ---------------------------------------------------------------------------------

TEST(pager_damaged_image, "a damaged program is refused with a sentence that names the module") {
    struct program_start start;
    field_name name = {"program"};
    static const struct {
        uint32_t byte;
        const char *text;
    } cases[] = {{1, "module program is corrupt: not an ELF file"},
                 {18, "module program is corrupt: not built for the i386"},
                 {0x400 + 20, "module program was built for another version"}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        load_begin(300, 0, 1);
        model.image_damage = cases[i].byte;
        CHECK_EQUAL(program_admit(77, HANDLE(SLOT_FREE), &name, &start), E_FORMAT);
        const char *reason = domain_recall(77)->reason;
        CHECK(strncmp(reason, cases[i].text, strlen(cases[i].text)) == 0);
        load_finish();
    }
}

TEST(pager_modules_refused, "modules without name or length, or with a taken name, are refused") {
    load_begin(300, 0, 1);
    field_name empty = {""}, taken = {"program"}, other = {"other"};
    CHECK_EQUAL(module_add(&empty, 1, 100), E_ARGUMENT);
    CHECK_EQUAL(module_add(&other, 1, 0), E_ARGUMENT);
    CHECK_EQUAL(module_add(&other, 1, UINT32_MAX), E_ARGUMENT);
    CHECK_EQUAL(module_add(&taken, 1, 100), E_LIMIT);
    load_finish();
}

TEST(pager_file_view, "a mapped file shows its bytes; what is written is the program's own") {
    load_begin(300, 100, 1);
    CHECK_EQUAL(load_limit(LIMIT_MIN), OK);
    struct model_task *task = load_program_start();
    struct domain *domain = domain_find(task->number);
    vaddr_t at;
    uint32_t value[MODEL_WORDS], state;
    CHECK_EQUAL(mapping_add(domain, 0, 4 * PAGE_SIZE, MAP_READ | MAP_WRITE, 0, 2 * PAGE_SIZE, &at),
                OK);
    CHECK_EQUAL(mapping_state(domain, at, &state), OK);
    CHECK_EQUAL(state, PAGE_STATE_UNTOUCHED);
    for (uint32_t page = 0; page < 4; page++) {
        while (!model_access(&task->thread[0], at / PAGE_SIZE + page, false, value)) {
        }
        CHECK_EQUAL(value[3], model_file_word(2 + page, 3));
    }
    CHECK_EQUAL(mapping_state(domain, at, &state), OK);
    CHECK_EQUAL(state, PAGE_STATE_RESIDENT);
    value[3] = 42;
    CHECK(model_access(&task->thread[0], at / PAGE_SIZE, true, value));
    load_write_all(task, 0, 50);
    model_block_drain();
    CHECK_EQUAL(mapping_state(domain, at, &state), OK);
    CHECK_EQUAL(state, PAGE_STATE_SWAPPED);
    CHECK_EQUAL(mapping_state(domain, at + PAGE_SIZE, &state), OK);
    CHECK_EQUAL(state, PAGE_STATE_UNTOUCHED);  // unchanged: it needed no store
    while (!model_access(&task->thread[0], at / PAGE_SIZE, false, value)) {
        model_block_step();
    }
    CHECK_EQUAL(value[3], 42);
    CHECK_EQUAL(value[4], model_file_word(5, 4));
    load_finish();
}
