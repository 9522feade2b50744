// SPDX-License-Identifier: MIT
// What a task may do to flags, segments and its stack pointer on the way into the kernel: it gets its
// answer, or a fault, and no other task notices.
#include "world.h"

#define FLAGS_FOREIGN 0x44500u  // AC, NT, DF, TF
#define SELECTOR_DATA 0x23u
enum { TURNS = 4 };

static volatile uint32_t entries_made, wrong_answers;
__attribute__((used)) static uint32_t trick_stack;

// Pings its own task for ever, with `text` done right before each sysenter (instructions that
// may spoil all but eax, ebx and edx), and counts answers that are not OK, or flags that
// came back with it.
#define TRICK(name, text)                                                     \
    static void name(void) {                                                  \
        for (;;) {                                                            \
            uint32_t error = HANDLE(SLOT_TASK) | OP_CALL, flags;              \
            uint32_t label = LABEL_task_ping;                                 \
            __asm__ volatile("push %%ebp\n\t"                                 \
                             "mov %%esp, trick_stack\n\t"                     \
                             "mov %%esp, %%ecx\n\t"                           \
                             "mov $1f, %%edx\n\t" text "\n\t"                 \
                             "sysenter\n"                                     \
                             "1:\n\t"                                         \
                             "mov trick_stack, %%esp\n\t"                     \
                             "pop %%ebp\n\t"                                  \
                             "pushf\n\t"                                      \
                             "pop %2"                                         \
                             : "+a"(error), "+b"(label), "=c"(flags)          \
                             :                                                \
                             : "edx", "esi", "edi", "memory");                \
            wrong_answers += TAG_TO_ERROR(error) != OK || flags & FLAGS_FOREIGN; \
            entries_made++;                                                   \
        }                                                                     \
    }
#define FLAGS(bits) "pushf; orl $" #bits ", (%%esp); popf"

TRICK(flag_trap, FLAGS(0x100))
TRICK(flag_direction, FLAGS(0x400))
TRICK(flag_nested, FLAGS(0x4000))
TRICK(flag_align, FLAGS(0x40000))
TRICK(flag_privilege, FLAGS(0x3000))
TRICK(flag_resume, FLAGS(0x10000))
TRICK(flags_all, FLAGS(0x257fd5))
TRICK(segments_null, "xor %%esi, %%esi; mov %%esi, %%ds; mov %%esi, %%es; mov %%esi, %%fs; mov %%esi, %%gs")
TRICK(segments_code, "mov $0x1b, %%esi; mov %%esi, %%ds; mov %%esi, %%es; mov %%esi, %%fs; mov %%esi, %%gs")
TRICK(segments_local, "mov $0x2b, %%esi; mov %%esi, %%ds; mov %%esi, %%es; mov %%esi, %%ss")
TRICK(stack_zero, "xor %%esp, %%esp; xor %%ecx, %%ecx")
TRICK(stack_kernel, "mov $0xc0101000, %%esp; mov %%esp, %%ecx")
TRICK(stack_last, "mov $0xffffffff, %%esp; mov %%esp, %%ecx")
TRICK(stack_odd, "dec %%ecx; dec %%esp")
TRICK(registers_wild, "mov $0xc0101000, %%esi; mov %%esi, %%edi; mov %%esi, %%ebp")

static const struct {
    const char *name;
    void (*run)(void);
} tricks[] = {
    {"TF", flag_trap}, {"DF", flag_direction}, {"NT", flag_nested}, {"AC", flag_align},
    {"IOPL", flag_privilege}, {"RF", flag_resume}, {"all flags", flags_all},
    {"null segments", segments_null}, {"code segments", segments_code},
    {"TLS segments", segments_local}, {"esp 0", stack_zero}, {"esp in the kernel", stack_kernel},
    {"last esp", stack_last}, {"odd esp", stack_odd}, {"wild registers", registers_wild},
};

static void run_trick(struct actor *self) {
    tricks[self->argument].run();
}

// Spins with a value in every register and finds them, the flags and the segments as they were.
// Returns how many were not.
static uint32_t look_around(uint32_t value) {
    uint32_t wrong = 0, flags, ds, es, fs, gs;
    __asm__ volatile("push %%ebp\n\t"
                     "mov %%eax, %%ebx\n\t"
                     "mov %%eax, %%edx\n\t"
                     "mov %%eax, %%esi\n\t"
                     "mov %%eax, %%edi\n\t"
                     "mov %%eax, %%ebp\n\t"
                     "mov $20000, %%ecx\n"
                     "1: loop 1b\n\t"
                     "xor %%eax, %%ebx\n\t"
                     "xor %%eax, %%edx\n\t"
                     "xor %%eax, %%esi\n\t"
                     "xor %%eax, %%edi\n\t"
                     "xor %%eax, %%ebp\n\t"
                     "or %%ebx, %%ecx\n\t"
                     "or %%edx, %%ecx\n\t"
                     "or %%esi, %%ecx\n\t"
                     "or %%edi, %%ecx\n\t"
                     "or %%ebp, %%ecx\n\t"
                     "pop %%ebp"
                     : "+a"(value), "=c"(wrong)
                     :
                     : "ebx", "edx", "esi", "edi", "memory");
    __asm__ volatile("pushf; pop %0; mov %%ds, %1; mov %%es, %2; mov %%fs, %3; mov %%gs, %4"
                     : "=r"(flags), "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    return (wrong != 0) + ((flags & (FLAGS_FOREIGN | 0x3000)) != 0) +
           ((ds & 0xffff) != SELECTOR_DATA) + ((es & 0xffff) != SELECTOR_DATA) +
           ((fs & 0xffff) != 0) + ((gs & 0xffff) != 0);
}

// result[0]: rounds, [1]: what was not as it was left.
static void witness(struct actor *self) {
    for (;;) {
        self->result[1] += look_around(0x5ec4e700 + self->result[0]);
        self->result[1] += task_ping(HANDLE(SLOT_TASK)) != OK;
        self->result[1] += look_around(~self->result[0]);
        self->result[0]++;
    }
}

TEST(tricks, "flags, segments and stack pointers set before sysenter harm nobody else, and do not last") {
    world_begin();
    for (uint32_t i = 0; i < ARRAY_LENGTH(tricks); i++) {
        test_case(tricks[i].name);
        entries_made = wrong_answers = 0;
        struct actor *other = task_make(POOL, 10, witness), *trickster = task_make(POOL, 10, run_trick);
        actor_start(other, 0);
        actor_start(trickster, i);
        for (uint32_t turn = 0; turn < TURNS; turn++) {
            world_wait_above(&entries_made, entries_made);
            world_wait_above(&other->result[0], other->result[0]);
        }
        CHECK_EQUAL(wrong_answers, 0);
        CHECK_EQUAL(other->result[1], 0);
        actor_end(trickster);
        actor_end(other);
    }
    test_case(NULL);
    world_end();
}

// --- what a server does with the FPU is not its caller's -----------------------------------------

enum { CALLS = 300 };

static void serve_floating(struct actor *self) {
    struct ipc_registers r = raw_enter(HANDLE(SLOT_GIVEN) | OP_RECEIVE, 0, 0, 0, 0);
    for (;;) {
        uint32_t mine = 0x1000 + self->result[0]++, found;
        __asm__ volatile("movd %1, %%xmm5" : : "m"(mine), "r"(mine));
        r = raw_enter(HANDLE(SLOT_GIVEN) | OP_REPLY_RECEIVE, r.ebx, TAG(0x2001, 1, 0, 0), mine, 0);
        __asm__ volatile("movd %%xmm5, %0" : "=r"(found));
        self->result[1] += found != mine;
    }
}

static void call_floating(struct actor *self) {
    for (uint32_t i = 0; i < CALLS; i++) {
        uint32_t mine = 0x2000 + i + self->argument, found, answer = 0;
        __asm__ volatile("movd %0, %%xmm5" : : "r"(mine));
        self->result[0] += ipc_call(HANDLE(SLOT_GIVEN), 0x2001, &i, 1, &answer, 1, 0) != OK;
        __asm__ volatile("movd %%xmm5, %0" : "=r"(found));
        self->result[0] += found != mine || (answer & 0xf000) != 0x1000;
    }
}

TEST(fpu_calls, "caller and server each keep their floating-point registers over hundreds of calls") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 25);
    struct actor *server = task_make(POOL, 20, serve_floating), *caller[2];
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 0);
    world_settle();
    for (uint32_t i = 0; i < 2; i++) {
        caller[i] = caller_make(port, i, call_floating);
        actor_start(caller[i], 0x10000 * i);
    }
    for (uint32_t i = 0; i < 2; i++) {
        actor_wait(caller[i]);
        CHECK_EQUAL(caller[i]->result[0], 0);
    }
    CHECK_EQUAL(server->result[1], 0);
    CHECK_EQUAL(server->result[0], 2 * CALLS);
    actor_end(server);
    port_end(port);
    world_end();
}
