// SPDX-License-Identifier: MIT
// The pager's core on the model machine: hostile requests are refused, and programs that touch
// memory at random read what they wrote last, whatever is evicted, killed or changed meanwhile.
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "control.h"
#include "mapping.h"
#include "pager_load.h"
#include "program.h"
#include "scan.h"
#include "tests/test.h"

// ---- rejections ------------------------------------------------------------------------------

TEST(pager_rejects_addresses, "misaligned, wrapping, empty and kernel ranges are refused") {
    load_begin(256, 100, 1);
    struct domain *domain = domain_find(load_program_start()->number);
    vaddr_t address;
    uint32_t state;
    const uint32_t rw = MAP_READ | MAP_WRITE;
#define ADD(hint, length, rights, file, offset) \
    mapping_add(domain, hint, length, rights, file, offset, &address)
    CHECK_EQUAL(ADD(0, 0, rw, MAPPING_NO_FILE, 0), E_ARGUMENT);
    CHECK_EQUAL(ADD(0, UINT32_MAX, rw, MAPPING_NO_FILE, 0), E_ADDRESS);
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
    load_finish();
}

TEST(pager_refuses_faults, "faults that nobody can serve are refused with a sentence") {
    load_begin(256, 100, 1);
    struct model_task *task = load_program_start();
    struct domain *domain = domain_find(task->number);
    uint32_t value[MODEL_WORDS] = {0};
    CHECK(!model_access(&task->thread[0], 0x7fff0, false, value));
    CHECK_EQUAL(task->thread[0].state, THREAD_REFUSED);
    CHECK_TEXT(domain->reason,
               "read of 0x7fff0123 at eip 0x08048200: no memory is mapped there");
    CHECK(!model_access(&task->thread[0], LOAD_TEXT_FIRST, true, value));
    CHECK_TEXT(domain->reason, "write of 0x08048123 at eip 0x08048200: the page is read-only");
    uint32_t guard = (LAYOUT_STACK_TOP - LAYOUT_STACK_SIZE) / PAGE_SIZE - 1;
    CHECK(!model_access(&task->thread[0], guard, true, value));
    CHECK_TEXT(domain->reason, "write of 0xbfdff123 at eip 0x08048200: the stack is full");
    struct fault fetch = {LABEL_fault_execute, task->number, 9, 0x40000000, 0x40000000};
    struct answer answer;
    demand_serve(&fetch, &answer);
    CHECK_EQUAL(answer.kind, ANSWER_ERROR);
    CHECK_TEXT(domain->reason,
               "execution of 0x40000000 at eip 0x40000000: the page is not executable");
    struct fault fault = {LABEL_fault_exception, task->number, 9, 6, 0x08048200};
    demand_serve(&fault, &answer);
    CHECK_EQUAL(answer.kind, ANSWER_ERROR);
    CHECK_TEXT(domain->reason, "invalid instruction at eip 0x08048200");
    fault = (struct fault){LABEL_fault_read, 999, 9, 0x08048000, 0};
    demand_serve(&fault, &answer);
    CHECK_EQUAL(answer.kind, ANSWER_ERROR);
    load_finish();
}

TEST(pager_refuses_programs, "unknown modules, taken numbers and too many programs are refused") {
    load_begin(512, 100, 1);
    struct program_start start;
    field_name name = {"nothing"};
    CHECK_EQUAL(program_admit(50, HANDLE(SLOT_FREE), &name, &start), E_NOT_FOUND);
    CHECK_TEXT(domain_recall(50)->reason, "module nothing does not exist");
    struct model_task *task = load_program_start();
    field_name program = {"program"};
    CHECK_EQUAL(program_admit(task->number, HANDLE(SLOT_FREE + 1), &program, &start), E_STATE);
    CHECK_EQUAL(program_retire(999), E_NOT_FOUND);
    load_finish();
}

TEST(pager_rejects_control, "unknown policies, tiny limits and plans for the past are refused") {
    load_begin(256, 100, 1);
    field_text unknown = load_text("lru?"), fifo = load_text("fifo"), endless;
    memset(&endless, 'x', sizeof endless);
    CHECK_EQUAL(control_policy_set(&unknown), E_NOT_FOUND);
    CHECK_TEXT(resident_complaint, "lru? names no policy");
    field_text wrong = load_text("arc:q=8");
    CHECK_EQUAL(control_policy_set(&wrong), E_ARGUMENT);
    CHECK_TEXT(resident_complaint, "arc:q=8 names no parameter of this policy");
    CHECK_EQUAL(control_policy_set(&endless), E_ARGUMENT);
    endless.length = TEXT_BYTES;
    CHECK_EQUAL(control_policy_set(&endless), E_NOT_FOUND);
    CHECK_EQUAL(load_limit(LIMIT_MIN - 1), E_ARGUMENT);
    CHECK_EQUAL(control_policy_plan(0, &fifo), E_ARGUMENT);
    CHECK_EQUAL(control_policy_plan(10, &unknown), E_NOT_FOUND);
    load_finish();
}

TEST(pager_rejects_targets, "a program or task that there is not changes nothing and is named") {
    static const char *const wrong[] = {"nobody/lru", "/lru", "999/lru", "program/lru?", "-1/lru",
                                        "99999999999/lru", "program /lru", "program/program/lru"};
    load_begin(256, 100, 1);
    struct model_task *task = load_program_start();
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        field_text text = load_text(wrong[i]);
        CHECK_EQUAL(control_policy_set(&text), E_NOT_FOUND);
        CHECK_EQUAL(control_policy_plan(100, &text), E_NOT_FOUND);
        CHECK(strstr(resident_complaint, wrong[i]) == resident_complaint);
    }
    field_name nobody = {"nobody"}, number = {"999"}, program = {"program"};
    CHECK_EQUAL(control_limit_set(20, &nobody), E_NOT_FOUND);
    CHECK_EQUAL(control_limit_set(20, &number), E_NOT_FOUND);
    CHECK_EQUAL(control_limit_set(LIMIT_MIN - 1, &program), E_ARGUMENT);
    const struct domain *domain = domain_find(task->number);
    CHECK_TEXT(domain->policy.kind->name, "fifo");
    CHECK_EQUAL(domain->limit, LIMIT_NONE);
    load_finish();
}

static void limit_use(uint32_t frames, const char *text) {
    field_name name = {""};
    snprintf(name.bytes, NAME_BYTES, "%s", text);
    CHECK_EQUAL(control_limit_set(frames, &name), OK);
}

static void expect(const struct model_task *task, const char *policy, uint32_t limit) {
    const struct domain *domain = domain_find(task->number);
    CHECK_TEXT(domain->policy.kind->name, policy);
    CHECK_EQUAL(domain->limit, limit);
}

TEST(pager_settings_nest, "what a task has goes before its program's, and that before the others'") {
    load_begin(512, 300, 1);
    load_policy_use("lru");
    struct model_task *one = load_program_start(), *two = load_program_start();
    char first[NAME_BYTES], text[64];
    snprintf(first, sizeof first, "%u", one->number);
    snprintf(text, sizeof text, "%s/arc:p=8", first);
    load_policy_use(text);
    limit_use(40, first);
    expect(one, "arc", 40);
    expect(two, "lru", LIMIT_NONE);
    load_policy_use("sieve");  // a decision about all replaces one about a single task
    limit_use(50, "");
    expect(one, "sieve", 50);
    load_policy_use("program/clock");
    limit_use(60, "program");
    load_policy_use("lfu");
    limit_use(70, "");
    expect(one, "clock", 60);  // but none about a program
    expect(two, "clock", 60);
    expect(load_program_start(), "clock", 60);
    load_policy_use("program/");
    limit_use(0, "program");
    expect(one, "lfu", 70);
    expect(load_program_start(), "lfu", 70);
    field_text plan = load_text("program/2q");
    CHECK_EQUAL(control_policy_plan(demand_faults + 3, &plan), OK);
    load_write_all(two, 0, 10);
    expect(one, "2q", 70);
    load_finish();
}

TEST(pager_two_policies, "two programs run under two policies in two limits, and keep their contents") {
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        load_begin(400, 900, i + 1);
        struct model_task *one = load_program_start(), *two = load_program_start();
        char text[64], name[NAME_BYTES];
        snprintf(name, sizeof name, "%u", one->number);
        snprintf(text, sizeof text, "%s/%s", name, policy_kinds[i].name);
        load_policy_use(text);
        limit_use(20, name);
        limit_use(60, "program");
        limit_use(20, name);
        load_run(0, 20000, TROUBLE_NONE);
        expect(one, policy_kinds[i].name, 20);
        expect(two, "fifo", 60);
        CHECK(domain_find(one->number)->counters.evictions > 100);
        CHECK(domain_find(two->number)->counters.evictions > 100);
        load_finish();
    }
}

// ---- loads -----------------------------------------------------------------------------------

TEST(pager_keeps_contents, "under every policy and limit programs read what they wrote") {
    static const uint32_t limits[] = {LIMIT_MIN, 20, 64, 150};
    for (uint32_t i = 0; i < 4 * POLICY_COUNT; i++) {
        const char *name = policy_kinds[i % POLICY_COUNT].name;
        test_case(name);
        load_begin(800, 1500, i + 1);
        model.slowness = i % 3 * 6;
        load_policy_use(name);
        CHECK_EQUAL(load_limit(limits[i / POLICY_COUNT]), OK);
        load_run(3, 20000, TROUBLE_NONE);
        CHECK(domain_find(MODEL_NUMBER_FIRST)->counters.evictions > 0);
        load_finish();
    }
}

TEST(pager_pool_is_small, "without limits programs share a pool that is too small for them") {
    for (uint32_t seed = 1; seed <= POLICY_COUNT; seed++) {
        load_begin(220 + seed % 6 * 10, 1500, seed);
        load_policy_use(policy_kinds[seed - 1].name);
        load_run(3, 20000, TROUBLE_NONE);
        load_finish();
    }
}

TEST(pager_survives_changes, "policies and limits change, and programs die in mid transfer") {
    for (uint32_t seed = 1; seed <= 12; seed++) {
        load_begin(500, 1500, seed);
        model.slowness = seed % 3 * 6;
        load_run(4, 20000, TROUBLE_CHANGES | TROUBLE_KILLS);
        load_finish();
    }
}

TEST(pager_plan_acts, "a planned policy takes over at its fault, with the pages that are there") {
    load_begin(400, 1000, 3);
    field_text sieve = load_text("sieve");
    CHECK_EQUAL(load_limit(50), OK);
    CHECK_EQUAL(control_policy_plan(200, &sieve), OK);
    struct model_task *task = load_program_start();
    struct domain *domain = domain_find(task->number);
    while (demand_faults < 199) {
        model_block_step();
        if (task->thread[0].state == THREAD_RUNS) {
            load_touch(task, load_place_draw(), true);
        }
    }
    CHECK_TEXT(domain->policy.kind->name, "fifo");
    while (demand_faults < 200) {
        model_block_step();
        if (task->thread[0].state == THREAD_RUNS) {
            load_touch(task, load_place_draw(), true);
        }
    }
    CHECK_TEXT(domain->policy.kind->name, "sieve");
    CHECK_EQUAL(domain->policy.resident, domain->resident);
    CHECK_EQUAL(audit_count(), 0);
    load_finish();
}

// One access, which may need several faults.
static bool access_soon(struct model_thread *thread, uint32_t page) {
    uint32_t value[MODEL_WORDS] = {0};
    bool through = model_access(thread, page, false, value);
    for (uint32_t i = 0; i < 100 && !through; i++) {
        model_block_step();
        if (thread->state == THREAD_RUNS && model_access(thread, page, false, value)) {
            return false;  // it came, but was not there
        }
    }
    return through;
}

TEST(pager_two_pages_at_once, "an instruction gets its pages, also when the policy gives up the newest") {
    load_begin(300, 500, 1);
    load_policy_use("lfu");
    CHECK_EQUAL(load_limit(16), OK);
    struct model_task *task = load_program_start();
    for (uint32_t round = 0; round < 20; round++) {  // pages that are used more than any new one
        load_write_all(task, 0, 16);
        scan_domain(domain_find(task->number));
    }
    uint32_t first = load_place_page(100), tries = 0;
    for (bool both = false; !both; tries++) {
        CHECK(tries < 20);
        both = access_soon(&task->thread[0], first) && access_soon(&task->thread[0], first + 1) &&
               access_soon(&task->thread[0], first);
    }
    CHECK(tries > 1);
    model_block_drain();
    CHECK_EQUAL(audit_count(), 0);
    load_finish();
}
