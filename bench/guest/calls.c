// SPDX-License-Identifier: MIT
// What calls and signals cost. Servers are loops of reply and receive, and nothing else.
#include "../../tests/guest/world.h"
#include "crowd.h"
#include "measure.h"

enum { LABEL = 0x2001, PORT_RANK = 25 };
#define GIVEN HANDLE(SLOT_GIVEN)

static tag_t tag;  // of requests and replies

TEST(crowd, "who shall only exist is there and waits") {
    crowd_make();
}

TEST(null_call, "a ping of the own task") {
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        MEASURE("mov %0, %%eax\n\tmov %1, %%ebx\n\t" ENTER,
                "i"(TASK | OP_CALL), "i"(LABEL_task_ping));
    }
    measure_print("null_call", 1);
}

// --- a round trip between two address spaces -----------------------------------------------------

// Two words go in registers, whatever the tag says; more are copied from buffer to buffer.
static void caller(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        MEASURE("mov %0, %%eax\n\tmov %1, %%ebx\n\tmov %2, %%edi\n\tmov %3, %%ebp\n\t" ENTER,
                "i"(GIVEN | OP_CALL), "m"(tag), "i"(11), "i"(12));
    }
}

static void caller_silent(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        MEASURE("mov %0, %%eax\n\tmov %1, %%ebx\n\t" ENTER,
                "i"(GIVEN | OP_CALL), "i"(TAG(LABEL, 0, 0, 0)));
    }
}

// Answers with the words that came: they are still in edi and ebp, as the token is in ebx.
__attribute__((noreturn)) static void server(struct actor *self) {
    (void)self;
    ASSEMBLY("mov %0, %%eax\n\t" ENTER
             "1:\n\tmov %1, %%eax\n\tmov %2, %%esi\n\t" ENTER_AGAIN,
             "i"(GIVEN | OP_RECEIVE), "i"(GIVEN | OP_REPLY_RECEIVE), "m"(tag));
    __builtin_unreachable();
}

static void round_trip(const char *name, uint32_t words, void (*run)(struct actor *)) {
    world_begin();
    tag = TAG(LABEL, words, 0, 0);
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *callee = task_make(POOL, 20, server), *client = task_make(POOL, 10, run);
    actor_give(callee, port, 0, RIGHT_RECEIVE, 0);
    actor_give(client, port, 0, RIGHT_CALL, 5);
    actor_start(callee, 0);
    world_settle();
    measure_row();
    actor_start(client, 0);
    actor_wait(client);
    measure_print(name, 1);
    world_end();
    port_end(port);
}

TEST(round_trip, "call and reply between two address spaces, so many words each way") {
    round_trip("ipc_0w", 0, caller_silent);
    round_trip("ipc_2w", 2, caller);
    round_trip("ipc_3w", 3, caller);
    round_trip("ipc_64w", 64, caller);
}

// --- signals -------------------------------------------------------------------------------------

// Its first instruction after the signal ends the round.
static void listener(struct actor *self) {
    (void)self;
    for (;;) {
        ASSEMBLY("mov %0, %%eax\n\t" ENTER END, "i"(OP_RECEIVE));
        measure_store();
    }
}

static void signaller(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        ASSEMBLY(BEGIN "mov %0, %%eax\n\t" ENTER, "i"(GIVEN | OP_SIGNAL));
    }
}

TEST(signal_wake, "a signal to a waiting thread of higher priority in another address space") {
    world_begin();
    handle_t event = event_make(SLOT_TEST);
    struct actor *high = task_make(POOL, 20, listener), *low = task_make(POOL, 10, signaller);
    CHECK_EQUAL(thread_event(high->thread, event), OK);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_PRIORITY + 1), OK);
    actor_give(low, event, 0, RIGHT_SIGNAL, 1);
    actor_start(high, 0);
    world_settle();
    measure_row();
    actor_start(low, 0);
    actor_wait(low);
    measure_print("signal_wake", 1);
    world_end();
    CHECK_EQUAL(event_destroy(event), OK);
}

TEST(crowd_gone, "and leaves nothing behind") {
    crowd_end();
}
