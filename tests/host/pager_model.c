// SPDX-License-Identifier: MIT
#include "pager_model_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi_hash.h"
#include "image.h"
#include "module.h"
#include "pager.h"
#include "program.h"
#include "sim_run.h"
#include "tests/test.h"
#include "transfer.h"

struct model model;
int machine_traces = 1, machine_traces_always;
static struct sim_run *decisions;  // of the pager's policies since model_start()

static struct model_frame *frame_table;
static uint64_t seed_state;
static token_t last_token;

static const uint32_t window_sizes[WINDOW_COUNT] = {
    [WINDOW_FRAMES] = 16, [WINDOW_SWAP] = 1, [WINDOW_META] = 256,
    [WINDOW_POLICY] = DOMAINS_MAX * 2 * 2048, [WINDOW_VIEW] = 1};
static uint8_t *window_ready[WINDOW_COUNT];
// Addresses that no other part of the process uses; pages the pager has not asked for stay out of
// reach.
#define WINDOW_AT(number) ((char *)(0x200000000000 + ((uintptr_t)(number) << 32)))
char *const machine_windows[WINDOW_COUNT] = {WINDOW_AT(0), WINDOW_AT(1), WINDOW_AT(2),
                                             WINDOW_AT(3), WINDOW_AT(4)};
_Static_assert(WINDOW_COUNT == 5, "as many as above");

uint32_t model_random(uint32_t below) {
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed_state >> 33) % below;
}

uint32_t model_file_word(uint32_t page, uint32_t word) {
    return 0xf11e0000u + page * MODEL_WORDS + word;
}

struct model_frame *model_frame(frame_t number) {
    CHECK(number > 0 && number <= model.frames);
    return &frame_table[number];
}

static struct model_task *task_at(handle_t handle) {
    CHECK(HANDLE_INDEX(handle) >= SLOT_FREE && HANDLE_INDEX(handle) < SLOT_FREE + MODEL_TASKS);
    return &model.task[HANDLE_INDEX(handle) - SLOT_FREE];
}

// ---- a program's file ------------------------------------------------------------------------

// text: pages 0-1 at 0x08048000; data: pages 2-4 and half of 5 at 0x0804c000, zeros up to page 9.
static void image_write(char *at) {
    struct image_elf_header header = {
        .ident = {0x7f, 'E', 'L', 'F', 1, 1, 1}, .type = IMAGE_TYPE_EXECUTABLE,
        .machine = IMAGE_MACHINE_386, .version = 1, .entry = 0x08048200,
        .header_offset = sizeof header, .size = sizeof header,
        .header_size = sizeof(struct image_program_header), .header_count = 3};
    struct image_program_header segments[3] = {
        {IMAGE_LOAD, 0, 0x08048000, 0, 0x2000, 0x2000, IMAGE_FLAG_READ | IMAGE_FLAG_EXECUTE, 4096},
        {IMAGE_LOAD, 0x2000, 0x0804c000, 0, 0x3800, 0x7800, IMAGE_FLAG_READ | IMAGE_FLAG_WRITE,
         4096},
        {IMAGE_NOTE, 0x400, 0, 0, 24, 24, IMAGE_FLAG_READ, 4}};
    struct {
        uint32_t name_size, size, type;
        char name[8];
        uint32_t hash;
    } note = {6, 4, IMAGE_NOTE_TYPE, IMAGE_NOTE_NAME, ABI_HASH};
    memcpy(at, &header, sizeof header);
    memcpy(at + sizeof header, segments, sizeof segments);
    memcpy(at + 0x400, &note, sizeof note);
}

// ---- machine.h -------------------------------------------------------------------------------

uint32_t machine_window_pages(enum window window) {
    return window_sizes[window];
}

// Is it this request's turn to fail?
static bool fails_now(void) {
    return model.fail_at != 0 && --model.fail_at == 0;
}

error_t machine_window_map(enum window window, uint32_t page, uint32_t frame_flags) {
    CHECK(page < window_sizes[window]);
    CHECK(!window_ready[window][page]);
    struct model_frame *f = model_frame(frame_flags >> 8);
    CHECK(f->taken && f->maps == 0 && f->reads == 0 && f->writes == 0);
    for (uint32_t i = 0; i < MODEL_WORDS && !(frame_flags & FRAME_ZERO); i++) {
        CHECK_EQUAL(f->word[i], 0);
    }
    if (model.entries_left == 0 || model.windows_closed || fails_now()) {
        return E_MEMORY;
    }
    f->maps++;
    f->self = 1;
    window_ready[window][page] = 1;
    char *at = machine_windows[window] + (size_t)page * PAGE_SIZE;
    CHECK(mprotect(at, PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
    return OK;
}

error_t machine_view(frame_t frame) {
    if (frame != MODEL_MODULE_FIRST || fails_now()) {
        return E_OWNER;
    }
    CHECK(mprotect(machine_windows[WINDOW_VIEW], PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
    image_write(machine_windows[WINDOW_VIEW]);
    machine_windows[WINDOW_VIEW][model.image_damage] ^= model.image_damage != 0;
    return OK;
}

uint32_t machine_frames_take(frame_t *list, uint32_t count) {
    uint32_t done = 0;
    for (; done < count && model.taken < model.frames; done++) {
        frame_t number = ++model.taken;
        frame_table[number] = (struct model_frame){.taken = 1};
        list[done] = number;
    }
    return done;
}

error_t machine_frame_return(frame_t frame) {
    CHECK(model_frame(frame)->maps == 0 && model_frame(frame)->taken && !model_frame(frame)->pinned);
    model_frame(frame)->taken = 0;
    return OK;
}

void machine_frames_pin(const frame_t *list, uint32_t count) {
    CHECK(count > 0 && count <= LIST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(model_frame(list[i])->taken && !model_frame(list[i])->pinned);
        model_frame(list[i])->pinned = 1;
    }
    model.pinned += count;
}

void machine_frames_unpin(const frame_t *list, uint32_t count) {
    CHECK(count > 0 && count <= LIST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct model_frame *frame = model_frame(list[i]);
        CHECK(frame->pinned && frame->reads == 0 && frame->writes == 0);
        frame->pinned = 0;
    }
    model.pinned -= count;
}

error_t machine_frame_copy(frame_t to, frame_t from, uint32_t end) {
    struct model_frame *f = model_frame(to);
    CHECK(f->maps == 0 && f->reads == 0 && f->writes == 0);
    CHECK(from >= MODEL_MODULE_FIRST && from < MODEL_MODULE_FIRST + MODEL_MODULE_PAGES);
    if (fails_now()) {
        return E_OWNER;
    }
    for (uint32_t i = 0; i < MODEL_WORDS; i++) {
        f->word[i] = i * (PAGE_SIZE / MODEL_WORDS) < end
                         ? model_file_word(from - MODEL_MODULE_FIRST, i) : 0;
    }
    return OK;
}

static uint32_t entry_take(struct model_entry *entry, bool unmap) {
    if (entry->frame == 0) {
        return 0;
    }
    uint32_t report = entry->frame << 8 | (entry->accessed ? FRAME_ACCESSED : 0) |
                      (entry->dirty ? FRAME_DIRTY : 0);
    if (unmap) {
        model_frame(entry->frame)->maps--;
        *entry = (struct model_entry){0};
    }
    return report;
}

void machine_unmap(handle_t task, struct map_item *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        CHECK(PAGE_OFFSET(items[i].page) == 0);
        items[i].frame = entry_take(&task_at(task)->entry[items[i].page >> PAGE_SHIFT], true);
    }
}

uint32_t machine_unmap_page(handle_t task, uint32_t page) {
    struct map_item item = {page << PAGE_SHIFT, 0};
    machine_unmap(task, &item, 1);
    return item.frame;
}

void machine_protect(handle_t task, struct map_item *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct model_entry *entry = &task_at(task)->entry[items[i].page >> PAGE_SHIFT];
        items[i].frame = entry_take(entry, false);
        CHECK(entry->frame == 0 || (items[i].page & MAP_READ));
        entry->rights = items[i].page & MAP_RIGHTS;
    }
}

error_t machine_scan(handle_t task, uint32_t first, uint32_t count, struct scan *scan) {
    CHECK(first >= LAYOUT_USER_FIRST / PAGE_SIZE && count <= SCAN_PAGES);
    memset(scan, 0, sizeof *scan);
    for (uint32_t i = 0; i < count; i++) {
        struct model_entry *entry = &task_at(task)->entry[first + i];
        if (entry->frame != 0) {
            scan->accessed[i / 32] |= (uint32_t)entry->accessed << i % 32;
            scan->dirty[i / 32] |= (uint32_t)entry->dirty << i % 32;
            entry->accessed = 0;
        }
    }
    return OK;
}

uint32_t machine_tables_trim(handle_t task) {
    (void)task;
    return 0;
}

static struct model_thread *waiting_find(token_t token) {
    for (uint32_t i = 0; i < MODEL_TASKS * MODEL_THREADS; i++) {
        struct model_task *task = &model.task[i / MODEL_THREADS];
        struct model_thread *thread = &task->thread[i % MODEL_THREADS];
        if (task->number != 0 && thread->token == token && token != 0) {
            return thread;
        }
    }
    return NULL;
}

error_t machine_reply_map(token_t token, const struct map_item *item) {
    struct model_thread *thread = waiting_find(token);
    if (thread == NULL) {
        return E_TOKEN;
    }
    struct model_task *task = thread->task;
    uint32_t page = item->page >> PAGE_SHIFT, rights = PAGE_OFFSET(item->page);
    frame_t number = ITEM_FRAME(*item);
    struct model_frame *frame = model_frame(number);
    CHECK(rights != 0 && (rights & ~MAP_RIGHTS) == 0);
    CHECK((rights & (MAP_WRITE | MAP_EXECUTE)) != (MAP_WRITE | MAP_EXECUTE));
    CHECK(page >= LAYOUT_USER_FIRST / PAGE_SIZE && page < LAYOUT_KERNEL / PAGE_SIZE);
    CHECK(frame->taken && !frame->self && frame->reads == 0);
    struct model_entry *entry = &task->entry[page];
    CHECK(entry->frame == 0 || entry->frame == number);
    CHECK(frame->maps == (entry->frame == number));  // private memory: nowhere else
    if (model.entries_left == 0 && entry->frame == 0) {
        return E_MEMORY;
    }
    if (item->frame & FRAME_ZERO) {
        CHECK(frame->writes == 0 && frame->maps == 0);
        memset(frame->word, 0, sizeof frame->word);
    }
    if (entry->frame == 0) {
        *entry = (struct model_entry){.frame = number};
        frame->maps++;
    }
    entry->rights = (uint8_t)rights;
    thread->token = 0;
    thread->state = THREAD_RUNS;
    return OK;
}

error_t machine_reply_error(token_t token, error_t error) {
    struct model_thread *thread = waiting_find(token);
    if (thread == NULL) {
        return E_TOKEN;
    }
    thread->token = 0;
    thread->state = THREAD_REFUSED;
    thread->error = error;
    return OK;
}

void machine_handle_drop(handle_t handle) {
    (void)task_at(handle);
}

void machine_trace_record(uint32_t kind, uint32_t task, uint32_t word0, uint32_t word1,
                          uint32_t word2) {
    struct trace_record record = {.kind = (uint16_t)kind, .peer = (uint16_t)task,
                                  .word = {word0, word1, word2}};
    CHECK(kind >= EVENT_admit && kind < 32 && kind != EVENT_task_name && kind != EVENT_lost);
    sim_run_add(decisions, &record);
}

static void replayed(void *context, const struct sim_run_result *result) {
    (void)context;
    if (result->problem != NULL) {
        test_fail(__FILE__, __LINE__, result->problem);
    }
}

void model_replay(void) {
    CHECK_EQUAL(sim_run_replay(decisions, replayed, NULL), 0);
}

// ---- tasks -----------------------------------------------------------------------------------

struct model_task *model_admit(uint32_t number) {
    struct program_start start;
    for (uint32_t i = 0; i < MODEL_TASKS; i++) {
        struct model_task *task = &model.task[i];
        if (task->number == 0) {
            field_name name = {"program"};
            if (program_admit(number, HANDLE(SLOT_FREE + i), &name, &start) != OK) {
                return NULL;
            }
            CHECK_EQUAL(start.entry, 0x08048200);
            CHECK(start.stack % 16 == 0 && start.stack < LAYOUT_STACK_TOP);
            *task = (struct model_task){.number = number};
            for (uint32_t t = 0; t < MODEL_THREADS; t++) {
                task->thread[t].task = task;
            }
            task->entry = calloc(LAYOUT_KERNEL / PAGE_SIZE, sizeof *task->entry);
            return task;
        }
    }
    return NULL;
}

void model_kill(struct model_task *task) {
    for (uint32_t page = 0; page < LAYOUT_KERNEL / PAGE_SIZE; page++) {
        (void)entry_take(&task->entry[page], true);
    }
    CHECK_EQUAL(program_retire(task->number), OK);
    free(task->entry);
    *task = (struct model_task){0};
}

static uint32_t fault_label(const struct model_entry *entry, bool write) {
    if (!write) {
        return LABEL_fault_read;
    }
    return entry->frame != 0 ? LABEL_fault_protection : LABEL_fault_write;
}

static void thread_fault(struct model_thread *thread, uint32_t label, uint32_t page) {
    struct fault fault = {label, thread->task->number, ++last_token, page << PAGE_SHIFT | 0x123,
                          0x08048200};
    struct answer answer = {0};
    thread->token = fault.token;
    thread->state = THREAD_WAITS;
    demand_serve(&fault, &answer);
    while (answer.kind == ANSWER_MAP) {
        error_t error = machine_reply_map(fault.token, &answer.item);
        if (error == OK) {
            return;
        }
        demand_amend(&fault, &answer, error);
    }
    if (answer.kind == ANSWER_ERROR) {
        CHECK_EQUAL(machine_reply_error(fault.token, answer.error), OK);
    }
}

bool model_access(struct model_thread *thread, uint32_t page, bool write,
                  uint32_t value[MODEL_WORDS]) {
    struct model_entry *entry = &thread->task->entry[page];
    if (entry->frame == 0 || (write && !(entry->rights & MAP_WRITE))) {
        thread_fault(thread, fault_label(entry, write), page);
        return false;
    }
    struct model_frame *frame = model_frame(entry->frame);
    entry->accessed = 1;
    entry->dirty |= write;
    memcpy(write ? frame->word : value, write ? value : frame->word, sizeof frame->word);
    return true;
}

// ---- the whole -------------------------------------------------------------------------------

static void windows_open(void) {
    for (uint32_t i = 0; i < WINDOW_COUNT; i++) {
        CHECK(mmap(machine_windows[i], (size_t)window_sizes[i] * PAGE_SIZE, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
              machine_windows[i]);
        window_ready[i] = calloc(window_sizes[i], 1);
    }
}

static void windows_close(void) {
    for (uint32_t i = 0; i < WINDOW_COUNT; i++) {
        munmap(machine_windows[i], (size_t)window_sizes[i] * PAGE_SIZE);
        free(window_ready[i]);
        window_ready[i] = NULL;
    }
}

void model_start(uint32_t frames, uint32_t store_pages, uint32_t seed) {
    model_stop();
    model = (struct model){.frames = frames, .entries_left = UINT32_MAX};
    seed_state = seed * 2 + 1;
    decisions = sim_run_new();
    frame_table = calloc(MODEL_FRAMES_MAX + 1, sizeof *frame_table);
    model_store_start(store_pages);
    windows_open();
    pager_init();
    field_name name = {"program"};
    CHECK_EQUAL(module_add(&name, MODEL_MODULE_FIRST, MODEL_MODULE_PAGES * PAGE_SIZE), OK);
    if (store_pages > 0) {
        CHECK_EQUAL(transfer_attach(store_pages), OK);
    }
}

void model_stop(void) {
    for (uint32_t i = 0; i < MODEL_TASKS; i++) {
        free(model.task[i].entry);
        model.task[i] = (struct model_task){0};
    }
    sim_run_free(decisions);
    decisions = NULL;
    free(frame_table);
    frame_table = NULL;
    model_store_stop();
    windows_close();
}

void model_check_empty(void) {
    uint32_t kept = 0;
    for (uint32_t slot = 1; slot < framelist_count; slot++) {
        kept += framelist_at(slot)->state == FRAME_META;
    }
    CHECK_EQUAL(framelist_idle + kept + 1, framelist_count);
    CHECK_EQUAL(metapage_used, 0);
    CHECK_EQUAL(swap_space.used, 0);
    for (uint32_t number = 1; number <= model.taken; number++) {
        CHECK(frame_table[number].maps == frame_table[number].self);
    }
}
