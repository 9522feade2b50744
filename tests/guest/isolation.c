// SPDX-License-Identifier: MIT
// Nothing leaks from one task into another: registers, flags, segments, floating point, memory.
// And each keeps what is its own over switches, idle times and interrupts.
#include "kept.h"

#define FLAG_TF 0x100u
#define FLAG_DF 0x400u
#define FLAG_NT 0x4000u
#define FLAG_AC 0x40000u
#define FLAGS_FOREIGN (FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC)
#define SELECTOR_DATA 0x23u
#define SELECTOR_CODE 0x1bu
#define SELECTOR_TLS 0x2bu
#define CONTROL_FRESH 0x37fu   // x87 control word after fninit
#define MXCSR_FRESH 0x1f80u
enum { TURNS = 12 };

struct segments {
    uint32_t ds, es, fs, gs;
};

static inline struct segments segments_read(void) {
    struct segments s = {0, 0, 0, 0};
    __asm__ volatile("mov %%ds, %w0; mov %%es, %w1; mov %%fs, %w2; mov %%gs, %w3"
                     : "=r"(s.ds), "=r"(s.es), "=r"(s.fs), "=r"(s.gs));
    s.ds &= 0xffff;
    s.es &= 0xffff;
    s.fs &= 0xffff;
    s.gs &= 0xffff;
    return s;
}

static inline uint32_t flags_read(void) {
    uint32_t flags;
    __asm__ volatile("pushf; pop %0" : "=r"(flags));
    return flags;
}

static inline void xmm_write(uint32_t value) {
    __asm__ volatile("movd %0, %%xmm0; movd %0, %%xmm7" : : "r"(value));
}
static inline uint32_t xmm_read(void) {
    uint32_t a, b;
    __asm__ volatile("movd %%xmm0, %0; movd %%xmm7, %1" : "=r"(a), "=r"(b));
    return a == b ? a : ~a;
}
static inline void control_write(uint16_t word) {
    __asm__ volatile("fldcw %0" : : "m"(word));
}
static inline uint32_t control_read(void) {
    uint16_t word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}
static inline void mxcsr_write(uint32_t value) {
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}
static inline uint32_t mxcsr_read(void) {
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

// --- registers, flags, segments ------------------------------------------------------------------

// Soils all that a switch might forget, then spins without memory until it is preempted.
static void soil(struct actor *self) {
    (void)self;
    __asm__ volatile(
        "mov $0x23, %%eax\n\t"
        "mov %%eax, %%fs\n\t"
        "mov %%eax, %%gs\n\t"
        "mov $0x1b, %%eax\n\t"
        "mov %%eax, %%es\n\t"
        "pushf\n\t"
        "orl $0x44400, (%%esp)\n\t"  // DF, NT, AC
        "popf\n\t"
        "mov %%es, %%eax\n\t"
        "mov %%eax, %%ds\n\t"
        "mov $0x5ec4e700, %%eax\n\t"
        "mov %%eax, %%ebx\n\t"
        "mov %%eax, %%ecx\n\t"
        "mov %%eax, %%edx\n\t"
        "mov %%eax, %%esi\n\t"
        "mov %%eax, %%edi\n"
        "1:\n\t"
        "jmp 1b"
        :
        :
        : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory");
}

static bool soiled(void) {
    struct segments s = segments_read();
    return flags_read() & FLAGS_FOREIGN || s.ds != SELECTOR_DATA || s.es != SELECTOR_DATA ||
           s.fs != 0 || s.gs != 0;
}

// result[0]: turns it had (times it was away for long), [1]: how often it found foreign state.
static void watch(struct actor *self) {
    struct machine_info_out info;
    for (;;) {
        self->result[1] += soiled();
        self->result[0]++;
        (void)!machine_info(HANDLE(SLOT_GIVEN), &info);
        self->result[1] += soiled();
    }
}

TEST(switch_clean, "a task never sees the segments and flags of the one that ran before") {
    world_begin();
    struct actor *dirty = task_make(POOL, 10, soil), *clean = caller_make(MACHINE, 0, watch);
    actor_start(dirty, 0);
    actor_start(clean, 0);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        world_wait_above(&clean->result[0], clean->result[0]);
    }
    CHECK_EQUAL(clean->result[1], 0);
    world_end();
}

// A thread's first instruction: stores all registers before anything else can touch them.
__attribute__((naked)) static void first_instruction(void) {
    __asm__(
        "pusha\n\t"
        "pushf\n\t"
        "mov %esp, %esi\n\t"
        "mov $first_registers_at, %edi\n\t"
        "mov (%edi), %edi\n\t"
        "mov $9, %ecx\n\t"
        "rep movsl\n\t"
        "1: jmp 1b");
}
static uint32_t first_state[9];
__attribute__((used)) uint32_t *first_registers_at = first_state;

TEST(thread_fresh, "a new thread starts with nothing in its registers but what start gave it") {
    static char stack[512] __attribute__((aligned(16)));
    world_begin();
    struct actor *dirty = task_make(POOL, 10, soil), *fresh = task_make(POOL, 10, soil);
    actor_start(dirty, 0);
    world_pause(5);
    first_state[8] = 1;
    CHECK_EQUAL(thread_start(fresh->thread, (uint32_t)(uintptr_t)first_instruction,
                             (uint32_t)(uintptr_t)(stack + sizeof stack), 4711), OK);
    CHECK_EQUAL(thread_suspend(dirty->thread), OK);
    for (uint32_t tries = 0; first_state[8] == 1 && tries < 200; tries++) {
        world_pause(5);
    }
    CHECK_EQUAL(first_state[0] & ~2u, 0x200);  // flags: interrupts on, nothing else
    CHECK_EQUAL(first_state[8], 4711);         // eax: the argument
    for (uint32_t i = 1; i < 8; i++) {
        bool is_esp = i == 4;
        CHECK(is_esp || first_state[i] == 0);
    }
    world_end();
}

// result[0]: flags after all that popf may be asked for.
static void ask_for_flags(struct actor *self) {
    uint32_t flags;
    __asm__ volatile(
        "pushl $0x003e3000\n\t"  // ID, VIP, VIF, AC, VM, IOPL 3; interrupts off
        "popf\n\t"
        "pushf\n\t"
        "pop %0\n\t"
        "pushl $2\n\t"
        "popf"
        : "=r"(flags)
        :
        : "memory");
    self->result[0] = flags;
}

TEST(flags_privileged, "popf gives a user no I/O privilege and never switches interrupts off") {
    world_begin();
    struct actor *actor = task_make(POOL, 10, ask_for_flags);
    actor_start(actor, 0);
    actor_wait(actor);
    CHECK_EQUAL(actor->result[0] & 0x3000, 0);      // IOPL
    CHECK_EQUAL(actor->result[0] & 0x200, 0x200);   // IF
    CHECK_EQUAL(actor->result[0] & 0x1a0000, 0);    // VM, VIF, VIP
    world_end();
}

// --- floating point ------------------------------------------------------------------------------

// Finds a fresh FPU at its first use, then keeps its own values. argument: its mark. result[0]:
// rounds, [1]: wrong values, [2]: state at the first use.
static void calculate(struct actor *self) {
    uint32_t mark = self->argument;
    uint32_t foreign = xmm_read() != 0 || control_read() != CONTROL_FRESH;
    self->result[2] = foreign || mxcsr_read() != MXCSR_FRESH ? 1 : 2;
    xmm_write(mark);
    control_write((uint16_t)(CONTROL_FRESH ^ (mark & 3) << 10));
    mxcsr_write(MXCSR_FRESH | (mark & 3) << 13);
    for (;;) {
        self->result[1] += xmm_read() != mark;
        self->result[1] += control_read() != (CONTROL_FRESH ^ (mark & 3) << 10);
        self->result[1] += mxcsr_read() != (MXCSR_FRESH | (mark & 3) << 13);
        self->result[0]++;
    }
}

TEST(fpu_own, "each thread finds a fresh FPU and keeps its own values over preemption") {
    enum { COUNT = 3 };
    world_begin();
    struct actor *actor[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        actor[i] = task_make(POOL, 10, calculate);
        actor_start(actor[i], 0x1000 + i + 1);
    }
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        world_wait_above(&actor[turn % COUNT]->result[0], actor[turn % COUNT]->result[0]);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(actor[i]->result[2], 2);
        CHECK_EQUAL(actor[i]->result[1], 0);
    }
    world_end();
}

// Puts a secret into the FPU, waits, looks again. result[0]: what it found.
static void keep_secret(struct actor *self) {
    xmm_write(self->argument);
    control_write(0x27f);
    raw_enter(HANDLE(SLOT_GIVEN) | OP_RECEIVE, 0, 0, 0, 0);
    self->result[0] = xmm_read();
    self->result[1] = control_read();
}

static void peek(struct actor *self) {
    self->result[0] = xmm_read();
    self->result[1] = control_read();
    xmm_write(99);
}

TEST(fpu_idle, "a secret in the FPU survives idle time, and the next task does not see it") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 25);
    struct actor *keeper = task_make(POOL, 10, keep_secret), *thief = task_make(POOL, 10, peek);
    actor_give(keeper, port, 0, RIGHT_RECEIVE, 0);
    actor_start(keeper, 0x5ec4e7);
    world_settle();
    world_pause(20);  // the machine idles with the secret in its registers
    actor_start(thief, 0);
    actor_wait(thief);
    CHECK_EQUAL(thief->result[0], 0);
    CHECK_EQUAL(thief->result[1], CONTROL_FRESH);
    CHECK_EQUAL(thread_suspend(keeper->thread), OK);
    CHECK_EQUAL(thread_resume(keeper->thread), OK);
    actor_wait(keeper);
    CHECK_EQUAL(keeper->result[0], 0x5ec4e7);
    CHECK_EQUAL(keeper->result[1], 0x27f);
    port_end(port);
    world_end();
}

static void secret_and_end(struct actor *self) {
    xmm_write(self->argument);
}

TEST(fpu_dead, "the FPU state of a thread that ended is not the next one's") {
    world_begin();
    for (uint32_t i = 0; i < 20; i++) {
        struct actor *dead = task_make(POOL, 10, secret_and_end);
        actor_start(dead, 0xdead0000 + i);
        actor_wait(dead);
        actor_end(dead);
        struct actor *heir = task_make(POOL, 10, peek);
        actor_start(heir, 0);
        actor_wait(heir);
        CHECK_EQUAL(heir->result[0], 0);
        CHECK_EQUAL(heir->result[1], CONTROL_FRESH);
        actor_end(heir);
    }
    world_end();
}

TEST(fpu_no_memory, "a thread whose pool cannot pay for an FPU state gets an exception, no more") {
    world_begin();
    handle_t port = port_make(SLOT_TEST + 1, 25), pool = pool_make(SLOT_TEST, 60);
    struct actor *poor = task_make(pool, 10, secret_and_end);
    CHECK_EQUAL(task_fault_port(poor->task, port, 3), OK);
    struct pool_info_out info;
    CHECK_EQUAL(pool_info(pool, &info), OK);
    kept_take(pool, info.reserved - info.used, FRAMES_ANY);
    CHECK_EQUAL(pool_event_create(pool, SLOT_TEST + 2), OK);  // small ones still fit
    actor_start(poor, 1);
    struct received received;
    uint32_t tries = 0;
    do {
        world_settle();
        ipc_poll(port, &received);
    } while (received.tag == LABEL_EVENT && tries++ < 10);
    bool had_room = poor->done;  // its half-full slab may have held one more
    CHECK(had_room || (received.tag == TAG(LABEL_fault_exception, 2, 0, 0) &&
                       received.word[0] == 7));
    struct pool_reap_out left = {1};
    while (left.left) {
        CHECK_EQUAL(pool_reap(pool, &left), OK);
    }
    CHECK_EQUAL(pool_destroy(pool), OK);
    port_end(port);
    world_end();
}

// --- thread-local storage ------------------------------------------------------------------------

static uint32_t local[3][4];

// result[0]: rounds, [1]: wrong words, [2]: error of tls.
static void use_local(struct actor *self) {
    struct thread_tls_out out = {0};
    local[self->argument][0] = 0x100 + self->argument;
    self->result[2] = thread_tls(HANDLE(SLOT_THREAD),
                                 (uint32_t)(uintptr_t)local[self->argument], &out);
    self->result[1] = out.selector != SELECTOR_TLS || segments_read().gs != SELECTOR_TLS;
    for (;;) {
        uint32_t word;
        __asm__ volatile("mov %%gs:0, %0" : "=r"(word));
        self->result[1] += word != 0x100 + self->argument;
        self->result[0]++;
    }
}

TEST(tls, "each thread has its own %gs, over switches and calls") {
    world_begin();
    struct actor *actor[3];
    for (uint32_t i = 0; i < 3; i++) {
        actor[i] = task_make(POOL, 10, use_local);
        actor_start(actor[i], i);
    }
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        world_wait_above(&actor[turn % 3]->result[0], actor[turn % 3]->result[0]);
    }
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(actor[i]->result[2], OK);
        CHECK_EQUAL(actor[i]->result[1], 0);
    }
    world_end();
}

// --- memory --------------------------------------------------------------------------------------

// Counts words that are not zero in its new message buffer, then soils it.
static void read_buffer(struct actor *self) {
    volatile uint32_t *word = (volatile uint32_t *)LAYOUT_BUFFER;
    for (uint32_t i = 0; i < PAGE_SIZE / 4; i++) {
        self->result[0] += word[i] != 0;
        word[i] = 0x5ec4e700;
    }
}

TEST(buffers, "a new thread's message buffer holds nothing of the one before") {
    world_begin();
    for (uint32_t i = 0; i < 20; i++) {
        struct actor *actor = task_make(POOL, 10, read_buffer);
        actor_start(actor, 0);
        actor_wait(actor);
        CHECK_EQUAL(actor->result[0], 0);
        actor_end(actor);
    }
    world_end();
}

// A call with two words leaves the other words of the server's buffer alone.
static void call_short(struct actor *self) {
    uint32_t in[2] = {1, 2}, out[3] = {7, 7, 7};
    for (uint32_t i = 2; i < TAG_WORDS_MAX; i++) {
        message_buffer()->word[i] = 0x5ec4e700;
    }
    self->result[0] = ipc_call(HANDLE(SLOT_GIVEN), 0x2001, in, 2, out, 3, 0);
    self->result[1] = out[2];
    self->result[2] = message_buffer()->word[3];
}

TEST(message_size, "a message carries the words it says, and none of the rest of the buffer") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 25);
    struct actor *caller = caller_make(port, 0, call_short);
    actor_start(caller, 0);
    for (uint32_t i = 2; i < TAG_WORDS_MAX; i++) {
        message_buffer()->word[i] = 0x0badc0de;
    }
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(message_buffer()->word[5], 0x0badc0de);
    CHECK_EQUAL(ipc_reply(received.token, TAG(0x2001, 2, 0, 0), (uint32_t[]){3, 4}), OK);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], OK);
    CHECK_EQUAL(caller->result[1], 0);
    CHECK_EQUAL(caller->result[2], 0x5ec4e700);
    port_end(port);
    world_end();
}
