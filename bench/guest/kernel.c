// SPDX-License-Identifier: MIT
// What the kernel's operations cost. Under -icount shift=0 one tick of the time stamp counter is one
// instruction, so that medians are exact path lengths, the same on every host. One line each:
//   bench NAME median N entries E cr3 C     (kernel entries and CR3 loads of a hundred operations)
// Says nothing of caches and of the time that a trap takes.
#include "../../tests/guest/world.h"

enum { SAMPLES = 400, LABEL = 0x2001, PORT_RANK = 25 };
#define GIVEN HANDLE(SLOT_GIVEN)
#define PAGE 0x50000000u

static uint32_t samples[SAMPLES];
static frame_t frames[SAMPLES];
static uint32_t frame_flags;

// The five registers in, the five out, and no more instructions than that takes. ebp travels in
// ecx on both sides of the entry.
static inline struct ipc_registers enter(uint32_t eax, uint32_t ebx, uint32_t esi, uint32_t edi,
                                         uint32_t ebp) {
    __asm__ volatile(
        "push %%ebp\n\t"
        "mov %%ecx, %%ebp\n\t"
        "mov %%esp, %%ecx\n\t"
        "mov $1f, %%edx\n\t"
        "sysenter\n"
        "1:\n\t"
        "mov %%ebp, %%ecx\n\t"
        "pop %%ebp"
        : "+a"(eax), "+b"(ebx), "+S"(esi), "+D"(edi), "+c"(ebp)
        :
        : "edx", "memory");
    return (struct ipc_registers){eax, ebx, esi, edi, ebp};
}

static inline uint32_t ticks(void) {
    uint32_t low;
    __asm__ volatile("rdtsc" : "=a"(low) : : "edx", "memory");
    return low;
}

// --- figures -------------------------------------------------------------------------------------

static struct machine_info_out before;
static uint32_t empty;  // what the measurement itself takes

static void measure_begin(void) {
    for (uint32_t i = 0; i < SAMPLES; i++) {
        samples[i] = 0;
    }
    empty = UINT32_MAX;
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t start = ticks();
        uint32_t passed = ticks() - start;
        empty = MIN_OF(empty, passed);
    }
    CHECK_EQUAL(machine_info(MACHINE, &before), OK);
}

static uint32_t median(void) {
    for (uint32_t i = 1; i < SAMPLES; i++) {
        uint32_t value = samples[i], at = i;
        for (; at > 0 && samples[at - 1] > value; at--) {
            samples[at] = samples[at - 1];
        }
        samples[at] = value;
    }
    return samples[SAMPLES / 2];
}

static uint32_t text_add(char *line, uint32_t at, const char *text) {
    while (*text != 0) {
        line[at++] = *text++;
    }
    return at;
}

static uint32_t number_add(char *line, uint32_t at, uint32_t value) {
    char digits[10];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        line[at++] = digits[--count];
    }
    return at;
}

// `parts`: operations in one sample.
static void measure_end(const char *name, uint32_t parts) {
    struct machine_info_out after;
    CHECK_EQUAL(machine_info(MACHINE, &after), OK);
    char line[128];
    uint32_t at = text_add(line, 0, "bench ");
    at = text_add(line, at, name);
    at = text_add(line, at, " median ");
    at = number_add(line, at, (median() - empty) / parts);
    at = text_add(line, at, " entries ");
    at = number_add(line, at, (after.entries_low - before.entries_low) * 100 / (SAMPLES * parts));
    at = text_add(line, at, " cr3 ");
    at = number_add(line, at, (after.cr3_low - before.cr3_low) * 100 / (SAMPLES * parts));
    line[at++] = '\n';
    test_print(line, at);
}

// --- calls ---------------------------------------------------------------------------------------

TEST(null_call, "a ping of the own task") {
    measure_begin();
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t start = ticks();
        enter(TASK | OP_CALL, LABEL_task_ping, 0, 0, 0);
        samples[i] = ticks() - start;
    }
    measure_end("null_call", 1);
}

static void caller(struct actor *self) {
    tag_t tag = TAG(LABEL, self->argument, 0, 0);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t start = ticks();
        enter(GIVEN | OP_CALL, tag, 0, i, i);
        samples[i] = ticks() - start;
    }
}

static void server(struct actor *self) {
    tag_t tag = TAG(LABEL, self->argument, 0, 0);
    struct ipc_registers r = enter(GIVEN | OP_RECEIVE, 0, 0, 0, 0);
    for (;;) {
        r = enter(GIVEN | OP_REPLY_RECEIVE, r.ebx, tag, r.edi, r.ebp);
    }
}

static void round_trip(const char *name, uint32_t count) {
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *callee = task_make(POOL, 20, server), *client = task_make(POOL, 10, caller);
    actor_give(callee, port, 0, RIGHT_RECEIVE, 0);
    actor_give(client, port, 0, RIGHT_CALL, 5);
    actor_start(callee, count);
    world_settle();
    measure_begin();
    actor_start(client, count);
    actor_wait(client);
    measure_end(name, 1);
    world_end();
    port_end(port);
}

TEST(ipc, "call and reply between two address spaces") {
    round_trip("ipc_0", 0);
    round_trip("ipc_2", 2);
    round_trip("ipc_3", 3);
    round_trip("ipc_64", 64);
}

// --- signals -------------------------------------------------------------------------------------

static volatile uint32_t signalled, heard;

static void listener(struct actor *self) {
    (void)self;
    for (;;) {
        enter(OP_RECEIVE, 0, 0, 0, 0);
        heard = ticks();
    }
}

static void signaller(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        signalled = ticks();
        enter(GIVEN | OP_SIGNAL, 0, 0, 0, 0);
        samples[i] = heard - signalled;
    }
}

TEST(signal, "a signal to a waiting thread of higher priority in another address space") {
    world_begin();
    handle_t event = event_make(SLOT_TEST);
    struct actor *high = task_make(POOL, 20, listener), *low = task_make(POOL, 10, signaller);
    CHECK_EQUAL(thread_event(high->thread, event), OK);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_PRIORITY + 1), OK);
    actor_give(low, event, 0, RIGHT_SIGNAL, 1);
    actor_start(high, 0);
    world_settle();
    measure_begin();
    actor_start(low, 0);
    actor_wait(low);
    measure_end("signal", 1);
    world_end();
    CHECK_EQUAL(event_destroy(event), OK);
}

// --- memory --------------------------------------------------------------------------------------

TEST(map_unmap, "map and unmap one page of the own space") {
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE + PAGE_SIZE, MAP_READ, frame), OK);  // the table is there
    struct map_item *list = message_buffer()->list;
    measure_begin();
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t start = ticks();
        list[0] = (struct map_item){PAGE | MAP_READ | MAP_WRITE, frame << 8};
        enter(TASK | OP_CALL, TAG(LABEL_task_map, 1, 0, 0), 0, 1, 0);
        list[0] = (struct map_item){PAGE, 0};
        enter(TASK | OP_CALL, TAG(LABEL_task_unmap, 1, 0, 0), 0, 1, 0);
        samples[i] = ticks() - start;
    }
    measure_end("map_unmap", 1);
    CHECK_EQUAL(unmap_one(TASK, PAGE + PAGE_SIZE, NULL), OK);
    frame_put(frame);
    world_end();
}

TEST(populate, "take sixteen zeroed frames and map them, per page") {
    enum { PAGES = 16 };
    static struct map_item items[PAGES];
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE + 0x100000, MAP_READ, frame), OK);
    struct map_item *list = message_buffer()->list;
    measure_begin();
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t start = ticks();
        enter(POOL | OP_CALL, TAG(LABEL_pool_frames_alloc, 2, 0, 0), 0, PAGES, 0);
        for (uint32_t k = 0; k < PAGES; k++) {
            list[k].page = (PAGE + k * PAGE_SIZE) | MAP_READ | MAP_WRITE;
        }
        enter(TASK | OP_CALL, TAG(LABEL_task_map, 1, 0, 0), 0, PAGES, 0);
        samples[i] = ticks() - start;
        for (uint32_t k = 0; k < PAGES; k++) {
            list[k].page = PAGE + k * PAGE_SIZE;
        }
        struct task_unmap_out gone;
        CHECK_EQUAL(task_unmap(TASK, PAGES, &gone), OK);
        for (uint32_t k = 0; k < PAGES; k++) {
            items[k] = (struct map_item){0, ITEM_FRAME(list[k]) << 8};
        }
        for (uint32_t k = 0; k < PAGES; k++) {
            list[k] = items[k];
        }
        struct pool_frames_free_out freed;
        CHECK_EQUAL(pool_frames_free(POOL, PAGES, &freed), OK);
    }
    measure_end("populate", PAGES);
    CHECK_EQUAL(unmap_one(TASK, PAGE + 0x100000, NULL), OK);
    frame_put(frame);
    world_end();
}

// --- faults --------------------------------------------------------------------------------------

// Answers each fault with the next frame.
static void pager(struct actor *self) {
    (void)self;
    struct ipc_registers r = enter(GIVEN | OP_RECEIVE, 0, 0, 0, 0);
    for (uint32_t next = 0; next < SAMPLES; next++) {
        r = enter(GIVEN | OP_REPLY_RECEIVE, r.ebx, TAG(0, 0, 0, 1),
                  PAGE_DOWN(r.edi) | MAP_READ | MAP_WRITE, frames[next] << 8 | frame_flags);
    }
}

static void toucher(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        volatile uint32_t *word = (volatile uint32_t *)(PAGE + i * PAGE_SIZE);
        uint32_t start = ticks();
        *word = 1;
        samples[i] = ticks() - start;
    }
}

static void fault_measure(const char *name, uint32_t flags) {
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *handler = task_make(POOL, 20, pager), *victim = task_make(POOL, 10, toucher);
    actor_give(handler, port, 0, RIGHT_RECEIVE, 0);
    CHECK_EQUAL(task_fault_port(victim->task, port, 7), OK);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        frames[i] = frame_get();
    }
    frame_flags = flags;
    actor_start(handler, 0);
    world_settle();
    measure_begin();
    actor_start(victim, 0);
    actor_wait(victim);
    measure_end(name, 1);
    actor_end(victim);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        frame_put(frames[i]);
    }
    world_end();
    port_end(port);
}

TEST(fault, "a page fault served by another task, the map in its reply") {
    fault_measure("fault", 0);
    fault_measure("fault_zeroed", FRAME_ZERO);
}

// Gives the right to write back to the page that faulted.
static void guard(struct actor *self) {
    (void)self;
    struct ipc_registers r = enter(GIVEN | OP_RECEIVE, 0, 0, 0, 0);
    for (;;) {
        token_t token = r.ebx;
        message_buffer()->list[0] = (struct map_item){PAGE_DOWN(r.edi) | MAP_READ | MAP_WRITE, 0};
        enter(HANDLE(SLOT_GIVEN + 1) | OP_CALL, TAG(LABEL_task_protect, 1, 0, 0), 0, 1, 0);
        r = enter(GIVEN | OP_REPLY_RECEIVE, token, 0, 0, 0);
    }
}

static void protector(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t start = ticks();
        message_buffer()->list[0] = (struct map_item){PAGE | MAP_READ, 0};
        enter(HANDLE(SLOT_TASK) | OP_CALL, TAG(LABEL_task_protect, 1, 0, 0), 0, 1, 0);
        *(volatile uint32_t *)PAGE = i;
        samples[i] = ticks() - start;
    }
}

TEST(protect, "protect a page, write to it, let the handler unprotect it (Appel and Li 1991)") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *handler = task_make(POOL, 20, guard), *victim = task_make(POOL, 10, protector);
    actor_give(handler, port, 0, RIGHT_RECEIVE, 0);
    actor_give(handler, victim->task, 1, RIGHT_MAP, 0);
    CHECK_EQUAL(task_fault_port(victim->task, port, 7), OK);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(victim->task, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    actor_start(handler, 0);
    world_settle();
    measure_begin();
    actor_start(victim, 0);
    actor_wait(victim);
    measure_end("protect_trap", 1);
    actor_end(victim);
    frame_put(frame);
    world_end();
    port_end(port);
}
