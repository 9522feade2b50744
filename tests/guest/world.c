// SPDX-License-Identifier: MIT
#include "world.h"

#define PAGES_MAX 128u
#define STACK_BYTES 8192u
#define COPIES_MAX 64u
#define BUFFERS 0xbff60000u  // of threads beside a task's first
#define LIMIT_MS 120000u
#define SETTLE_NS 20000u
#define SETTLE_EVENT HANDLE(SLOT_SETTLE)
#define SETTLE_TIMER HANDLE(SLOT_SETTLE + 1)
#define LIMIT_BIT (1u << 31)
#define PAUSE_BIT (1u << 30)

static struct actor actors[ACTORS];
static struct actor *actor_used[ACTORS];
static char stacks[ACTORS][STACK_BYTES] __attribute__((aligned(16)));
static struct map_item image[PAGES_MAX];  // the test's own pages, as map items
static uint32_t image_count;
static frame_t copies[ACTORS][COPIES_MAX];  // frames of tasks that live apart
static uint32_t copy_count[ACTORS];
static uint32_t pending;  // bits of the event, taken in and not yet waited for
static bool dirty;        // a test ended half way

__attribute__((used, noreturn)) static void actor_main(struct actor *actor) {
    actor->run(actor);
    actor->done = true;
    for (;;) {
        (void)!ipc_signal(HANDLE(SLOT_DONE + actor->index));
        (void)!thread_suspend(HANDLE(SLOT_SELF + actor->index));
    }
}

__attribute__((naked, noreturn)) static void actor_entry(void) {
    __asm__("push %eax\n\tcall actor_main");
}

// --- begin and end -------------------------------------------------------------------------------

static void image_read(void) {
    struct task_entries_read_out out = {.next = 0x400000};
    while (out.next < LAYOUT_MAP_FIRST) {
        CHECK_EQUAL(task_entries_read(TASK, out.next, PAGES_MAX, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            struct map_item item = message_buffer()->list[i];
            if (item.page < LAYOUT_MAP_FIRST) {
                CHECK(image_count < PAGES_MAX);
                image[image_count++] = (struct map_item){item.page, ITEM_FRAME(item) << 8};
            }
        }
    }
}

static void port_clean(handle_t port) {
    struct pool_port_destroy_out out = {1};
    for (uint32_t pool = SLOT_TEST; pool < SLOT_TEST + 4; pool++) {
        if (raw_error(HANDLE(pool), TAG_ERROR(E_IO)) == E_MESSAGE) {
            while (pool_port_destroy(HANDLE(pool), port, &out) == OK && out.left > 0) {
            }
        }
    }
    while (pool_port_destroy(POOL, port, &out) == OK && out.left > 0) {
    }
}

// A call with an error for a tag is refused by ports and by kernel objects in different words.
static void slot_clean(uint32_t slot) {
    handle_t handle = HANDLE(slot);
    error_t kind = raw_error(handle, TAG_ERROR(E_IO));
    if (kind != E_MESSAGE) {
        port_clean(handle);
        return;
    }
    struct task_destroy_out left = {1};
    while (task_destroy(handle, &left) == OK && left.left > 0) {
    }
    (void)!event_destroy(handle);
    (void)!timer_destroy(handle);
    (void)!irq_destroy(handle);
    (void)!ports_destroy(handle);
    (void)!iomem_destroy(handle);
    (void)!thread_destroy(handle);
}

static void slots_clean(void) {
    for (uint32_t slot = SLOT_ACTOR; slot < SLOT_TEST_END; slot++) {
        slot_clean(slot);
    }
    for (uint32_t slot = SLOT_TEST; slot < SLOT_TEST_END; slot++) {
        (void)!pool_destroy(HANDLE(slot));
        (void)!task_handle_drop(TASK, slot);
    }
}

void world_clean(void) {
    if (dirty) {
        slots_clean();
        world_end();
    }
}

void world_begin(void) {
    world_clean();
    dirty = true;
    pending = 0;
    if (image_count == 0) {
        image_read();
    }
    CHECK_EQUAL(pool_event_create(POOL, SLOT_EVENT), OK);
    CHECK_EQUAL(pool_timer_create(POOL, SLOT_TIMER), OK);
    CHECK_EQUAL(pool_event_create(POOL, SLOT_SETTLE), OK);
    CHECK_EQUAL(pool_timer_create(POOL, SLOT_SETTLE + 1), OK);
    CHECK_EQUAL(thread_event(THREAD, WORLD_EVENT), OK);
}

void world_end(void) {
    for (uint32_t i = 0; i < ACTORS; i++) {
        if (actor_used[i] != NULL) {
            actor_end(actor_used[i]);
        }
    }
    (void)!event_destroy(WORLD_EVENT);
    (void)!timer_destroy(WORLD_TIMER);
    (void)!event_destroy(SETTLE_EVENT);
    (void)!timer_destroy(SETTLE_TIMER);
    struct task_tables_trim_out trimmed;
    CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
    CHECK_EQUAL(thread_priority(THREAD, MAIN_PRIORITY), OK);
    dirty = false;
}

// --- actors --------------------------------------------------------------------------------------

static struct actor *actor_take(void (*run)(struct actor *)) {
    uint32_t index = 0;
    while (index < ACTORS && actor_used[index] != NULL) {
        index++;
    }
    CHECK(index < ACTORS);
    struct actor *actor = &actors[index];
    *actor = (struct actor){.index = index, .run = run,
                            .task = HANDLE(SLOT_ACTOR + 2 * index),
                            .thread = HANDLE(SLOT_ACTOR + 2 * index + 1)};
    actor_used[index] = actor;
    return actor;
}

static void actor_handles(struct actor *actor) {
    uint32_t index = actor->index;
    CHECK_EQUAL(task_handle_drop(actor->task, SLOT_DONE + index), OK);
    CHECK_EQUAL(task_handle_give(actor->task, WORLD_EVENT, SLOT_DONE + index, RIGHT_SIGNAL,
                                 1u << index), OK);
    CHECK_EQUAL(task_handle_give(actor->task, actor->thread, SLOT_SELF + index, RIGHT_ALL, 0), OK);
}

static void image_share(handle_t task) {
    for (uint32_t done = 0; done < image_count;) {
        for (uint32_t i = done; i < image_count; i++) {
            message_buffer()->list[i - done] = image[i];
        }
        struct task_map_out out;
        CHECK_EQUAL(task_map(task, image_count - done, &out), OK);
        done += out.done;
    }
}

// The writable pages as they are now, in frames of their own.
static void image_copy(struct actor *actor) {
    uint32_t index = actor->index;
    for (uint32_t i = 0; i < image_count; i++) {
        frame_t frame = ITEM_FRAME(image[i]);
        if (image[i].page & MAP_WRITE) {
            CHECK(copy_count[index] < COPIES_MAX);
            frame = copies[index][copy_count[index]++] = frame_get();
            CHECK_EQUAL(pool_frame_copy(POOL, frame, ITEM_FRAME(image[i]), POOL, 0, PAGE_SIZE),
                        OK);
        }
        CHECK_EQUAL(map_one(actor->task, PAGE_DOWN(image[i].page), PAGE_OFFSET(image[i].page),
                            frame), OK);
    }
}

static void actor_finish(struct actor *actor) {
    CHECK_EQUAL(task_thread_create(actor->task, HANDLE_INDEX(actor->thread), LAYOUT_BUFFER,
                                   ACTOR_PRIORITY), OK);
    CHECK_EQUAL(map_one(actor->task, LAYOUT_CLOCK, MAP_READ, start_info()->clock), OK);
    CHECK_EQUAL(task_handle_give(actor->task, actor->task, SLOT_TASK, RIGHT_ALL, 0), OK);
    CHECK_EQUAL(task_handle_give(actor->task, actor->thread, SLOT_THREAD, RIGHT_ALL, 0), OK);
    actor_handles(actor);
}

struct actor *task_make(handle_t pool, uint32_t rank, void (*run)(struct actor *)) {
    struct actor *actor = actor_take(run);
    CHECK_EQUAL(pool_task_create(pool, HANDLE_INDEX(actor->task), rank, ACTOR_CEILING,
                                 100 + actor->index), OK);
    image_share(actor->task);
    actor_finish(actor);
    return actor;
}

struct actor *task_make_apart(handle_t pool, uint32_t rank, void (*run)(struct actor *),
                              uint32_t argument) {
    struct actor *actor = actor_take(run);
    actor->argument = argument;
    CHECK_EQUAL(pool_task_create(pool, HANDLE_INDEX(actor->task), rank, ACTOR_PRIORITY,
                                 100 + actor->index), OK);
    image_copy(actor);
    actor_finish(actor);
    return actor;
}

struct actor *thread_make(struct actor *of, uint32_t priority, void (*run)(struct actor *)) {
    struct actor *actor = actor_take(run);
    actor->task = of == NULL ? TASK : of->task;
    CHECK_EQUAL(task_thread_create(actor->task, HANDLE_INDEX(actor->thread),
                                   BUFFERS + actor->index * PAGE_SIZE, priority), OK);
    actor_handles(actor);
    return actor;
}

error_t actor_restart(struct actor *actor) {
    error_t error = thread_suspend(actor->thread);  // it may have said it is done, not ended yet
    uint32_t top = (uint32_t)(uintptr_t)stacks[actor->index] + STACK_BYTES;
    return error != OK ? error
                       : thread_start(actor->thread, (uint32_t)(uintptr_t)actor_entry, top - 12,
                                      (uint32_t)(uintptr_t)actor);
}

void actor_start(struct actor *actor, uint32_t argument) {
    actor->argument = argument;
    actor->done = false;
    pending &= ~(1u << actor->index);
    CHECK_EQUAL(actor_restart(actor), OK);
}

void actor_end(struct actor *actor) {
    (void)!thread_destroy(actor->thread);
    if (HANDLE_INDEX(actor->task) >= SLOT_ACTOR) {
        struct task_destroy_out out = {1};
        while (task_destroy(actor->task, &out) == OK && out.left > 0) {
        }
    }
    while (copy_count[actor->index] > 0) {
        frame_put(copies[actor->index][--copy_count[actor->index]]);
    }
    actor_used[actor->index] = NULL;
}

void actor_give(struct actor *actor, handle_t source, uint32_t number, uint32_t rights,
                badge_t badge) {
    CHECK_EQUAL(task_handle_give(actor->task, source, SLOT_GIVEN + number, rights, badge), OK);
}

struct actor *caller_make(handle_t port, badge_t badge, void (*run)(struct actor *)) {
    struct actor *caller = task_make(POOL, 10, run);
    actor_give(caller, port, 0, RIGHT_CALL, badge);
    return caller;
}

// --- what actors do ------------------------------------------------------------------------------

void actor_calls(struct actor *self) {
    uint32_t in = self->argument, out = 0;
    self->result[0] = ipc_call(HANDLE(SLOT_GIVEN), WORLD_LABEL, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

void actor_echoes(struct actor *self) {
    handle_t port = HANDLE(SLOT_GIVEN);
    struct received received;
    ipc_receive(port, &received);
    for (;;) {
        self->result[0]++;
        ipc_reply_receive(port, received.token, TAG(WORLD_LABEL, 1, 0, 0), received.word,
                          &received);
    }
}

void actor_receives(struct actor *self) {
    struct received received;
    (void)self;
    ipc_receive(HANDLE(SLOT_GIVEN), &received);
}

void actor_counts(struct actor *self) {
    for (;;) {
        self->result[0]++;
    }
}

// --- waiting -------------------------------------------------------------------------------------

static void alarm(uint32_t ms, uint32_t bit) {
    uint64_t ns = (uint64_t)ms * 1000000;
    CHECK_EQUAL(timer_set(WORLD_TIMER, (uint32_t)ns, (uint32_t)(ns >> 32), WORLD_EVENT, bit), OK);
}

static void bits_wait(uint32_t bits) {
    while (!(pending & bits)) {
        struct received received;
        ipc_receive(0, &received);
        CHECK_EQUAL(received.tag, LABEL_EVENT);
        pending |= received.word[0];
    }
}

void actor_wait(struct actor *actor) {
    alarm(LIMIT_MS, LIMIT_BIT);
    bits_wait(1u << actor->index | LIMIT_BIT);
    CHECK_EQUAL(timer_cancel(WORLD_TIMER), OK);
    bool in_time = pending & 1u << actor->index;
    pending &= ~(1u << actor->index | LIMIT_BIT);
    CHECK(in_time);
    CHECK(actor->done);
}

void world_pause(uint32_t ms) {
    pending &= ~PAUSE_BIT;
    alarm(ms, PAUSE_BIT);
    bits_wait(PAUSE_BIT);
}

static uint64_t idle_time(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return (uint64_t)info.idle_high << 32 | info.idle_low;
}

// Sleeps, with an event of its own, until the CPU had nobody to run.
void world_settle(void) {
    CHECK_EQUAL(thread_event(THREAD, SETTLE_EVENT), OK);
    for (uint64_t before = idle_time(); idle_time() == before;) {
        struct received received;
        CHECK_EQUAL(timer_set(SETTLE_TIMER, SETTLE_NS, 0, SETTLE_EVENT, 1), OK);
        ipc_receive(0, &received);
        CHECK_EQUAL(received.tag, LABEL_EVENT);
    }
    CHECK_EQUAL(thread_event(THREAD, WORLD_EVENT), OK);
}

void world_pause_or(uint32_t ms, struct actor *actor) {
    pending &= ~PAUSE_BIT;
    alarm(ms, PAUSE_BIT);
    bits_wait(PAUSE_BIT | 1u << actor->index);
}

bool actor_finished(struct actor *actor) {
    world_settle();
    return actor->done;
}

void world_wait_above(const volatile uint32_t *counter, uint32_t least) {
    enum { STEP_MS = 10 };
    for (uint32_t ms = 0; *counter <= least && ms < LIMIT_MS; ms += STEP_MS) {
        world_pause(STEP_MS);
    }
    CHECK(*counter > least);
}

void port_next(handle_t port, struct received *received) {
    alarm(LIMIT_MS, LIMIT_BIT);
    do {
        ipc_receive(port, received);
        if (received->tag == LABEL_EVENT) {
            pending |= received->word[0];
            CHECK(!(pending & LIMIT_BIT));
        }
    } while (received->tag == LABEL_EVENT);
    CHECK_EQUAL(timer_cancel(WORLD_TIMER), OK);
    pending &= ~LIMIT_BIT;
}

// --- objects -------------------------------------------------------------------------------------

handle_t port_make(uint32_t slot, uint32_t rank) {
    CHECK_EQUAL(pool_port_create(POOL, slot, rank), OK);
    return HANDLE(slot);
}

handle_t world_port(void) {
    return port_make(SLOT_TEST + 5, WORLD_RANK);
}

handle_t event_make(uint32_t slot) {
    CHECK_EQUAL(pool_event_create(POOL, slot), OK);
    return HANDLE(slot);
}

handle_t pool_make(uint32_t slot, uint32_t frames) {
    CHECK_EQUAL(pool_create(POOL, slot, frames, 0, POOL_OBJECTS), OK);
    return HANDLE(slot);
}

uint32_t pool_used(handle_t pool) {
    struct pool_info_out out;
    CHECK_EQUAL(pool_info(pool, &out), OK);
    return out.used;
}

void port_end(handle_t port) {
    struct pool_port_destroy_out out;
    do {
        CHECK_EQUAL(pool_port_destroy(POOL, port, &out), OK);
    } while (out.left > 0);
}

bool slot_empty(uint32_t slot) {
    return raw_error(HANDLE(slot), TAG_ERROR(E_IO)) == E_HANDLE;
}

frame_t frame_get(void) {
    struct pool_frames_alloc_out out;
    CHECK_EQUAL(pool_frames_alloc(POOL, 1, 0, &out), OK);
    return ITEM_FRAME(message_buffer()->list[0]);
}

void frame_put(frame_t frame) {
    struct pool_frames_free_out out;
    message_buffer()->list[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_free(POOL, 1, &out), OK);
}

error_t map_one(handle_t task, vaddr_t page, uint32_t rights, frame_t frame) {
    struct task_map_out out;
    message_buffer()->list[0] = (struct map_item){page | rights, frame << 8};
    return task_map(task, 1, &out);
}

error_t unmap_one(handle_t task, vaddr_t page, struct map_item *was) {
    struct task_unmap_out out;
    message_buffer()->list[0] = (struct map_item){page, 0};
    error_t error = task_unmap(task, 1, &out);
    if (was != NULL) {
        *was = message_buffer()->list[0];
    }
    return error;
}

struct ipc_registers raw_enter(uint32_t eax, uint32_t ebx, uint32_t esi, uint32_t edi,
                               uint32_t ebp) {
    struct ipc_registers r = {eax, ebx, esi, edi, ebp};
    ipc_enter(&r);
    return r;
}
