// SPDX-License-Identifier: MIT
// Requests that are done once: a server with an arena is killed between any two instructions from
// the receipt of a request to its reply, and the one that takes over neither loses nor repeats it.
#include "once.h"
#include "stubs.h"
#include "world.h"

enum { PORT_RANK = 25, SERVER_RANK = 20, CLIENT_RANK = 10, ENTRIES = 4, STEPS_LEAST = 60 };
enum { A = SLOT_TEST + 10, B, THREAD_SLOT };
#define GIVEN HANDLE(SLOT_GIVEN)
#define HALF_WORDS (sizeof(struct half) / 4)
#define ADDRESS_FIRST 0x40000000u

// --- the server ----------------------------------------------------------------------------------

// Requests change one half; a single store makes it the one that counts.
static struct arena {
    volatile uint32_t live;
    struct half {
        struct once_entry once[ENTRIES];
        uint32_t regions;  // "mapped" so far
    } half[2];
} arena;
static struct half *work;

#define SERVE_NUMBER 33
#define SERVE_ONCE(request) once_find(work->once, ENTRIES, (request)->badge, (request)->token)
#include "serve.h"

static int region_add(uint32_t label, void *out) {
    work->regions++;
    if (label == LABEL_pager_map) {
        ((struct pager_map_out *)out)->address = ADDRESS_FIRST + work->regions * PAGE_SIZE;
    }
    return label == LABEL_pager_unmap ? E_NOT_FOUND : OK;
}

#define MESSAGE(interface, message, ...)                                                      \
    static int serve_##interface##_##message(const struct request *request,                   \
                                             const struct interface##_##message##_in *in,     \
                                             struct interface##_##message##_out *out) {       \
        (void)request;                                                                        \
        (void)in;                                                                             \
        return region_add(LABEL_##interface##_##message, out);                                \
    }
#define INTERFACE(...)
#define IPC_FIRST SERVE_NUMBER
#define IPC_LAST SERVE_NUMBER
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE

static union serve_body reply;
static _Alignas(16) char stack[4096];

// Each request is served by single steps if `steps` is set: each is a fault of this thread.
__attribute__((regparm(1))) static void server_run(uint32_t steps) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        if (steps) {
            __asm__ volatile("pushf; orl $0x100, (%%esp); popf" : : : "cc", "memory");
        }
        uint32_t next = 1 - arena.live;
        work = &arena.half[next];
        *work = arena.half[arena.live];
        tag_t tag = serve_request(&received, &reply);
        arena.live = next;
        ipc_reply_receive(GIVEN, received.token, tag, reply.word, &received);
    }
}

static void server_start(const struct actor *server, bool steps) {
    error_t error;  // E_STATE: the old one's callers are being told
    while ((error = task_thread_create(server->task, THREAD_SLOT, LAYOUT_BUFFER, 5)) == E_STATE) {
    }
    CHECK_EQUAL(error, OK);
    CHECK_EQUAL(thread_start(HANDLE(THREAD_SLOT), (uint32_t)(uintptr_t)server_run,
                             (uint32_t)(uintptr_t)stack + sizeof(stack) - 4, steps), OK);
}

static void server_kill(void) {
    CHECK_EQUAL(thread_destroy(HANDLE(THREAD_SLOT)), OK);
    CHECK_EQUAL(task_handle_drop(TASK, THREAD_SLOT), OK);
}

// --- the client ----------------------------------------------------------------------------------

// Two requests, and a word to the test that they were answered.
static void client_run(struct actor *self) {
    struct pager_map_out out;
    for (;;) {
        self->result[0] = pager_map(GIVEN, 0, PAGE_SIZE, MAP_READ, &out);
        self->result[1] = out.address;
        self->result[2] = pager_unmap(GIVEN, PAGE_SIZE, PAGE_SIZE);
        raw_error(HANDLE(SLOT_GIVEN + 1) | OP_CALL, TAG(WORLD_LABEL, 0, 0, 0));
    }
}

// The server is killed at its `fatal`-th step. Returns how many there were.
static uint32_t run_with_kill(const struct actor *server, handle_t news, uint32_t fatal,
                              token_t *client) {
    uint32_t steps = 0;
    struct received received;
    server_start(server, true);
    if (*client != 0) {
        CHECK_EQUAL(ipc_reply(*client, 0, NULL), OK);
    }
    for (;;) {
        port_next(news, &received);
        if (TAG_LABEL(received.tag) == WORLD_LABEL) {
            *client = received.token;
            return steps;
        }
        CHECK_EQUAL(TAG_LABEL(received.tag), LABEL_fault_exception);
        CHECK_EQUAL(received.word[0], 1);  // debug exception
        if (++steps == fatal) {
            server_kill();
            server_start(server, false);
        } else {
            CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
        }
    }
}

TEST(once_each_step, "a server is killed after each instruction of a request: it is done once") {
    world_begin();
    arena = (struct arena){0};
    handle_t port = port_make(A, PORT_RANK), news = port_make(B, PORT_RANK);
    struct actor *server = task_make(POOL, SERVER_RANK, actor_counts);
    struct actor *asker = task_make(POOL, CLIENT_RANK, client_run);
    CHECK_EQUAL(thread_destroy(server->thread), OK);
    CHECK_EQUAL(task_fault_port(server->task, news, 1), OK);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(asker, port, 0, RIGHT_CALL, 5);
    actor_give(asker, news, 1, RIGHT_CALL, 6);
    token_t client = 0;
    uint32_t fatal = 1, regions = 0;
    actor_start(asker, 0);
    for (uint32_t steps = 1; steps >= fatal - 1 && fatal < 10000; fatal++) {
        steps = run_with_kill(server, news, fatal, &client);
        server_kill();
        regions += 2;
        CHECK_EQUAL(arena.half[arena.live].regions, regions);
        CHECK_EQUAL(asker->result[0], OK);
        CHECK_EQUAL(asker->result[1], ADDRESS_FIRST + (regions - 1) * PAGE_SIZE);
        CHECK_EQUAL(asker->result[2], E_NOT_FOUND);  // and so is an error
        if (steps < fatal) {
            break;  // it was never killed: there is no such step
        }
    }
    note_number("killed at steps up to ", fatal - 1);
    CHECK(fatal > STEPS_LEAST);
    actor_end(asker);
    port_end(port);
    port_end(news);
    world_end();
}

TEST(once_table, "callers that are known keep their entry, and a full table takes no others") {
    struct once_entry table[2] = {0};
    const uint32_t word[ONCE_WORDS] = {7};
    struct once_entry *first = once_find(table, 2, 3, TOKEN_STEP + 9);
    CHECK(first != NULL && first->number == 0);
    once_keep(first, 1, 5, word);
    CHECK(once_find(table, 2, 3, TOKEN_STEP * 7 + 9) == first);  // a later call
    CHECK_EQUAL(first->number, 1);
    CHECK_EQUAL(first->word[0], 7);
    struct once_entry *second = once_find(table, 2, 4, TOKEN_STEP + 9);  // another task
    CHECK(second != NULL && second != first && second->number == 0);
    CHECK(once_find(table, 2, 3, TOKEN_STEP + 10) == NULL);  // another thread: there is no room
    once_forget(table, 2, 3);
    CHECK(once_find(table, 2, 4, TOKEN_STEP + 9) == second);
    first = once_find(table, 2, 3, TOKEN_STEP + 10);
    CHECK(first != NULL && first->number == 0);
    CHECK(ipc_number() != 0 && ipc_number() != ipc_number());
}
