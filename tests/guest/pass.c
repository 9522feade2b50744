// SPDX-License-Identifier: MIT
// What a message brings beside words: handles, and the token with which its caller is answered.
#include "world.h"

#define GIVEN HANDLE(SLOT_GIVEN)

// --- handles in messages -------------------------------------------------------------------------

// Sends the handles of slots SLOT_GIVEN + 1 ...; offers SLOT_GIVEN + 10 ... for what comes back.
static void caller_with_handles(struct actor *self) {
    struct message_buffer *buffer = message_buffer();
    for (uint32_t i = 0; i < self->argument; i++) {
        buffer->handle[i] = HANDLE(SLOT_GIVEN + 1 + i);
    }
    for (uint32_t i = 0; i < TAG_HANDLES_MAX; i++) {
        buffer->offer[i] = HANDLE(SLOT_GIVEN + 10 + i);
    }
    self->result[0] = ipc_call(GIVEN, WORLD_LABEL, NULL, 0, NULL, 0, self->argument);
    self->result[1] = buffer->handle[0];
    self->result[2] = raw_error(HANDLE(SLOT_GIVEN + 10), 0xffff);
}

static void offer(uint32_t a, uint32_t b) {
    message_buffer()->offer[0] = a;
    message_buffer()->offer[1] = b;
    message_buffer()->offer[2] = message_buffer()->offer[3] = 0;
}

// Nobody gets a message whose handles cannot be passed: the sender gets the error.
static void handles_refused(struct actor *caller, handle_t port, uint32_t count, error_t error) {
    actor_start(caller, count);
    world_settle();  // queued, and refused when the port is looked at
    struct received received;
    ipc_poll(port, &received);
    CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], error);
}

TEST(handles_wrong, "handles go only into offered, empty slots, with the right to grant, by rank") {
    world_begin();
    handle_t port = world_port();
    handle_t low = port_make(SLOT_TEST + 6, 15);  // ranks below the test's task: no call right
    handle_t event = event_make(SLOT_TEST + 7);
    struct actor *caller = caller_make(port, 0, caller_with_handles);
    offer(HANDLE(SLOT_TEST), HANDLE(SLOT_TEST + 1));
    handles_refused(caller, port, 1, E_HANDLE);  // it has no such handle
    actor_give(caller, event, 1, RIGHT_SIGNAL, 1);
    handles_refused(caller, port, 1, E_RIGHT);  // without the right to grant
    CHECK_EQUAL(task_handle_drop(caller->task, SLOT_GIVEN + 1), OK);
    actor_give(caller, event, 1, RIGHT_SIGNAL | RIGHT_GRANT, 1);
    actor_give(caller, low, 2, RIGHT_CALL | RIGHT_GRANT, 1);
    const uint32_t bad[] = {0, event, HANDLE(SLOT_COUNT), UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        offer(bad[i], HANDLE(SLOT_TEST + 1));
        handles_refused(caller, port, 1, E_SLOT);
    }
    offer(HANDLE(SLOT_TEST), HANDLE(SLOT_TEST));
    handles_refused(caller, port, 2, E_SLOT);
    offer(HANDLE(SLOT_TEST), HANDLE(SLOT_TEST + 1));
    handles_refused(caller, port, 2, E_RANK);
    CHECK_EQUAL(raw_error(HANDLE(SLOT_TEST), 0xffff), E_HANDLE);  // all or nothing
    CHECK_EQUAL(event_destroy(event), OK);
    handles_refused(caller, port, 1, E_HANDLE);
    port_end(low);
    port_end(port);
    world_end();
}

TEST(handles, "handles travel with a call and with its reply, rights and badge included") {
    world_begin();
    handle_t port = world_port();
    handle_t event = event_make(SLOT_TEST + 7);
    struct actor *caller = caller_make(port, 0, caller_with_handles);
    actor_give(caller, event, 1, RIGHT_SIGNAL | RIGHT_GRANT, 0x10000);
    actor_give(caller, caller->task, 2, RIGHT_GRANT, 0);
    offer(HANDLE(SLOT_TEST), HANDLE(SLOT_TEST + 1));
    actor_start(caller, 2);
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(received.tag, TAG(WORLD_LABEL, 0, 2, 0));
    CHECK_EQUAL(message_buffer()->handle[0], HANDLE(SLOT_TEST));
    CHECK_EQUAL(message_buffer()->handle[1], HANDLE(SLOT_TEST + 1));
    CHECK_EQUAL(task_ping(HANDLE(SLOT_TEST + 1)), E_RIGHT);
    CHECK_EQUAL(event_destroy(HANDLE(SLOT_TEST)), E_RIGHT);
    CHECK_EQUAL(thread_event(THREAD, event), OK);  // hear the badge of the handle that came
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), OK);
    struct received heard;
    ipc_poll(0, &heard);
    CHECK_EQUAL(heard.tag, LABEL_EVENT);
    CHECK_EQUAL(heard.word[0], 0x10000);
    CHECK_EQUAL(thread_event(THREAD, WORLD_EVENT), OK);
    message_buffer()->handle[0] = HANDLE(201);
    CHECK_EQUAL(ipc_reply(received.token, TAG(WORLD_LABEL, 0, 1, 0), NULL), E_HANDLE);
    message_buffer()->handle[0] = event;
    CHECK_EQUAL(ipc_reply(received.token, TAG(WORLD_LABEL, 0, 1, 0), NULL), OK);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], OK);
    CHECK_EQUAL(caller->result[1], HANDLE(SLOT_GIVEN + 10));
    CHECK_EQUAL(caller->result[2], E_MESSAGE);  // the handle is there
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 1), OK);
    port_end(port);
    world_end();
}

TEST(handles_four, "four handles go each way, and not one more") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller = caller_make(port, 0, caller_with_handles);
    for (uint32_t i = 0; i < TAG_HANDLES_MAX; i++) {
        actor_give(caller, caller->task, 1 + i, RIGHT_CALL | RIGHT_GRANT, 0);
        message_buffer()->offer[i] = HANDLE(SLOT_TEST + i);
    }
    actor_start(caller, TAG_HANDLES_MAX);
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(received.tag, TAG(WORLD_LABEL, 0, TAG_HANDLES_MAX, 0));
    for (uint32_t i = 0; i < TAG_HANDLES_MAX; i++) {
        CHECK_EQUAL(task_ping(HANDLE(SLOT_TEST + i)), OK);
        message_buffer()->handle[i] = HANDLE(SLOT_TEST + i);
    }
    CHECK_EQUAL(ipc_reply(received.token, TAG(WORLD_LABEL, 0, TAG_HANDLES_MAX + 1, 0), NULL),
                E_LENGTH);
    CHECK_EQUAL(ipc_reply(received.token, TAG(WORLD_LABEL, 0, TAG_HANDLES_MAX, 0), NULL), OK);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], OK);
    CHECK_EQUAL(caller->result[2], E_MESSAGE);
    for (uint32_t i = 0; i < TAG_HANDLES_MAX; i++) {
        CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + i), OK);
    }
    port_end(port);
    world_end();
}

// --- tokens --------------------------------------------------------------------------------------

TEST(replies_in_any_order, "late replies reach each caller, whatever their order") {
    static const uint32_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {1, 0, 2}};
    world_begin();
    handle_t port = world_port();
    struct actor *caller[3];
    for (uint32_t i = 0; i < 3; i++) {
        caller[i] = caller_make(port, i, actor_calls);
    }
    for (uint32_t order = 0; order < ARRAY_LENGTH(orders); order++) {
        struct received received[3];
        for (uint32_t i = 0; i < 3; i++) {
            actor_start(caller[i], i);
            port_next(port, &received[i]);
            CHECK_EQUAL(received[i].badge, i);
        }
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t which = orders[order][i];
            uint32_t answer = 100 + which;
            CHECK(!caller[which]->done);
            CHECK_EQUAL(ipc_reply(received[which].token, TAG(WORLD_LABEL, 1, 0, 0), &answer), OK);
            actor_wait(caller[which]);
            CHECK_EQUAL(caller[which]->result[1], 100 + which);
        }
    }
    port_end(port);
    world_end();
}

TEST(token_once, "a double or late reply is refused and never answers the next call") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller = caller_make(port, 0, actor_calls);
    struct received first, second;
    actor_start(caller, 1);
    port_next(port, &first);
    CHECK_EQUAL(raw_enter(OP_REPLY, first.token, 0, 0, 0).eax, TAG_ERROR(OK));
    CHECK_EQUAL(ipc_reply(first.token, 0, NULL), E_TOKEN);
    actor_wait(caller);
    CHECK_EQUAL(ipc_reply(first.token, 0, NULL), E_TOKEN);
    actor_start(caller, 2);
    port_next(port, &second);
    CHECK(first.token != second.token);
    CHECK_EQUAL(ipc_reply(first.token, 0, NULL), E_TOKEN);
    CHECK_EQUAL(thread_destroy(caller->thread), OK);
    CHECK_EQUAL(ipc_reply(second.token, 0, NULL), E_TOKEN);
    port_end(port);
    world_end();
}

TEST(token_of_the_dead, "a late reply does not hit a new thread in the slot of the old one") {
    world_begin();
    handle_t port = world_port();
    struct received old, new;
    struct actor *caller = caller_make(port, 0, actor_calls);
    actor_start(caller, 1);
    port_next(port, &old);
    actor_end(caller);
    caller = caller_make(port, 0, actor_calls);
    actor_start(caller, 1);
    port_next(port, &new);
    CHECK_EQUAL(TOKEN_SLOT(new.token), TOKEN_SLOT(old.token));
    CHECK_EQUAL(ipc_reply(old.token, 0, NULL), E_TOKEN);
    CHECK_EQUAL(ipc_reply(new.token, 0, NULL), OK);
    actor_wait(caller);
    port_end(port);
    world_end();
}

static void caller_counts(struct actor *self) {
    for (uint32_t i = 0; i < self->argument; i++) {
        self->result[0] += raw_error(GIVEN | OP_CALL, TAG(WORLD_LABEL, 0, 0, 0)) != OK;
    }
}

TEST(token_wrap, "a token is void for the thread's next 131,071 calls; then the count begins anew") {
    enum { CALLS = 1 << 17, TRY = 32 };
    uint32_t taken = 0, same = 0;
    struct received first, next;
    world_begin();
    handle_t port = world_port();
    struct actor *caller = task_make(POOL, 10, caller_counts);
    actor_give(caller, port, 0, RIGHT_CALL, 0);
    actor_start(caller, CALLS + 1);
    port_next(port, &first);
    CHECK_EQUAL(ipc_reply(first.token, 0, NULL), OK);
    for (uint32_t i = 1; i < CALLS; i++) {
        port_next(port, &next);
        same += next.token == first.token;
        taken += (i % TRY == 0 || i > CALLS - TRY) && ipc_reply(first.token, 0, NULL) != E_TOKEN;
        CHECK_EQUAL(ipc_reply(next.token, 0, NULL), OK);
    }
    CHECK_EQUAL(same + taken, 0);
    port_next(port, &next);
    CHECK_EQUAL(next.token, first.token);  // as docs/messages.md says
    CHECK_EQUAL(ipc_reply(next.token, 0, NULL), OK);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], 0);
    port_end(port);
    world_end();
}

static token_t token_to_answer;

static void replier(struct actor *self) {
    self->result[0] = raw_error(OP_REPLY, token_to_answer);
}

TEST(token_of_the_task, "any thread of the serving task may reply, no foreign task may") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller = caller_make(port, 0, actor_calls);
    struct actor *foreign = task_make(POOL, 10, replier);
    struct actor *own = thread_make(NULL, ACTOR_PRIORITY, replier);
    struct received received;
    actor_start(caller, 0);
    port_next(port, &received);
    token_to_answer = received.token;
    actor_start(foreign, 0);
    actor_wait(foreign);
    CHECK_EQUAL(foreign->result[0], E_TOKEN);
    CHECK(!caller->done);
    actor_start(own, 0);
    actor_wait(own);
    CHECK_EQUAL(own->result[0], OK);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], OK);
    port_end(port);
    world_end();
}
