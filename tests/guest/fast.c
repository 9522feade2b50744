// SPDX-License-Identifier: MIT
// The fast path of calls, replies and faults: that it is taken, and reasons to leave it (others:
// leave.c). What the C code does then must mean the same, and the next entry must be fast again. How
// many entries were fast is counted by the kernel; one that checks itself takes the C code for all.
#include "counts.h"

#define GIVEN HANDLE(SLOT_GIVEN)
#define CALL HANDLE(SLOT_TEST + 1)  // the port, with the right to call and no other
#define PAGE 0x50000000u

static struct ipc_registers call_tag(handle_t port, tag_t tag) {
    return raw_enter(port | OP_CALL, tag, 0, 5, 6);
}

// A call that comes back with its words; `fast` of its two entries are fast.
static void expect(handle_t port, tag_t tag, uint32_t fast) {
    struct counts before = counts(MACHINE);
    struct ipc_registers r = call_tag(port, tag);
    uint32_t were = counts_since(MACHINE, before).fast;
    CHECK_EQUAL(were, fast * fast_kernel());
    CHECK_EQUAL(r.eax, TAG(WORLD_LABEL, 1, 0, 0));
    CHECK_EQUAL(r.edi, 5);
}

static handle_t port;
static struct actor *server;

static void server_make(void (*run)(struct actor *)) {
    world_begin();
    port = world_port();
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 1, RIGHT_CALL, 7), OK);
    server = task_make(POOL, WORLD_RANK, run);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 0);
    world_settle();
}

static void server_begin(void) {
    server_make(actor_echoes);
    call_tag(CALL, WORLD_LABEL);  // the first call to a server is none of the fast path
}

static void server_end(void) {
    actor_end(server);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 1), OK);
    port_end(port);
    world_end();
}

TEST(fast_refused, "a call that is wrong leaves the fast path, and changes nothing") {
    server_begin();
    const tag_t wrong[] = {TAG(WORLD_LABEL, 65, 0, 0), TAG(WORLD_LABEL, 127, 0, 0),
                           TAG(WORLD_LABEL, 0, 5, 0), TAG(WORLD_LABEL, 0, 0, 1), TAG_ERROR(E_IO),
                           TAG(LABEL_fault_write, 2, 0, 0), TAG(LABEL_EVENT, 1, 0, 0)};
    uint32_t calls = server->result[0];
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        CHECK_EQUAL(TAG_TO_ERROR(call_tag(CALL, wrong[i]).eax), E_LENGTH);
    }
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(HANDLE(SLOT_COUNT), WORLD_LABEL).eax), E_HANDLE);
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(HANDLE(SLOT_TEST + 2), WORLD_LABEL).eax), E_HANDLE);
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(TASK, WORLD_LABEL).eax), E_MESSAGE);
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(CALL + 8, WORLD_LABEL).eax), E_ARGUMENT);
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 2, RIGHT_RECEIVE, 0), OK);
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(HANDLE(SLOT_TEST + 2), WORLD_LABEL).eax), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 2), OK);
    CHECK_EQUAL(server->result[0], calls);
    expect(CALL, WORLD_LABEL, 2);
    server_end();
}

TEST(fast_taken, "calls of 0 to 64 words and their replies are fast, words arrive") {
    server_begin();
    for (uint32_t words = 0; words <= TAG_WORDS_MAX; words++) {
        expect(CALL, TAG(WORLD_LABEL, words, 0, 0), 2);
    }
    server_end();
}

static void words_echo(struct actor *self) {
    struct received received;
    uint32_t words[TAG_WORDS_MAX];
    ipc_receive(GIVEN, &received);
    for (;;) {
        words[0] = received.word[0];
        words[1] = received.word[1];
        for (uint32_t i = 2; i < TAG_WORDS(received.tag); i++) {
            words[i] = message_buffer()->word[i] + received.badge;
        }
        self->result[0]++;
        ipc_reply_receive(GIVEN, received.token, received.tag, words, &received);
    }
}

TEST(fast_words, "each number of words goes there and back whole, and not one more") {
    server_make(words_echo);
    struct message_buffer *buffer = message_buffer();
    for (uint32_t words = 3; words <= TAG_WORDS_MAX; words++) {
        for (uint32_t i = 0; i < TAG_WORDS_MAX; i++) {
            buffer->word[i] = 1000 + i;
        }
        struct ipc_registers r = call_tag(CALL, TAG(WORLD_LABEL, words, 0, 0));
        CHECK_EQUAL(r.eax, TAG(WORLD_LABEL, words, 0, 0));
        CHECK_EQUAL(r.ebx, 1009);
        for (uint32_t i = 2; i < TAG_WORDS_MAX; i++) {
            CHECK_EQUAL(buffer->word[i], 1000 + i + (i < words ? 7 : 0));
        }
    }
    server_end();
}

TEST(fast_left_by_call, "what needs the C code on the way in is done there") {
    server_begin();
    expect(CALL, WORLD_LABEL, 2);
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 2, RIGHT_CALL | RIGHT_RECEIVE, 7), OK);
    expect(HANDLE(SLOT_TEST + 2), WORLD_LABEL, 1);  // a handle with two rights
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 2), OK);
    expect(CALL, LABEL_task_info, 1);               // a label among the kernel's
    CHECK_EQUAL(thread_priority(THREAD, WORLD_RANK + 1), OK);
    expect(CALL, WORLD_LABEL, 1);                   // a caller of higher priority
    CHECK_EQUAL(thread_priority(THREAD, MAIN_PRIORITY), OK);
    message_buffer()->handle[0] = TASK;             // handles: the server offers no slot
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(CALL, TAG(WORLD_LABEL, 0, 1, 0)).eax), E_SLOT);
    expect(CALL, WORLD_LABEL, 2);
    server_end();
}

TEST(fast_left_by_first_call, "the first call to another server is done by the C code") {
    server_begin();
    handle_t second = port_make(SLOT_TEST + 3, WORLD_RANK);
    struct actor *other = task_make(POOL, WORLD_RANK, actor_echoes);
    CHECK_EQUAL(task_handle_give(TASK, second, SLOT_TEST + 4, RIGHT_CALL, 8), OK);
    actor_give(other, second, 0, RIGHT_RECEIVE, 0);
    actor_start(other, 0);
    world_settle();
    expect(HANDLE(SLOT_TEST + 4), WORLD_LABEL, 1);
    expect(HANDLE(SLOT_TEST + 4), WORLD_LABEL, 2);
    expect(CALL, WORLD_LABEL, 1);
    actor_end(other);
    expect(CALL, WORLD_LABEL, 2);
    CHECK_EQUAL(TAG_TO_ERROR(call_tag(HANDLE(SLOT_TEST + 4), TAG_ERROR(1)).eax), E_LENGTH);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 4), OK);
    port_end(second);
    server_end();
}

TEST(fast_left_by_reply, "a reply with others in line, events pending or a void token is the C code's") {
    world_begin();
    port = world_port();
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 1, RIGHT_RECEIVE, 0), OK);
    struct actor *first = task_make(POOL, 10, actor_calls);
    struct actor *second = task_make(POOL, 10, actor_calls);
    actor_give(first, port, 0, RIGHT_CALL, 1);
    actor_give(second, port, 0, RIGHT_CALL, 2);
    actor_start(first, 11);
    world_settle();
    actor_start(second, 22);
    world_settle();
    struct received received, next;
    ipc_receive(CALL, &received);
    CHECK_EQUAL(received.badge, 1);
    ipc_reply_receive(CALL, received.token + TOKEN_STEP, WORLD_LABEL, NULL, &next);
    CHECK_EQUAL(TAG_TO_ERROR(next.tag), E_TOKEN);
    ipc_reply_receive(CALL, received.token, TAG(WORLD_LABEL, 1, 0, 0), received.word, &next);
    CHECK_EQUAL(next.badge, 2);  // stood in line
    CHECK_EQUAL(ipc_reply(received.token, WORLD_LABEL, NULL), E_TOKEN);
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, SLOT_TEST + 2, RIGHT_SIGNAL, 1u << 20), OK);
    CHECK_EQUAL(ipc_signal(HANDLE(SLOT_TEST + 2)), OK);
    ipc_reply_receive(CALL, next.token, TAG(WORLD_LABEL, 1, 0, 0), next.word, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK(received.word[0] & 1u << 20);
    actor_wait(first);
    actor_wait(second);
    CHECK_EQUAL(first->result[1], 11);
    CHECK_EQUAL(second->result[1], 22);
    actor_end(first);
    actor_end(second);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 2), OK);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 1), OK);
    port_end(port);
    world_end();
}

// --- faults --------------------------------------------------------------------------------------

static void touches(struct actor *self) {
    for (uint32_t i = 0; i < 3; i++) {
        self->result[0] += *(volatile uint32_t *)(PAGE + i * PAGE_SIZE) + 1;
    }
}

static frame_t page_frame;

// Answers the first fault wrong in each way, then right; the others right at once.
static void pages(struct actor *self) {
    struct received fault;
    struct map_item items[2] = {{PAGE | MAP_READ, 0}, {(PAGE + PAGE_SIZE) | MAP_READ, 0}};
    const uint32_t wrong[] = {(PAGE | MAP_READ | MAP_WRITE | MAP_EXECUTE), PAGE | 8, PAGE,
                              LAYOUT_KERNEL | MAP_READ};
    const error_t errors[] = {E_WX, E_ARGUMENT, E_ARGUMENT, E_ADDRESS};
    ipc_receive(GIVEN, &fault);
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct map_item bad = {wrong[i], page_frame << 8};
        struct ipc_registers r = raw_enter(GIVEN | OP_REPLY_RECEIVE, fault.token,
                                           TAG(0, 0, 0, 1), bad.page, bad.frame);
        self->result[1] += TAG_TO_ERROR(r.eax) == errors[i];
    }
    struct map_item foreign = {PAGE | MAP_READ, 1u << 8};
    self->result[1] += ipc_reply_map(fault.token, &foreign, 1) == E_OWNER;
    vaddr_t again = fault.word[0];
    ipc_reply_receive(GIVEN, fault.token, 0, (uint32_t[2]){0}, &fault);  // without an item: it is tried again
    self->result[1] += fault.word[0] == again;
    for (uint32_t i = 0; i < 3; i++) {
        items[0] = (struct map_item){PAGE_DOWN(fault.word[0]) | MAP_READ, (page_frame + 0) << 8};
        self->result[0]++;
        ipc_reply_map_receive(GIVEN, fault.token, items, 1, &fault);
    }
}

TEST(fast_faults, "faults and the replies that map are fast; a wrong item leaves the fault waiting") {
    world_begin();
    port = world_port();
    page_frame = frame_get();
    struct actor *pager = task_make(POOL, WORLD_RANK, pages);
    struct actor *victim = task_make(POOL, 10, touches);
    actor_give(pager, port, 0, RIGHT_RECEIVE, 0);
    CHECK_EQUAL(task_fault_port(victim->task, port, 7), OK);
    actor_start(pager, 0);
    world_settle();
    struct counts before = counts(MACHINE);
    actor_start(victim, 0);
    actor_wait(victim);
    uint32_t fast = counts_since(MACHINE, before).fast;
    CHECK_EQUAL(pager->result[1], 6);
    CHECK_EQUAL(victim->result[0], 3);
    CHECK(fast >= 6 || fast_kernel() == 0);  // the first fault's way in is the C code's
    actor_end(victim);
    actor_end(pager);
    frame_put(page_frame);
    port_end(port);
    world_end();
}
