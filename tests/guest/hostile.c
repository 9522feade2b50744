// SPDX-License-Identifier: MIT
// Random callers: three tasks that hold handles of every kind with all rights call the kernel with
// every operation, label, handle and word that might hurt, end each other, and fault where they
// like. Nothing they do may stop the system or break a law. seed=N on the command line repeats a
// run, calls=N makes it longer.
#include "boot.h"
#include "world.h"

enum { CALLERS = 3, CALLS = 210000, POOL_FRAMES = 100, LAST = 32 };
#define SCRATCH 0x50000000u

struct dice {
    uint32_t state;
};

// xorshift32 (Marsaglia 2003)
static uint32_t roll(struct dice *dice) {
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 17;
    dice->state ^= dice->state << 5;
    return dice->state;
}

static uint32_t below(struct dice *dice, uint32_t end) {
    return roll(dice) % end;
}

// Words that sit at the edges of what the kernel checks.
static uint32_t word(struct dice *dice) {
    static const uint32_t edges[] = {
        0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 20, 30, 31, 32, 40, 60, 63, 64, 65, 100, 128, 200, 255,
        256, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 0xf000, 0xffff, LAYOUT_USER_FIRST,
        0x400000, 0x401000, SCRATCH, SCRATCH + PAGE_SIZE, SCRATCH | 3, SCRATCH | 5, SCRATCH | 7,
        LAYOUT_BUFFER, LAYOUT_INT80, LAYOUT_KERNEL - 1, LAYOUT_KERNEL, LAYOUT_KERNEL + 0x100000,
        0x7fffffff, 0x80000000, 0xfffff000, 0xfffffff0, 0xffffffff};
    switch (below(dice, 6)) {
    case 0:
        return roll(dice);
    case 1:
        return HANDLE(below(dice, LAST));
    case 2:
        return below(dice, LAST);
    case 3:
        return (SCRATCH + below(dice, 64) * PAGE_SIZE) | below(dice, 8);
    default:
        return edges[below(dice, ARRAY_LENGTH(edges))];
    }
}

// Labels of kernel objects, most often.
static uint32_t label(struct dice *dice) {
    static const uint16_t labels[] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, ...) LABEL_##interface##_##name,
#define IPC_FIRST 1
#define IPC_LAST 10
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
    };
    return below(dice, 16) == 0 ? roll(dice) & 0xffff : labels[below(dice, ARRAY_LENGTH(labels))];
}

static uint32_t words_of(uint32_t wanted) {
    switch (wanted) {
#define INTERFACE(...)
#define MESSAGE(interface, name, ...)      \
    case LABEL_##interface##_##name:       \
        return BODY_WORDS(struct interface##_##name##_in);
#define IPC_FIRST 1
#define IPC_LAST 10
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
    }
    return 2;
}

// What would end the test instead of the kernel: the CPU's reset, breaking laws on purpose, the
// kernel's log on the debug port without end, the exit device.
static bool forbidden(uint32_t wanted) {
    return wanted == LABEL_machine_restart || wanted == LABEL_machine_plant ||
           wanted == LABEL_machine_log;
}

static tag_t tag(struct dice *dice) {
    uint32_t wanted = label(dice);
    if (forbidden(wanted)) {
        wanted = LABEL_task_ping;
    }
    uint32_t words = below(dice, 8) == 0 ? below(dice, 128) : words_of(wanted);
    uint32_t handles = below(dice, 12) == 0 ? below(dice, 8) : 0;
    uint32_t items = below(dice, 24) == 0 ? below(dice, 32) : 0;
    tag_t made = TAG(wanted, words, handles, items);
    return below(dice, 64) == 0 ? made | 0x80000000u : made;
}

static void buffer_fill(struct dice *dice) {
    struct message_buffer *buffer = message_buffer();
    for (uint32_t i = 0; i < 20; i++) {
        buffer->word[i] = word(dice);
    }
    for (uint32_t i = 0; i < TAG_HANDLES_MAX; i++) {
        buffer->handle[i] = HANDLE(below(dice, LAST));
        buffer->offer[i] = HANDLE(below(dice, LAST));
    }
    for (uint32_t i = 0; i < TAG_ITEMS_MAX; i++) {
        buffer->item[i] = (struct map_item){word(dice), word(dice)};
    }
}

#define REPORT 0x58000000u  // a page that callers and test share

// What must outlive a caller's memory: its calls so far and its dice.
struct report {
    volatile uint32_t calls;
    struct dice dice;
    uint32_t spare[2];
};

static struct report *report_of(uint32_t caller) {
    return (struct report *)REPORT + caller;
}

static token_t tokens[16];  // that the caller saw

// Slot `type` of each caller holds an object of that type, slot type + 12 that of a neighbour.
static handle_t handle_for(struct dice *dice, uint32_t wanted) {
    uint32_t type = LABEL_INTERFACE(wanted);
    return below(dice, 6) == 0 || type > 10 ? HANDLE(below(dice, LAST))
                                            : HANDLE(type + 12 * below(dice, 2));
}

static uint32_t operation(struct dice *dice) {
    static const uint8_t often[] = {OP_POLL, OP_POLL, OP_REPLY, OP_REPLY, OP_REPLY, OP_SIGNAL,
                                    OP_SIGNAL, OP_REPLY_RECEIVE};
    uint32_t kind = below(dice, 64);
    return kind < 50 ? OP_CALL : kind < 62 ? often[kind % 8] : kind == 62 ? OP_RECEIVE
                                                                          : below(dice, 16);
}

static void one_call(struct dice *dice) {
    uint32_t what = operation(dice), esi = tag(dice);
    uint32_t ebx = below(dice, 4) == 0 ? roll(dice) : tokens[below(dice, ARRAY_LENGTH(tokens))];
    handle_t handle = HANDLE(below(dice, LAST));
    if (what == OP_CALL) {
        ebx = esi;
        handle = handle_for(dice, TAG_LABEL(ebx));
    }
    struct ipc_registers r = raw_enter(handle | what, ebx, esi, word(dice), word(dice));
    if (what != OP_CALL && !TAG_IS_ERROR(r.eax) && r.ebx != 0) {
        tokens[below(dice, ARRAY_LENGTH(tokens))] = r.ebx;
    }
}

static void one_fault(struct dice *dice) {
    uint32_t address = word(dice);
    switch (below(dice, 5)) {
    case 0:
        *(volatile uint8_t *)address = 1;
        break;
    case 1:
        *(volatile uint8_t *)(SCRATCH + below(dice, 64 * PAGE_SIZE)) = 1;
        break;
    case 2:
        __asm__ volatile("ud2");
        break;
    case 3:
        __asm__ volatile("int $0x80" : : : "memory", "eax");
        break;
    default:
        (void)*(volatile uint8_t *)address;
    }
}

static void hostile(struct actor *self) {
    struct report *report = report_of(self->argument);
    for (;;) {
        buffer_fill(&report->dice);
        report->calls++;
        if (below(&report->dice, 500) == 0) {
            one_fault(&report->dice);
        } else {
            one_call(&report->dice);
        }
    }
}

// --- the test's side -----------------------------------------------------------------------------

enum { SLOT_POOLS = SLOT_TEST, SLOT_PORT_ = SLOT_TEST + 8, SLOT_LINE, SLOT_IO, SLOT_NEW };
enum { PORT_RANK = 15, SCRATCH_FRAMES = 4 };

static struct actor *callers[CALLERS];
static frame_t scratch[SCRATCH_FRAMES];
static uint32_t rebuilt;

static void one_given(uint32_t i, handle_t source, uint32_t slot) {
    (void)!task_handle_drop(callers[i]->task, slot);
    CHECK_EQUAL(task_handle_give(callers[i]->task, source, slot, RIGHT_ALL & ~(source == MACHINE
                                 ? RIGHT_CONTROL | RIGHT_GRANT : 0), 0), OK);
}

static void caller_arm(uint32_t i) {
    uint32_t next = (i + 1) % CALLERS;
    handle_t pool = HANDLE(SLOT_POOLS + i);
    const handle_t own[][2] = {
        {pool, HANDLE(SLOT_POOLS + next)}, {callers[i]->task, callers[next]->task},
        {callers[i]->thread, callers[next]->thread}, {HANDLE(SLOT_PORT_), HANDLE(SLOT_PORT_)}};
    for (uint32_t type = 1; type <= 4; type++) {
        one_given(i, own[type - 1][0], type);
        one_given(i, own[type - 1][1], type + 12);
    }
    for (uint32_t type = 5; type <= 6; type++) {
        CHECK_EQUAL(type == 5 ? pool_event_create(pool, SLOT_NEW) : pool_timer_create(pool, SLOT_NEW),
                    OK);
        one_given(i, HANDLE(SLOT_NEW), type);
        one_given(next, HANDLE(SLOT_NEW), type + 12);
        CHECK_EQUAL(task_handle_drop(TASK, SLOT_NEW), OK);
    }
    one_given(i, HANDLE(SLOT_LINE), 7);
    one_given(i, HANDLE(SLOT_IO), 8);
    one_given(i, MACHINE, 9);
    one_given(i, TRACE, 10);
}

static void callers_make(void) {
    error_t error = machine_irq_create(MACHINE, SLOT_LINE, 9);  // they may have ended both
    CHECK(error == OK || error == E_SLOT);
    error = machine_ports_create(MACHINE, SLOT_IO, 0x80, 1);
    CHECK(error == OK || error == E_SLOT);
    for (uint32_t i = 0; i < CALLERS; i++) {
        CHECK_EQUAL(pool_create(POOL, SLOT_POOLS + i, POOL_FRAMES, 20, POOL_OBJECTS), OK);
        callers[i] = task_make_apart(HANDLE(SLOT_POOLS + i), 10, hostile, i);
        CHECK_EQUAL(task_fault_port(callers[i]->task, HANDLE(SLOT_PORT_), i), OK);
        CHECK_EQUAL(map_one(callers[i]->task, REPORT, MAP_READ | MAP_WRITE,
                            scratch[0]), OK);
    }
    for (uint32_t i = 0; i < CALLERS; i++) {
        caller_arm(i);
        CHECK_EQUAL(actor_restart(callers[i]), OK);
    }
}

// All that they made, whoever knows of it. One may have mapped another's frames, so all go at once.
static void callers_end(void) {
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < CALLERS; i++) {
            struct pool_reap_out out = {1};
            error_t error = OK;
            while (error == OK && out.left) {
                error = pool_reap(HANDLE(SLOT_POOLS + i), &out);
            }
            CHECK(error == OK || (error == E_MAPPED && round == 0) || error == E_HANDLE);
        }
    }
    for (uint32_t i = 0; i < CALLERS; i++) {
        error_t error = pool_destroy(HANDLE(SLOT_POOLS + i));
        CHECK(error == OK || error == E_HANDLE);
        actor_end(callers[i]);
    }
    rebuilt++;
}

// Answers what stands at the port, well or badly. Returns how many there were.
static uint32_t answer(struct dice *dice) {
    for (uint32_t count = 0;; count++) {
        struct received received;
        ipc_poll(HANDLE(SLOT_PORT_), &received);
        CHECK_EQUAL(thread_priority(THREAD, MAIN_PRIORITY), OK);
        if (TAG_IS_ERROR(received.tag)) {
            CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
            return count;
        }
        if (received.tag == LABEL_EVENT) {
            continue;
        }
        struct map_item item = {PAGE_DOWN(received.word[0]) | MAP_READ | MAP_WRITE,
                                scratch[1 + below(dice, SCRATCH_FRAMES - 1)] << 8};
        if (below(dice, 3) == 0 || ipc_reply_map(received.token, &item, 1) != OK) {
            (void)!ipc_reply(received.token, below(dice, 2) ? TAG_ERROR(E_DENIED) : 0, NULL);
        }
    }
}

static uint32_t calls_total(void) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < CALLERS; i++) {
        total += report_of(i)->calls;
    }
    return total;
}

static void nothing(struct actor *self) {
    (void)self;
}

// Let them run until all of them wait, or 20 ms.
static void callers_run(struct actor *idle) {
    actor_start(idle, 0);
    for (uint32_t ms = 0; ms < 20 && !idle->done; ms += 5) {
        world_pause_or(5, idle);
    }
}

static void report_map(uint32_t seed) {
    for (uint32_t i = 0; i < SCRATCH_FRAMES; i++) {
        scratch[i] = frame_get();
    }
    CHECK_EQUAL(map_one(TASK, REPORT, MAP_READ | MAP_WRITE, scratch[0]), OK);
    for (uint32_t i = 0; i < CALLERS; i++) {
        report_of(i)->dice.state = seed * 2654435761u + i * 40503u + 1;
    }
}

static void report_unmap(void) {
    CHECK_EQUAL(unmap_one(TASK, REPORT, NULL), OK);
    for (uint32_t i = 0; i < SCRATCH_FRAMES; i++) {
        frame_put(scratch[i]);
    }
}

TEST(random_calls, "200,000 random calls by three hostile tasks leave the system alive and lawful") {
    uint32_t seed = option_number("seed=", 1), goal = option_number("calls=", CALLS);
    struct dice dice = {seed * 747796405u + 1};
    struct machine_check_out check;
    note_number("seed ", seed);
    world_begin();
    rebuilt = 0;
    (void)port_make(SLOT_PORT_, PORT_RANK);
    report_map(seed);
    struct actor *idle = thread_make(NULL, 1, nothing);
    callers_make();
    for (uint32_t before = 0, still = 0; calls_total() < goal; before = calls_total()) {
        callers_run(idle);
        uint32_t answered = answer(&dice);
        still = calls_total() != before || answered > 0 ? 0 : still + 1;
        for (uint32_t i = 0; still == 1 && i < CALLERS; i++) {
            (void)!actor_restart(callers[i]);
        }
        if (still > 1 || below(&dice, 400) == 0) {
            callers_end();
            CHECK_EQUAL(machine_check(MACHINE, &check), OK);
            CHECK_EQUAL(check.violations, 0);
            callers_make();
            still = 0;
        }
    }
    callers_end();
    note_number("calls ", calls_total());
    note_number("worlds ", rebuilt);
    actor_end(idle);
    (void)!irq_destroy(HANDLE(SLOT_LINE));
    (void)!ports_destroy(HANDLE(SLOT_IO));
    port_end(HANDLE(SLOT_PORT_));
    report_unmap();
    world_end();
}
