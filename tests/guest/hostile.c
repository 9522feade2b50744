// SPDX-License-Identifier: MIT
// Random callers: three tasks that hold all kinds of handles, two of them with all rights, call the
// kernel with every operation, label, handle and word that might hurt, and fault where they like.
// Nothing they do may stop the system or break a law. seed=N on the command line repeats a run,
// calls=N makes it longer.
#include "boot.h"
#include "world.h"

enum { CALLERS = 3, CALLS = 210000, POOL_FRAMES = 120, FIRST = 1, LAST = 40 };
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

static token_t tokens[16];  // seen by any of them

// Most calls fit the object: a handle of the right type lies in slots FIRST + type.
static handle_t handle_for(struct dice *dice, uint32_t wanted) {
    uint32_t type = LABEL_INTERFACE(wanted);
    return below(dice, 4) == 0 || type > 10 ? HANDLE(below(dice, LAST) + FIRST)
                                            : HANDLE(FIRST + type + 12 * below(dice, 2));
}

static void one_call(struct dice *dice) {
    uint32_t kind = below(dice, 32);
    uint32_t operation = kind < 20 ? OP_CALL : kind < 22 ? OP_POLL : kind < 24 ? OP_REPLY
                         : kind < 27 ? OP_SIGNAL : kind < 28 ? OP_REPLY_RECEIVE
                         : kind < 29 ? OP_RECEIVE : below(dice, 16);
    uint32_t ebx, esi = tag(dice);
    handle_t handle = HANDLE(below(dice, LAST) + FIRST);
    if (operation == OP_CALL) {
        ebx = esi;
        handle = handle_for(dice, TAG_LABEL(ebx));
    } else {
        ebx = below(dice, 4) == 0 ? roll(dice) : tokens[below(dice, ARRAY_LENGTH(tokens))];
    }
    struct ipc_registers r = raw_enter(handle | operation, ebx, esi, word(dice), word(dice));
    if (operation != OP_CALL && !TAG_IS_ERROR(r.eax) && r.ebx != 0) {
        tokens[below(dice, ARRAY_LENGTH(tokens))] = r.ebx;
    }
}

static void one_fault(struct dice *dice) {
    uint32_t address = word(dice);
    switch (below(dice, 4)) {
    case 0:
        (void)*(volatile uint8_t *)address;
        break;
    case 1:
        *(volatile uint8_t *)(SCRATCH + below(dice, 64 * PAGE_SIZE)) = 1;
        break;
    case 2:
        __asm__ volatile("ud2");
        break;
    default:
        __asm__ volatile("int $0x80" : : : "memory", "eax");
    }
}

static volatile uint32_t calls_made;

// Writes go to its own scratch pages and message buffer only: what it shares with the test is the
// test's memory, which the kernel does not defend.
static void hostile(struct actor *self) {
    struct dice dice = {self->argument};
    for (;;) {
        buffer_fill(&dice);
        calls_made++;
        self->result[0]++;
        if (below(&dice, 200) == 0) {
            one_fault(&dice);
        } else {
            one_call(&dice);
        }
    }
}

static struct actor *callers[CALLERS];
static handle_t pool, port;

// Slots FIRST + type and FIRST + 12 + type of the task: an object of that type.
static void armed(struct actor *caller, uint32_t rights) {
    static uint32_t spare;
    handle_t task = caller->task;
    const handle_t own[] = {pool, caller->task, caller->thread, port};
    for (uint32_t i = 0; i < ARRAY_LENGTH(own); i++) {
        (void)!task_handle_drop(task, FIRST + 1 + i);
        CHECK_EQUAL(task_handle_give(task, own[i], FIRST + 1 + i, rights, 0), OK);
        (void)!task_handle_drop(task, FIRST + 13 + i);
        struct actor *other = callers[spare++ % CALLERS];
        handle_t second = i == 1 ? other->task : i == 2 ? other->thread : own[i];
        CHECK_EQUAL(task_handle_give(task, second, FIRST + 13 + i, rights, 0), OK);
    }
    for (uint32_t slot = FIRST + 5; slot < FIRST + 11; slot++) {
        (void)!task_handle_drop(task, slot);
    }
    if (pool_event_create(pool, SLOT_TEST + 40) == OK) {
        CHECK_EQUAL(task_handle_give(task, HANDLE(SLOT_TEST + 40), FIRST + 5, rights, 0), OK);
        CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 40), OK);
    }
    if (pool_timer_create(pool, SLOT_TEST + 40) == OK) {
        CHECK_EQUAL(task_handle_give(task, HANDLE(SLOT_TEST + 40), FIRST + 6, rights, 0), OK);
        CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 40), OK);
    }
    CHECK_EQUAL(task_handle_give(task, MACHINE, FIRST + 9, RIGHT_CALL, 0), OK);
}

static void caller_make(uint32_t i, uint32_t seed) {
    callers[i] = task_make(pool, 10, hostile);
    CHECK_EQUAL(task_fault_port(callers[i]->task, port, i), OK);
    (void)seed;
}
