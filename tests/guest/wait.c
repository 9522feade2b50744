// SPDX-License-Identifier: MIT
// Waiting, and what ends it: events, cancelling, the end of a server, a caller, a port.
#include "world.h"

#define GIVEN HANDLE(SLOT_GIVEN)

// --- events --------------------------------------------------------------------------------------

TEST(event_bits, "bits are sticky, add up, and are handed over once") {
    world_begin();
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, SLOT_TEST, RIGHT_SIGNAL, 1u << 16), OK);
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, SLOT_TEST + 1, RIGHT_SIGNAL, 1u << 20), OK);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), OK);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), OK);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST + 1)), OK);
    struct received received;
    ipc_receive(0, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], 1u << 16 | 1u << 20);
    CHECK_EQUAL(received.token, 0);
    CHECK_EQUAL(received.badge, 0);
    ipc_poll(0, &received);
    CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
    world_end();
}

TEST(event_and_port, "one receive waits for calls and for the thread's event") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller = caller_make(port, 0, actor_calls);
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, SLOT_TEST, RIGHT_SIGNAL, 1u << 16), OK);
    actor_start(caller, 0);
    CHECK(!actor_finished(caller));  // it stands in the port's queue
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), OK);
    struct received received;
    ipc_receive(port, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], 1u << 16);
    ipc_receive(port, &received);
    CHECK_EQUAL(received.tag, TAG(WORLD_LABEL, 1, 0, 0));
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    actor_wait(caller);
    port_end(port);
    world_end();
}

static void receiver_of_event(struct actor *self) {
    struct ipc_registers r = raw_enter(OP_RECEIVE, 0, 0, 0, 0);
    self->result[0] = r.eax;
    self->result[1] = r.edi;
}

TEST(event_bound_late, "binding an event whose bits are set wakes a thread that receives") {
    world_begin();
    handle_t first = event_make(SLOT_TEST + 1), second = event_make(SLOT_TEST + 2);
    struct actor *waiter = task_make(POOL, 10, receiver_of_event);
    CHECK_EQUAL(thread_event(waiter->thread, first), OK);
    CHECK_EQUAL(thread_event(THREAD, first), E_STATE);  // it is bound already
    actor_start(waiter, 0);
    CHECK(!actor_finished(waiter));
    CHECK_EQUAL(task_handle_give(TASK, second, SLOT_TEST, RIGHT_SIGNAL, 5), OK);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), OK);
    CHECK_EQUAL(thread_event(waiter->thread, second), OK);
    actor_wait(waiter);
    CHECK_EQUAL(waiter->result[0], LABEL_EVENT);
    CHECK_EQUAL(waiter->result[1], 5);
    CHECK_EQUAL(event_destroy(first), OK);
    CHECK_EQUAL(event_destroy(second), OK);
    world_end();
}

TEST(event_destroyed, "who waits for an event alone learns that it was destroyed") {
    world_begin();
    handle_t event = event_make(SLOT_TEST);
    struct actor *waiter = task_make(POOL, 10, receiver_of_event);
    CHECK_EQUAL(thread_event(waiter->thread, event), OK);
    actor_start(waiter, 0);
    CHECK(!actor_finished(waiter));
    CHECK_EQUAL(event_destroy(event), OK);
    actor_wait(waiter);
    CHECK_EQUAL(TAG_TO_ERROR(waiter->result[0]), E_DEAD);
    world_end();
}

static void receiver_of_both(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    self->result[0] = received.tag;
    (void)!ipc_reply(received.token, 0, NULL);
}

TEST(event_destroyed_port, "who also waits at a port goes on waiting there when its event ends") {
    world_begin();
    handle_t event = event_make(SLOT_TEST), port = world_port();
    struct actor *waiter = task_make(POOL, 20, receiver_of_both);
    struct actor *caller = task_make(POOL, 10, actor_calls);
    CHECK_EQUAL(thread_event(waiter->thread, event), OK);
    actor_give(waiter, port, 0, RIGHT_RECEIVE, 0);
    actor_give(caller, port, 0, RIGHT_CALL, 0);
    actor_start(waiter, 0);
    CHECK(!actor_finished(waiter));
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK(!actor_finished(waiter));
    actor_start(caller, 0);
    actor_wait(caller);
    actor_wait(waiter);
    CHECK_EQUAL(caller->result[0], OK);
    CHECK_EQUAL(waiter->result[0], TAG(WORLD_LABEL, 1, 0, 0));
    port_end(port);
    world_end();
}

// --- what ends in between ------------------------------------------------------------------------

static void receiver_of_port(struct actor *self) {
    self->result[0] = raw_error(GIVEN | OP_RECEIVE, 0);
}

TEST(cancel, "suspending a thread cancels a call, sent or received, and a receive") {
    world_begin();
    handle_t port = world_port(), other = port_make(SLOT_TEST + 6, WORLD_RANK);
    struct actor *caller = task_make(POOL, 10, actor_calls);
    struct actor *receiver = task_make(POOL, 10, receiver_of_port);
    actor_give(caller, port, 0, RIGHT_CALL, 0);
    actor_give(receiver, other, 0, RIGHT_RECEIVE, 0);
    struct received received;
    for (uint32_t taken = 0; taken < 2; taken++) {
        actor_start(caller, 0);
        CHECK(!actor_finished(caller));
        if (taken) {
            port_next(port, &received);
        }
        CHECK_EQUAL(thread_suspend(caller->thread), OK);
        CHECK(!actor_finished(caller));
        CHECK_EQUAL(thread_resume(caller->thread), OK);
        CHECK_EQUAL(thread_resume(caller->thread), E_STATE);
        actor_wait(caller);
        CHECK_EQUAL(caller->result[0], E_CANCELLED);
    }
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), E_TOKEN);
    ipc_poll(port, &received);
    CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
    actor_start(receiver, 0);
    CHECK(!actor_finished(receiver));
    CHECK_EQUAL(thread_suspend(receiver->thread), OK);
    CHECK_EQUAL(thread_suspend(receiver->thread), OK);
    CHECK_EQUAL(thread_resume(receiver->thread), OK);
    actor_wait(receiver);
    CHECK_EQUAL(receiver->result[0], E_CANCELLED);
    port_end(other);
    port_end(port);
    world_end();
}

// Receives `argument` calls and answers none.
static void silent_server(struct actor *self) {
    for (uint32_t i = 0; i < self->argument; i++) {
        struct received received;
        ipc_receive(GIVEN, &received);
        self->result[0] += TAG_TO_ERROR(received.tag) != OK;
    }
    ipc_receive(0, &(struct received){0});
}

TEST(server_ends, "when a server ends, received callers get E_RESTARTED, queued ones wait on") {
    world_begin();
    handle_t port = world_port();
    struct actor *server = task_make(POOL, 20, silent_server);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 2);
    CHECK(!actor_finished(server));
    struct actor *caller[3];
    for (uint32_t i = 0; i < 3; i++) {
        caller[i] = caller_make(port, i, actor_calls);
        actor_start(caller[i], i);
        CHECK(!actor_finished(caller[i]));
    }
    CHECK(server->done);
    actor_end(server);
    for (uint32_t i = 0; i < 2; i++) {
        actor_wait(caller[i]);
        CHECK_EQUAL(caller[i]->result[0], E_RESTARTED);
    }
    CHECK(!actor_finished(caller[2]));
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(received.badge, 2);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    actor_wait(caller[2]);
    CHECK_EQUAL(caller[2]->result[0], OK);
    port_end(port);
    world_end();
}

TEST(caller_ends, "when a caller ends, its call is gone from the queue and from the server") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller[3];
    for (uint32_t i = 0; i < 3; i++) {
        caller[i] = caller_make(port, i, actor_calls);
        actor_start(caller[i], i);
        CHECK(!actor_finished(caller[i]));
    }
    struct received received;
    actor_end(caller[1]);  // from the middle of the queue
    port_next(port, &received);
    CHECK_EQUAL(received.badge, 0);
    actor_end(caller[0]);  // received
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), E_TOKEN);
    port_next(port, &received);
    CHECK_EQUAL(received.badge, 2);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    actor_wait(caller[2]);
    port_end(port);
    world_end();
}

TEST(port_ends, "when a port ends, who calls or receives there gets E_DEAD; handles are stale") {
    world_begin();
    handle_t port = world_port(), other = port_make(SLOT_TEST + 6, WORLD_RANK);
    struct actor *caller[2], *receiver[2];
    for (uint32_t i = 0; i < 2; i++) {
        caller[i] = caller_make(port, i, actor_calls);
        actor_start(caller[i], i);
        receiver[i] = task_make(POOL, 10, receiver_of_port);
        actor_give(receiver[i], other, 0, RIGHT_RECEIVE, 0);
        actor_start(receiver[i], 0);
    }
    struct received received;
    port_next(port, &received);  // the first call is received already: the reply still arrives
    CHECK(!actor_finished(caller[1]) && !receiver[0]->done && !receiver[1]->done);
    port_end(port);
    port_end(other);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    for (uint32_t i = 0; i < 2; i++) {
        actor_wait(caller[i]);
        actor_wait(receiver[i]);
        CHECK_EQUAL(receiver[i]->result[0], E_DEAD);
    }
    CHECK_EQUAL(caller[received.badge]->result[0], OK);
    CHECK_EQUAL(caller[1 - received.badge]->result[0], E_DEAD);
    actor_start(caller[0], 0);
    actor_wait(caller[0]);
    CHECK_EQUAL(caller[0]->result[0], E_HANDLE);
    world_end();
}

TEST(port_destroy_wrong, "only the pool that pays for a port ends it, with the right to") {
    struct pool_port_destroy_out out;
    world_begin();
    handle_t port = world_port();
    handle_t pool = pool_make(SLOT_TEST, 4);
    CHECK_EQUAL(pool_port_destroy(pool, port, &out), E_OWNER);
    CHECK_EQUAL(pool_port_destroy(POOL, TASK, &out), E_TYPE);
    CHECK_EQUAL(pool_port_destroy(POOL, HANDLE(200), &out), E_HANDLE);
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 1, RIGHT_ALL & ~RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(pool_port_destroy(POOL, HANDLE(SLOT_TEST + 1), &out), E_RIGHT);
    port_end(port);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

static uint32_t loads(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info.cr3_low;
}

TEST(loads_counted, "CR3 is loaded on the way to another address space and back, not in between") {
    world_begin();
    handle_t port = world_port();
    struct actor *other = task_make(POOL, 10, actor_receives);
    actor_give(other, port, 0, RIGHT_RECEIVE, 0);
    uint32_t before = loads();
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(loads(), before);
    actor_start(other, 0);
    CHECK(!actor_finished(other));
    CHECK(loads() - before >= 2);
    actor_end(other);
    port_end(port);
    world_end();
}
