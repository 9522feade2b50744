// SPDX-License-Identifier: MIT
// Call, receive, reply between tasks: what is refused, and what arrives.
#include "world.h"

#define GIVEN HANDLE(SLOT_GIVEN)

static uint32_t numbers[TAG_WORDS_MAX];

// --- wrong calls ---------------------------------------------------------------------------------

TEST(receive_wrong, "a receive from what is no port of the caller's is refused") {
    CHECK_EQUAL(raw_error(HANDLE(0) | OP_RECEIVE, 0), E_STATE);  // no event is bound: never ends
    CHECK_EQUAL(raw_error(HANDLE(0) | OP_POLL, 0), E_EMPTY);
    CHECK_EQUAL(raw_error(HANDLE(200) | OP_RECEIVE, 0), E_HANDLE);
    CHECK_EQUAL(raw_error(TASK | OP_RECEIVE, 0), E_TYPE);
    world_begin();
    handle_t port = world_port();
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST, RIGHT_CALL, 0), OK);
    CHECK_EQUAL(raw_error(HANDLE(SLOT_TEST) | OP_RECEIVE, 0), E_RIGHT);
    CHECK_EQUAL(raw_error(HANDLE(SLOT_TEST) | OP_POLL, 0), E_RIGHT);
    CHECK_EQUAL(raw_error(port | OP_POLL, 0), E_EMPTY);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    port_end(port);
    world_end();
}

TEST(call_wrong, "a call with a tag that no server may see is refused") {
    world_begin();
    handle_t port = world_port();
    const tag_t wrong[] = {TAG_ERROR(E_IO), TAG(WORLD_LABEL, 65, 0, 0), TAG(WORLD_LABEL, 127, 0, 0),
                           TAG(WORLD_LABEL, 0, 5, 0), TAG(WORLD_LABEL, 0, 7, 0), TAG(WORLD_LABEL, 0, 0, 1),
                           TAG(WORLD_LABEL, 0, 0, 31), TAG(LABEL_EVENT, 1, 0, 0), TAG(LABEL_EVENT, 0, 0, 0),
                           TAG(LABEL_fault_read, 2, 0, 0), TAG(LABEL_fault_exception, 2, 0, 0)};
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        CHECK_EQUAL(raw_error(port | OP_CALL, wrong[i]), E_LENGTH);
    }
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST, RIGHT_RECEIVE | RIGHT_GRANT, 0), OK);
    CHECK_EQUAL(raw_error(HANDLE(SLOT_TEST) | OP_CALL, WORLD_LABEL), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    port_end(port);
    CHECK_EQUAL(raw_error(port | OP_CALL, WORLD_LABEL), E_HANDLE);
    CHECK_EQUAL(raw_error(port | OP_RECEIVE, 0), E_HANDLE);
    world_end();
}

TEST(reply_wrong, "a reply to a token that names no waiting caller is refused") {
    const token_t wrong[] = {0, 1, TOKEN_STEP, TOKEN_STEP | 1,
                             TOKEN_STEP | 2, TOKEN_STEP | 32767, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        CHECK_EQUAL(ipc_reply(wrong[i], 0, NULL), E_TOKEN);
        struct received received;
        ipc_reply_receive(0, wrong[i], 0, NULL, &received);
        CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_TOKEN);
    }
}

TEST(signal_wrong, "a signal needs an event and the right") {
    world_begin();
    handle_t event = event_make(SLOT_TEST + 5);
    CHECK_EQUAL(ipc_signal(TASK), E_TYPE);
    CHECK_EQUAL(ipc_signal(HANDLE(200)), E_HANDLE);
    CHECK_EQUAL(task_handle_give(TASK, event, SLOT_TEST, RIGHT_ALL & ~RIGHT_SIGNAL, 1), OK);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), E_RIGHT);
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK_EQUAL(ipc_signal(event), E_HANDLE);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST)), E_HANDLE);
    world_end();
}

// --- round trips ---------------------------------------------------------------------------------

// Calls with argument words, checks that each came back one higher. result[0]: error, [1]: wrong
// words.
static void caller_of_words(struct actor *self) {
    static uint32_t sent[TAG_WORDS_MAX], got[TAG_WORDS_MAX];
    uint32_t count = self->argument;
    for (uint32_t i = 0; i < count; i++) {
        sent[i] = 1000 * count + i;
    }
    self->result[0] = ipc_call(GIVEN, WORLD_LABEL, sent, count, got, count, 0);
    for (uint32_t i = 0; i < count; i++) {
        self->result[1] += got[i] != sent[i] + 1;
    }
}

// Receive one request, answer with each word one higher.
static void serve_words(handle_t port, uint32_t count) {
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(received.tag, TAG(WORLD_LABEL, count, 0, 0));
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = (i < 2 ? received.word[i] : message_buffer()->word[i]) + 1;
    }
    CHECK_EQUAL(ipc_reply(received.token, TAG(WORLD_LABEL, count, 0, 0), numbers), OK);
}

TEST(words, "0, 1, 2, 3, 4 and 64 words go to another task and back") {
    static const uint32_t counts[] = {0, 1, 2, 3, 4, 63, 64};
    world_begin();
    handle_t port = world_port();
    struct actor *caller = caller_make(port, 7, caller_of_words);
    for (uint32_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        actor_start(caller, counts[i]);
        serve_words(port, counts[i]);
        actor_wait(caller);
        CHECK_EQUAL(caller->result[0], OK);
        CHECK_EQUAL(caller->result[1], 0);
    }
    actor_end(caller);
    port_end(port);
    world_end();
}

TEST(badge, "the server sees the badge that the handle's maker chose") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller = task_make(POOL, 10, actor_calls);
    for (uint32_t badge = 0; badge < 3; badge++) {
        struct received received;
        actor_give(caller, port, 0, RIGHT_CALL, badge * 0x55555555u);
        actor_start(caller, 0);
        port_next(port, &received);
        CHECK_EQUAL(received.badge, badge * 0x55555555u);
        CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
        actor_wait(caller);
        CHECK_EQUAL(task_handle_drop(caller->task, SLOT_GIVEN), OK);
    }
    port_end(port);
    world_end();
}

TEST(error_reply, "an error comes back as the error of the call") {
    world_begin();
    handle_t port = world_port();
    struct actor *caller = caller_make(port, 0, actor_calls);
    struct received received;
    actor_start(caller, 0);
    port_next(port, &received);
    CHECK_EQUAL(ipc_reply(received.token, TAG(0, 65, 0, 0), numbers), E_LENGTH);
    CHECK_EQUAL(ipc_reply(received.token, TAG(0, 0, 5, 0), numbers), E_LENGTH);
    CHECK_EQUAL(ipc_reply(received.token, TAG(0, 0, 0, 1), numbers), E_LENGTH);
    CHECK(!actor_finished(caller));
    CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_FULL), NULL), OK);
    actor_wait(caller);
    CHECK_EQUAL(caller->result[0], E_FULL);
    port_end(port);
    world_end();
}

static void caller_many(struct actor *self) {
    for (uint32_t i = 0; i < self->argument; i++) {
        uint32_t out = 0;
        self->result[0] += ipc_call(GIVEN, WORLD_LABEL, &i, 1, &out, 1, 0) != OK || out != i * 3;
    }
}

TEST(reply_receive, "a server's loop answers 500 calls of each of three tasks, each with its own") {
    enum { CALLS = 500, CALLERS = 3 };
    world_begin();
    handle_t port = world_port();
    struct actor *caller[CALLERS];
    for (uint32_t i = 0; i < CALLERS; i++) {
        caller[i] = caller_make(port, i, caller_many);
        actor_start(caller[i], CALLS);
    }
    struct received received;
    port_next(port, &received);
    for (uint32_t i = 1; i < CALLS * CALLERS; i++) {
        uint32_t answer = received.word[0] * 3;
        ipc_reply_receive(port, received.token, TAG(WORLD_LABEL, 1, 0, 0), &answer, &received);
        while (received.tag == LABEL_EVENT) {  // one of them is done
            ipc_receive(port, &received);
        }
        CHECK_EQUAL(received.tag, TAG(WORLD_LABEL, 1, 0, 0));
    }
    uint32_t answer = received.word[0] * 3;
    CHECK_EQUAL(ipc_reply(received.token, TAG(WORLD_LABEL, 1, 0, 0), &answer), OK);
    for (uint32_t i = 0; i < CALLERS; i++) {
        CHECK(actor_finished(caller[i]));
        CHECK_EQUAL(caller[i]->result[0], 0);
    }
    port_end(port);
    world_end();
}
