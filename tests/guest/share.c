// SPDX-License-Identifier: MIT
// How the CPU is shared between threads that wait often and threads that never do.
#include "world.h"

#define GIVEN HANDLE(SLOT_GIVEN)
#define LABEL 0x4001u

enum { ROUNDS_MS = 400, FAIR = 4 };

static void echo(struct actor *self) {
    (void)self;
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        ipc_reply_receive(GIVEN, received.token, TAG(LABEL, 0, 0, 0), received.word, &received);
    }
}

static void call_on(struct actor *self) {
    for (;;) {
        self->result[0] += ipc_call(GIVEN, LABEL, NULL, 0, NULL, 0, 0) == OK;
    }
}

static void spin(struct actor *self) {
    for (;;) {
        self->result[0]++;
    }
}

static uint64_t cycles(handle_t task) {
    struct task_info_out info;
    CHECK_EQUAL(task_info(task, &info), OK);
    return (uint64_t)info.cycles_high << 32 | info.cycles_low;
}

TEST(share_of_callers, "a thread that calls all the time gets its share beside one that never waits") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 18);
    struct actor *server = task_make(POOL, 18, echo);
    struct actor *caller = task_make(POOL, 10, call_on);
    struct actor *busy = task_make(POOL, 10, spin);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(caller, port, 0, RIGHT_CALL, 1);
    actor_start(server, 0);
    actor_start(busy, 0);
    actor_start(caller, 0);
    world_pause(ROUNDS_MS);
    uint64_t called = cycles(caller->task) + cycles(server->task), spun = cycles(busy->task);
    CHECK(caller->result[0] > 0 && busy->result[0] > 0);
    CHECK(called * FAIR > spun);
    CHECK(spun * FAIR > called / FAIR);
    actor_end(server);
    port_end(port);
    world_end();
}
