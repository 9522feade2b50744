// SPDX-License-Identifier: MIT
// Control over threads: registers of a suspended one, and that suspending or ending a thread, whatever
// it does at that moment, leaves all others alone.
#include "world.h"

enum { PORT_RANK = 25, LABEL = 0x2001, PORT = SLOT_TEST + 10, NOTHING, EVENT, TIMER };
enum { FAULT_BADGE = 9, WITNESS_BADGE = 5, MARK = 0x5ec4e7 };
#define GIVEN HANDLE(SLOT_GIVEN)
#define PAGE 0x50000000u

static inline void xmm_write(uint32_t value) {
    __asm__ volatile("movd %0, %%xmm3" : : "r"(value));
}
static inline uint32_t xmm_read(void) {
    uint32_t value;
    __asm__ volatile("movd %%xmm3, %0" : "=r"(value));
    return value;
}

// --- registers -----------------------------------------------------------------------------------

static uint32_t shown[9];  // pusha's edi to eax, then the flags
__attribute__((used)) static uint32_t *const shown_at = shown;

// Stores all registers before anything else can touch them.
__attribute__((naked)) static void show_registers(void) {
    __asm__("pushf\n\t"
            "pusha\n\t"
            "cld\n\t"
            "mov %esp, %esi\n\t"
            "mov shown_at, %edi\n\t"
            "mov $9, %ecx\n\t"
            "rep movsl\n\t"
            "1: jmp 1b");
}

static void wait_nothing(struct actor *self) {
    self->result[0] = raw_error(HANDLE(SLOT_GIVEN + 1) | OP_RECEIVE, 0);
}
static void spin(struct actor *self) {
    for (;;) {
        self->result[0]++;
    }
}

static error_t set(handle_t thread, uint32_t eip, uint32_t esp, uint32_t eflags) {
    return thread_registers_set(thread, eip, esp, eflags, 1, 2, 3, 4, 5, 6, 7);
}

TEST(registers_wrong, "registers are written only with control over a thread that is suspended") {
    world_begin();
    CHECK_EQUAL(pool_port_create(POOL, NOTHING, PORT_RANK), OK);
    struct actor *waiter = task_make(POOL, 10, wait_nothing);
    actor_give(waiter, HANDLE(NOTHING), 1, RIGHT_RECEIVE, 0);
    actor_start(waiter, 0);
    CHECK_EQUAL(set(waiter->thread, 0, 0, 0), E_STATE);  // ready
    CHECK(!actor_finished(waiter));
    CHECK_EQUAL(set(waiter->thread, 0, 0, 0), E_STATE);  // receiving
    CHECK_EQUAL(set(THREAD, 0, 0, 0), E_STATE);          // running
    CHECK_EQUAL(task_handle_give(TASK, waiter->thread, PORT, RIGHT_ALL & ~RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(thread_suspend(waiter->thread), OK);
    CHECK_EQUAL(set(HANDLE(PORT), 0, 0, 0), E_RIGHT);
    CHECK_EQUAL(thread_resume(waiter->thread), OK);
    actor_wait(waiter);  // nothing of all that has touched it
    CHECK_EQUAL(waiter->result[0], E_CANCELLED);
    CHECK_EQUAL(thread_destroy(waiter->thread), OK);
    CHECK_EQUAL(set(waiter->thread, 0, 0, 0), E_HANDLE);
    port_end(HANDLE(NOTHING));
    world_end();
}

static void registers_check(struct actor *actor, uint32_t flags, uint32_t flags_then) {
    static uint32_t stack[64];
    uint32_t esp = (uint32_t)(uintptr_t)(stack + 64);
    struct thread_registers_out r;
    shown[8] = 1;
    CHECK_EQUAL(set(actor->thread, (uint32_t)(uintptr_t)show_registers, esp, flags), OK);
    CHECK_EQUAL(thread_registers(actor->thread, &r), OK);
    CHECK_EQUAL(r.eip, (uint32_t)(uintptr_t)show_registers);
    CHECK_EQUAL(r.esp, esp);
    CHECK_EQUAL(r.eflags & ~2u, flags_then);
    CHECK(r.eax == 1 && r.ebx == 2 && r.ecx == 3 && r.edx == 4 && r.esi == 5 && r.edi == 6 &&
          r.ebp == 7);
    CHECK_EQUAL(thread_resume(actor->thread), OK);
    for (uint32_t tries = 0; shown[8] == 1 && tries < 1000; tries++) {
        world_pause(2);
    }
    const uint32_t expected[] = {6, 5, 7, esp - 4, 2, 4, 3, 1};
    for (uint32_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        CHECK_EQUAL(shown[i], expected[i]);
    }
    CHECK_EQUAL(shown[8] & ~2u, flags_then & ~0x10000u);  // pushf shows no RF
    for (uint32_t times = 0; times < 2; times++) {        // suspended already, it stays as it is
        CHECK_EQUAL(thread_suspend(actor->thread), OK);
        CHECK_EQUAL(thread_registers(actor->thread, &r), OK);
        CHECK(r.eax == 1 && r.ebx == 2 && r.edx == 4 && r.ebp == 7);
    }
}

TEST(registers, "what is written is what the thread runs on with; of the flags, only a user's") {
    world_begin();
    CHECK_EQUAL(pool_port_create(POOL, NOTHING, PORT_RANK), OK);
    struct actor *waiter = task_make(POOL, 10, wait_nothing), *busy = task_make(POOL, 10, spin);
    actor_give(waiter, HANDLE(NOTHING), 1, RIGHT_RECEIVE, 0);
    actor_start(waiter, 0);
    CHECK(!actor_finished(waiter));
    CHECK_EQUAL(thread_suspend(waiter->thread), OK);  // it came by sysenter
    CHECK_EQUAL(thread_priority(waiter->thread, ACTOR_PRIORITY), OK);  // not the port's any more
    actor_start(busy, 0);
    world_wait_above(&busy->result[0], 0);
    CHECK_EQUAL(thread_suspend(busy->thread), OK);    // it came by an interrupt
    registers_check(waiter, 0, 0x200);
    registers_check(busy, 0x200 | 0xcd5, 0x200 | 0xcd5);
    registers_check(busy, ~0x100u, 0x250ed5);  // all but TF
    registers_check(waiter, 0x7000 | 0x20000 | 0x400, 0x600);
    port_end(HANDLE(NOTHING));
    world_end();
}

TEST(registers_step, "with TF written a thread runs one instruction, then faults") {
    world_begin();
    CHECK_EQUAL(pool_port_create(POOL, PORT, PORT_RANK), OK);
    struct actor *busy = task_make(POOL, 10, spin);
    CHECK_EQUAL(task_fault_port(busy->task, HANDLE(PORT), FAULT_BADGE), OK);
    uint32_t eip = (uint32_t)(uintptr_t)show_registers;
    actor_start(busy, 0);
    for (uint32_t step = 0; step < 3; step++) {  // pushf, pusha, cld: one byte each
        static uint32_t stack[64];
        struct received received;
        CHECK_EQUAL(thread_suspend(busy->thread), OK);
        CHECK_EQUAL(set(busy->thread, eip + step, (uint32_t)(uintptr_t)(stack + 64), 0x100), OK);
        CHECK_EQUAL(thread_resume(busy->thread), OK);
        port_next(HANDLE(PORT), &received);
        CHECK_EQUAL(received.tag, TAG(LABEL_fault_exception, 2, 0, 0));
        CHECK_EQUAL(received.word[0], 1);
        CHECK_EQUAL(received.word[1], eip + step + 1);
    }
    port_end(HANDLE(PORT));
    world_end();
}

// --- at any moment -------------------------------------------------------------------------------

enum state { READY, FPU, SENDING, WAITING, RECEIVING, EVENT_ONLY, TIMED, FAULT_SENT, FAULT_TAKEN,
             STATES };
enum action { SUSPEND, DESTROY_THREAD, KILL, DESTROY, ACTIONS };
static const char *const state_names[] = {"ready", "FPU in use", "sending", "waiting", "receiving",
                                          "event", "timer", "fault sent", "fault taken"};

static void enter_state(struct actor *self) {
    enum state state = self->argument;
    if (state == READY || state == FPU) {
        xmm_write(state == FPU ? MARK : 0);
        for (uint32_t i = 0; i < 3000000; i++) {
            self->result[1] += state == FPU && xmm_read() != MARK;
            self->result[0]++;
        }
    } else if (state == SENDING || state == WAITING) {
        self->result[0] = ipc_call(GIVEN, LABEL, NULL, 0, NULL, 0, 0);
    } else if (state == RECEIVING) {
        self->result[0] = raw_error(HANDLE(SLOT_GIVEN + 1) | OP_RECEIVE, 0);
    } else if (state == EVENT_ONLY || state == TIMED) {
        self->result[0] = raw_error(HANDLE(0) | OP_RECEIVE, 0);
    } else {
        self->result[0] = *(volatile uint32_t *)PAGE == 0;
    }
}

// Calls with a mark in the FPU. result[0]: error, [1]: mark and answer came back.
static void bear_witness(struct actor *self) {
    uint32_t in = 0, out = 0;
    xmm_write(~(uint32_t)MARK);
    self->result[0] = ipc_call(GIVEN, LABEL, &in, 1, &out, 1, 0);
    self->result[1] = xmm_read() == ~(uint32_t)MARK && out == 4711;
}

static struct actor *victim_in(enum state state, struct received *received) {
    struct actor *victim = task_make(POOL, 10, enter_state);
    CHECK_EQUAL(task_fault_port(victim->task, HANDLE(PORT), FAULT_BADGE), OK);
    actor_give(victim, HANDLE(PORT), 0, RIGHT_CALL, FAULT_BADGE);
    actor_give(victim, HANDLE(NOTHING), 1, RIGHT_RECEIVE, 0);
    CHECK_EQUAL(thread_event(victim->thread, HANDLE(EVENT)), OK);
    actor_start(victim, state);
    if (state == READY || state == FPU) {
        world_wait_above(&victim->result[0], 0);
    } else {
        CHECK(!actor_finished(victim));
    }
    if (state == WAITING || state == FAULT_TAKEN) {
        port_next(HANDLE(PORT), received);
    }
    if (state == TIMED) {
        CHECK_EQUAL(timer_set(HANDLE(TIMER), 1000000, 0, HANDLE(EVENT), 1), OK);
    }
    return victim;
}

static void act(struct actor *victim, enum action action) {
    struct task_destroy_out out = {1};
    if (action == SUSPEND) {
        CHECK_EQUAL(thread_suspend(victim->thread), OK);
    } else if (action == DESTROY_THREAD) {
        CHECK_EQUAL(thread_destroy(victim->thread), OK);
        CHECK_EQUAL(thread_resume(victim->thread), E_HANDLE);
    } else if (action == KILL) {
        CHECK_EQUAL(task_kill(victim->task, CAUSE_KILLED), OK);
        CHECK_EQUAL(thread_resume(victim->thread), E_STATE);
    } else {
        while (out.left > 0) {
            CHECK_EQUAL(task_destroy(victim->task, &out), OK);
        }
        CHECK_EQUAL(thread_resume(victim->thread), E_HANDLE);
    }
}

// Another task calls the same port, and is answered: the victim's call or fault is no longer there.
static void others_go_on(void) {
    struct received received;
    uint32_t answer = 4711;
    struct actor *witness = task_make(POOL, 10, bear_witness);
    actor_give(witness, HANDLE(PORT), 0, RIGHT_CALL, WITNESS_BADGE);
    actor_start(witness, 0);
    port_next(HANDLE(PORT), &received);
    CHECK_EQUAL(received.badge, WITNESS_BADGE);
    CHECK_EQUAL(ipc_reply(received.token, TAG(LABEL, 1, 0, 0), &answer), OK);
    actor_wait(witness);
    CHECK_EQUAL(witness->result[0], OK);
    CHECK_EQUAL(witness->result[1], 1);
    actor_end(witness);
}

// A suspended victim goes on where it was: its call cancelled, its fault sent again.
static void victim_resumes(struct actor *victim, enum state state) {
    CHECK(!victim->done);
    CHECK_EQUAL(thread_resume(victim->thread), OK);
    if (state == FAULT_SENT || state == FAULT_TAKEN) {
        struct received received;
        frame_t frame = frame_get();
        struct map_item item = {PAGE | MAP_READ, frame << 8};
        port_next(HANDLE(PORT), &received);
        CHECK_EQUAL(received.tag, TAG(LABEL_fault_read, 2, 0, 0));
        CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
        actor_wait(victim);
        CHECK_EQUAL(victim->result[0], 1);
        CHECK_EQUAL(unmap_one(victim->task, PAGE, NULL), OK);
        frame_put(frame);
        return;
    }
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], state == READY || state == FPU ? 3000000 : E_CANCELLED);
    CHECK_EQUAL(victim->result[1], 0);
}

static void at_any_moment(enum state state, enum action action) {
    struct received received = {0};
    CHECK_EQUAL(pool_event_create(POOL, EVENT), OK);
    struct actor *victim = victim_in(state, &received);
    act(victim, action);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), E_TOKEN);
    if (state == TIMED) {
        world_pause(3);  // it fires now, for nobody
    }
    others_go_on();
    if (action == SUSPEND) {
        victim_resumes(victim, state);
    }
    actor_end(victim);
    CHECK_EQUAL(event_destroy(HANDLE(EVENT)), OK);
}

TEST(any_moment, "a thread suspended or ended in any state leaves others alone, and may go on later") {
    world_begin();
    CHECK_EQUAL(pool_port_create(POOL, PORT, PORT_RANK), OK);
    CHECK_EQUAL(pool_port_create(POOL, NOTHING, PORT_RANK), OK);
    CHECK_EQUAL(pool_timer_create(POOL, TIMER), OK);
    for (enum state state = 0; state < STATES; state++) {
        for (enum action action = 0; action < ACTIONS; action++) {
            test_case(state_names[state]);
            at_any_moment(state, action);
        }
    }
    test_case(NULL);
    CHECK_EQUAL(timer_destroy(HANDLE(TIMER)), OK);
    port_end(HANDLE(NOTHING));
    port_end(HANDLE(PORT));
    world_end();
}
