// SPDX-License-Identifier: MIT
// Waiting, and what ends it: events, cancelling, the end of a server, a caller, a port; and who runs
// when several could.
#include "world.h"

enum { PORT_RANK = 25, LABEL = 0x2001, MORE = 5 };
#define GIVEN HANDLE(SLOT_GIVEN)

static handle_t port_for_tests(void) {
    return port_make(SLOT_TEST + MORE, PORT_RANK);
}

static void caller_once(struct actor *self) {
    uint32_t in = self->argument, out = 0;
    self->result[0] = ipc_call(GIVEN, LABEL, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

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
    handle_t port = port_for_tests();
    struct actor *caller = task_make(POOL, 10, caller_once);
    actor_give(caller, port, 0, RIGHT_CALL, 0);
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, SLOT_TEST, RIGHT_SIGNAL, 1u << 16), OK);
    actor_start(caller, 0);
    CHECK(!actor_finished(caller));  // it stands in the port's queue
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), OK);
    struct received received;
    ipc_receive(port, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], 1u << 16);
    ipc_receive(port, &received);
    CHECK_EQUAL(received.tag, TAG(LABEL, 1, 0, 0));
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
    handle_t event = event_make(SLOT_TEST), port = port_for_tests();
    struct actor *waiter = task_make(POOL, 20, receiver_of_both);
    struct actor *caller = task_make(POOL, 10, caller_once);
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
    CHECK_EQUAL(waiter->result[0], TAG(LABEL, 1, 0, 0));
    port_end(port);
    world_end();
}

// --- what ends in between ------------------------------------------------------------------------

static void receiver_of_port(struct actor *self) {
    self->result[0] = raw_error(GIVEN | OP_RECEIVE, 0);
}

TEST(cancel, "suspending a thread cancels a call, sent or received, and a receive") {
    world_begin();
    handle_t port = port_for_tests(), other = port_make(SLOT_TEST + 6, PORT_RANK);
    struct actor *caller = task_make(POOL, 10, caller_once);
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
    handle_t port = port_for_tests();
    struct actor *server = task_make(POOL, 20, silent_server);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 2);
    CHECK(!actor_finished(server));
    struct actor *caller[3];
    for (uint32_t i = 0; i < 3; i++) {
        caller[i] = task_make(POOL, 10, caller_once);
        actor_give(caller[i], port, 0, RIGHT_CALL, i);
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
    handle_t port = port_for_tests();
    struct actor *caller[3];
    for (uint32_t i = 0; i < 3; i++) {
        caller[i] = task_make(POOL, 10, caller_once);
        actor_give(caller[i], port, 0, RIGHT_CALL, i);
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
    handle_t port = port_for_tests(), other = port_make(SLOT_TEST + 6, PORT_RANK);
    struct actor *caller[2], *receiver[2];
    for (uint32_t i = 0; i < 2; i++) {
        caller[i] = task_make(POOL, 10, caller_once);
        actor_give(caller[i], port, 0, RIGHT_CALL, i);
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
    handle_t port = port_for_tests();
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

// --- who runs ------------------------------------------------------------------------------------

static void echo_server(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        self->result[0]++;
        ipc_reply_receive(GIVEN, received.token, TAG(LABEL, 1, 0, 0), received.word, &received);
    }
}

TEST(server_first, "a server of higher rank runs before its caller goes on") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 28);
    struct actor *server = task_make(POOL, 20, echo_server);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 0);
    world_settle();
    for (uint32_t i = 1; i <= 100; i++) {
        uint32_t in = i, out = 0;
        CHECK_EQUAL(ipc_call(port, LABEL, &in, 1, &out, 1, 0), OK);
        CHECK_EQUAL(out, i);
        CHECK_EQUAL(server->result[0], i);
    }
    actor_end(server);
    port_end(port);
    world_end();
}

static void counter(struct actor *self) {
    for (;;) {
        self->result[0]++;
    }
}

TEST(round_robin, "equal threads that never wait share the CPU, and the timer gives it back") {
    world_begin();
    struct actor *busy[3];
    for (uint32_t i = 0; i < 3; i++) {
        busy[i] = task_make(POOL, 10, counter);
        actor_start(busy[i], 0);
    }
    for (uint32_t turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < 3; i++) {
            world_wait_above(&busy[i]->result[0], busy[i]->result[0]);
        }
    }
    world_end();
}

static volatile uint32_t other_counter;

static void count_other(struct actor *self) {
    (void)self;
    for (;;) {
        other_counter++;
    }
}

static void until_other(struct actor *self) {
    uint32_t before = other_counter;
    while (other_counter == before) {
        self->result[0]++;
    }
}

TEST(round_robin_alone, "equal threads take turns even when no timer is set") {
    world_begin();
    struct actor *watcher = task_make(POOL, 10, until_other);
    struct actor *busy = task_make(POOL, 10, count_other);
    actor_start(watcher, 0);
    actor_start(busy, 0);
    struct received received;
    ipc_receive(0, &received);  // it has no end but the watcher's
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK(watcher->done && !busy->done);
    world_end();
}

static void chat(struct actor *self) {
    for (;;) {
        uint32_t in = 1, out;
        self->result[1] += ipc_call(GIVEN, LABEL, &in, 1, &out, 1, 0);
        self->result[0]++;
    }
}

TEST(round_robin_calls, "a thread that calls often gets its share beside an equal that never waits") {
    world_begin();
    handle_t port = port_for_tests();
    struct actor *server = task_make(POOL, 20, echo_server), *chatty = task_make(POOL, 10, chat);
    struct actor *busy = task_make(POOL, 10, counter);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(chatty, port, 0, RIGHT_CALL, 0);
    actor_start(server, 0);
    world_settle();
    actor_start(busy, 0);
    actor_start(chatty, 0);
    world_wait_above(&chatty->result[0], 10000);  // a slice for each would take 100 seconds
    world_wait_above(&busy->result[0], busy->result[0]);
    CHECK_EQUAL(chatty->result[1], OK);
    actor_end(server);
    port_end(port);
    world_end();
}

TEST(priorities, "a thread runs only while none of higher priority is ready") {
    world_begin();
    struct actor *high = task_make(POOL, 10, counter), *low = task_make(POOL, 10, counter);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_PRIORITY + 1), OK);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_CEILING + 1), E_ARGUMENT);
    actor_start(low, 0);
    actor_start(high, 0);
    world_wait_above(&high->result[0], 0);
    CHECK_EQUAL(low->result[0], 0);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_PRIORITY - 1), OK);  // both stand in line
    uint32_t before = high->result[0];
    world_wait_above(&low->result[0], 0);
    CHECK_EQUAL(high->result[0], before);
    CHECK_EQUAL(thread_priority(low->thread, ACTOR_PRIORITY - 1), OK);
    world_wait_above(&high->result[0], before);
    world_end();
}

static void suicide(struct actor *self) {
    if (self->argument == 0) {
        (void)!thread_destroy(HANDLE(SLOT_THREAD));
    } else if (self->argument == 1) {
        (void)!task_kill(HANDLE(SLOT_TASK), CAUSE_EXIT);
    } else {
        struct task_destroy_out out;
        (void)!task_destroy(HANDLE(SLOT_TASK), &out);
    }
    self->result[0] = 1;
}

TEST(suicide, "a task may end its own thread or itself, and never runs again") {
    world_begin();
    for (uint32_t how = 0; how < 3; how++) {
        struct actor *actor = task_make(POOL, 10, suicide);
        CHECK_EQUAL(task_death_event(actor->task, WORLD_EVENT, 1u << 20), OK);
        actor_start(actor, how);
        world_settle();
        CHECK_EQUAL(actor->result[0], 0);
        CHECK(!actor->done);
        struct task_info_out info = {0};
        error_t error = task_info(actor->task, &info);
        CHECK(how == 2 || error == OK);
        CHECK(how != 1 || (info.state == TASK_STATE_DEAD && info.cause == CAUSE_EXIT));
        CHECK(how != 0 || (info.state == TASK_STATE_ALIVE && info.threads == 0));
        actor_end(actor);
    }
    world_end();
}
