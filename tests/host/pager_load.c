// SPDX-License-Identifier: MIT
#include "pager_load.h"

#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "control.h"
#include "mapping.h"
#include "resident.h"
#include "tests/test.h"

uint32_t load_version[MODEL_TASKS][LOAD_PLACES];
uint32_t load_next_number;

uint32_t load_place_page(uint32_t place) {
    if (place < LOAD_HEAP_PAGES) {
        return LOAD_HEAP_FIRST + place;
    }
    place -= LOAD_HEAP_PAGES;
    return place < LOAD_DATA_PAGES ? LOAD_DATA_FIRST + place
                                   : LOAD_STACK_FIRST + place - LOAD_DATA_PAGES;
}

static uint32_t word_expected(const struct model_task *task, uint32_t place, uint32_t word) {
    uint32_t v = load_version[task - model.task][place];
    if (v != 0) {
        return (task->number << 24 ^ place << 12 ^ v) * 2654435761u + word;
    }
    uint32_t data = place - LOAD_HEAP_PAGES;  // pages 2, 3, 4 and half of 5 of the file, then zeros
    if (place < LOAD_HEAP_PAGES || data > 3 || (data == 3 && word >= MODEL_WORDS / 2)) {
        return 0;
    }
    return model_file_word(data + 2, word);
}

void load_thread_touch(struct model_thread *thread, uint32_t place, bool write) {
    struct model_task *task = thread->task;
    uint32_t value[MODEL_WORDS], *v = &load_version[task - model.task][place];
    if (write) {
        ++*v;
        for (uint32_t word = 0; word < MODEL_WORDS; word++) {
            value[word] = word_expected(task, place, word);
        }
    }
    for (uint32_t tries = 0; tries < 3; tries++) {
        if (model_access(thread, load_place_page(place), write, value)) {
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

void load_touch(struct model_task *task, uint32_t place, bool write) {
    load_thread_touch(&task->thread[0], place, write);
}

struct model_task *load_program_start(void) {
    vaddr_t address = 0;
    struct model_task *task = model_admit(load_next_number++);
    if (task != NULL) {
        memset(load_version[task - model.task], 0, sizeof load_version[0]);
        CHECK_EQUAL(mapping_add(domain_find(task->number), 0, LOAD_HEAP_PAGES * PAGE_SIZE,
                                MAP_READ | MAP_WRITE, MAPPING_NO_FILE, 0, &address), OK);
        CHECK_EQUAL(address, LAYOUT_MAP_FIRST);
    }
    return task;
}

void load_begin(uint32_t frames, uint32_t store_pages, uint32_t seed) {
    model_start(frames, store_pages, seed);
    load_next_number = MODEL_NUMBER_FIRST;
}

void load_finish(void) {
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
uint32_t load_place_draw(void) {
    return model_random(3) == 0 ? model_random(LOAD_PLACES) : model_random(LOAD_PLACES / 8) * 8;
}

static struct model_thread *runner_draw(void) {
    struct model_task *task = &model.task[model_random(MODEL_TASKS)];
    struct model_thread *thread = &task->thread[model_random(MODEL_THREADS)];
    return task->number != 0 && thread->state == THREAD_RUNS ? thread : NULL;
}

void load_advise_at(struct model_task *task, uint32_t place, uint32_t pages) {
    CHECK_EQUAL(mapping_advise(domain_find(task->number), load_place_page(place) * PAGE_SIZE,
                               pages * PAGE_SIZE, ADVICE_FREE), OK);
    memset(&load_version[task - model.task][place], 0, pages * sizeof(uint32_t));
}

static void advise_one(struct model_task *task) {
    load_advise_at(task, model_random(LOAD_HEAP_PAGES - 8), 1 + model_random(8));
}

static void protect_one(struct model_task *task) {
    static const uint8_t rights[] = {0, MAP_READ, MAP_READ | MAP_EXECUTE};
    vaddr_t address = load_place_page(model_random(LOAD_HEAP_PAGES - 8)) * PAGE_SIZE;
    struct domain *domain = domain_find(task->number);
    CHECK_EQUAL(mapping_protect(domain, address, 8 * PAGE_SIZE, rights[model_random(3)]), OK);
    CHECK_EQUAL(mapping_protect(domain, address, 8 * PAGE_SIZE, MAP_READ | MAP_WRITE), OK);
}

static void remap_one(struct model_task *task) {
    uint32_t place = model_random(LOAD_HEAP_PAGES - 8), pages = 1 + model_random(8);
    vaddr_t at = load_place_page(place) * PAGE_SIZE, address;
    struct domain *domain = domain_find(task->number);
    CHECK_EQUAL(mapping_remove(domain, at, pages * PAGE_SIZE), OK);
    CHECK_EQUAL(mapping_add(domain, at, pages * PAGE_SIZE, MAP_READ | MAP_WRITE, MAPPING_NO_FILE,
                            0, &address), OK);
    CHECK_EQUAL(address, at);
    memset(&load_version[task - model.task][place], 0, pages * sizeof(uint32_t));
}

field_text load_text(const char *text) {
    field_text field = {.length = (uint32_t)strlen(text)};
    memcpy(field.bytes, text, field.length);
    return field;
}

void load_policy_use(const char *text) {
    field_text field = load_text(text);
    CHECK_EQUAL(control_policy_set(&field), OK);
}

error_t load_limit(uint32_t frames) {
    field_name others = {""};
    return control_limit_set(frames, &others);
}

// For all, for the program that all tasks run, or for this task alone; at times to have no setting of
// their own.
static void control_one(const struct model_task *task) {
    static const char *const more[] = {"arc:p=8", "2q:in=50:out=10", "wsclock:tau=1", "nru:reset=1"};
    uint32_t n = model_random(POLICY_COUNT + ARRAY_LENGTH(more)), whom = model_random(3);
    const char *policy = n < POLICY_COUNT ? policy_kinds[n].name : more[n - POLICY_COUNT];
    field_name name = {""};
    char text[64];
    if (whom > 0) {
        snprintf(name.bytes, NAME_BYTES, whom == 1 ? "program" : "%u", task->number);
        policy = model_random(4) == 0 ? "" : policy;
    }
    if (model_random(2)) {
        snprintf(text, sizeof text, "%s%s%s", name.bytes, whom > 0 ? "/" : "", policy);
        load_policy_use(text);
    } else {
        uint32_t limit = model_random(4) == 0 ? 0 : LIMIT_MIN + model_random(100);
        CHECK_EQUAL(control_limit_set(limit, &name), OK);
    }
}

void load_step(enum trouble trouble) {
    struct model_thread *thread = runner_draw();
    uint32_t dice = model_random(200);
    model_block_step();
    if (thread == NULL) {
        return;
    }
    struct model_task *task = thread->task;
    if (dice == 0 && (trouble & TROUBLE_KILLS)) {
        model_kill(task);
        (void)load_program_start();
    } else if (dice == 1 && (trouble & TROUBLE_CHANGES)) {
        control_one(task);
    } else if (dice == 2) {
        advise_one(task);
    } else if (dice == 3) {
        protect_one(task);
    } else if (dice == 4) {
        remap_one(task);
    } else {
        load_thread_touch(thread, load_place_draw(), model_random(3) == 0);
    }
}

void load_run(uint32_t programs, uint32_t steps, enum trouble trouble) {
    for (uint32_t i = 0; i < programs; i++) {
        CHECK(load_program_start() != NULL);
    }
    for (uint32_t i = 0; i < steps; i++) {
        load_step(trouble);
        if (i % 256 == 0) {
            CHECK_EQUAL(audit_count(), 0);
        }
    }
}


// Write to so many pages, one after the other, until each write went through.
void load_write_all(struct model_task *task, uint32_t first, uint32_t count) {
    for (uint32_t place = first; place < first + count; place++) {
        uint32_t before = load_version[task - model.task][place];
        for (uint32_t i = 0; i < 1000 && load_version[task - model.task][place] == before; i++) {
            if (task->thread[0].state == THREAD_RUNS) {
                load_touch(task, place, true);
            }
            model_block_step();
        }
        CHECK(load_version[task - model.task][place] != before);
    }
}

// Write to pages in turn until the program is refused; returns how many went through.
uint32_t load_fill(struct model_task *task) {
    uint32_t place = 0, idle = 0;
    while (place < LOAD_HEAP_PAGES && task->thread[0].state != THREAD_REFUSED && idle < 2000) {
        if (task->thread[0].state == THREAD_RUNS) {
            uint32_t before = load_version[task - model.task][place];
            load_touch(task, place, true);
            place += load_version[task - model.task][place] != before;
            idle = 0;
        } else {
            idle++;
        }
        model_block_step();
    }
    CHECK(idle < 2000);
    return place;
}
