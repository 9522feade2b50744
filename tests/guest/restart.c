// SPDX-License-Identifier: MIT
// The end of servers and tasks: who is told, who goes on waiting, what is sent again. More are told
// here than a single entry of the kernel works off.
#include "world.h"

enum { PORT_RANK = 25, LABEL = 0x2001, A = SLOT_TEST + 10, B, C, CROWD = 100 };
#define GIVEN HANDLE(SLOT_GIVEN)
#define DEATH (1u << 20)

static void caller_once(struct actor *self) {
    uint32_t in = self->argument, out = 0;
    self->result[0] = ipc_call(GIVEN, LABEL, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

// Receives `argument` calls, answers none, waits for ever; a later thread of the task answers its
// token. Uses no message buffer.
static volatile token_t kept_token;

static void silent(struct actor *self) {
    for (uint32_t i = 0; i < self->argument; i++) {
        kept_token = raw_enter(GIVEN | OP_RECEIVE, 0, 0, 0, 0).ebx;
        self->result[0]++;
    }
    raw_enter(HANDLE(SLOT_GIVEN + 1) | OP_RECEIVE, 0, 0, 0, 0);
}

static void answer_kept(struct actor *self) {
    self->result[0] = raw_error(OP_REPLY, kept_token);
}

static void answer_next(struct actor *self) {
    uint32_t answer = 77;
    struct ipc_registers r = raw_enter(GIVEN | OP_RECEIVE, 0, 0, 0, 0);
    self->result[0] = r.esi;
    self->result[1] = TAG_TO_ERROR(raw_enter(OP_REPLY, r.ebx, TAG(LABEL, 1, 0, 0), answer, 0).eax);
}

static uint32_t events_now(void) {
    struct received received;
    ipc_poll(0, &received);
    return received.tag == LABEL_EVENT ? received.word[0] : 0;
}

// A server's task whose first thread has received one call, and a caller for each of `callers`.
static struct actor *server_make(handle_t port, handle_t nothing, struct actor **caller,
                                 uint32_t callers) {
    struct actor *server = task_make(POOL, 20, silent);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(server, nothing, 1, RIGHT_RECEIVE, 0);
    actor_start(server, 1);
    world_settle();
    for (uint32_t i = 0; i < callers; i++) {
        caller[i] = caller_make(port, i, caller_once);
        actor_start(caller[i], i);
        CHECK(!actor_finished(caller[i]));
    }
    return server;
}

// --- a server's threads --------------------------------------------------------------------------

TEST(restart_one_thread, "while a task has a thread left, the callers it received go on waiting") {
    world_begin();
    struct actor *caller[1];
    handle_t port = port_make(A, PORT_RANK), nothing = port_make(B, PORT_RANK);
    struct actor *server = server_make(port, nothing, caller, 1);
    struct actor *other = thread_make(server, ACTOR_PRIORITY, answer_kept);
    CHECK_EQUAL(thread_destroy(server->thread), OK);
    CHECK(!actor_finished(caller[0]));
    actor_start(other, 0);
    actor_wait(other);
    CHECK_EQUAL(other->result[0], OK);
    actor_wait(caller[0]);
    CHECK_EQUAL(caller[0]->result[0], OK);
    port_end(port);
    port_end(nothing);
    world_end();
}

TEST(restart_threads, "when its last thread ends, received callers get E_RESTARTED, queued ones wait") {
    world_begin();
    struct actor *caller[3];
    handle_t port = port_make(A, PORT_RANK), nothing = port_make(B, PORT_RANK);
    struct actor *server = server_make(port, nothing, caller, 3);
    token_t old = kept_token;
    CHECK_EQUAL(thread_destroy(server->thread), OK);
    actor_wait(caller[0]);
    CHECK_EQUAL(caller[0]->result[0], E_RESTARTED);
    CHECK(!actor_finished(caller[1]) && !actor_finished(caller[2]));
    for (uint32_t i = 1; i < 3; i++) {  // the task lives, with its handles
        struct actor *heir = thread_make(server, ACTOR_PRIORITY, answer_next);
        actor_start(heir, 0);
        actor_wait(heir);
        CHECK_EQUAL(heir->result[0], i);
        CHECK_EQUAL(heir->result[1], OK);
        actor_wait(caller[i]);
        CHECK_EQUAL(caller[i]->result[0], OK);
        CHECK_EQUAL(caller[i]->result[1], 77);
        CHECK_EQUAL(thread_destroy(heir->thread), OK);
    }
    kept_token = old;  // the new server knows what the old one knew: that call is over
    struct actor *heir = thread_make(server, ACTOR_PRIORITY, answer_kept);
    actor_start(heir, 0);
    actor_wait(heir);
    CHECK_EQUAL(heir->result[0], E_TOKEN);
    port_end(port);
    port_end(nothing);
    world_end();
}

static void touch(struct actor *self) {
    self->result[0] = *(volatile uint32_t *)0x50000000u;
}

TEST(restart_pager, "a fault that the old pager had received is sent again to the new one") {
    struct actor *none[1];
    world_begin();
    handle_t port = port_make(A, PORT_RANK), nothing = port_make(B, PORT_RANK);
    struct actor *pager = server_make(port, nothing, none, 0);
    struct actor *faulter = task_make(POOL, 10, touch);
    CHECK_EQUAL(task_fault_port(faulter->task, port, 9), OK);
    actor_start(faulter, 0);
    CHECK(!actor_finished(faulter));
    CHECK_EQUAL(pager->result[0], 1);
    CHECK_EQUAL(thread_destroy(pager->thread), OK);
    CHECK(!actor_finished(faulter));
    frame_t frame = frame_get();
    struct map_item item = {0x50000000u | MAP_READ, frame << 8};
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(received.tag, TAG(LABEL_fault_read, 2, 0, 0));
    CHECK_EQUAL(received.badge, 9);
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(faulter);
    actor_end(faulter);
    frame_put(frame);
    port_end(port);
    port_end(nothing);
    world_end();
}

// --- what is sent again --------------------------------------------------------------------------

static void ask_args(struct actor *self) {
    struct init_args_out out;
    self->result[0] = init_args(GIVEN, &out);  // REPEAT
    self->result[1] = out.line.length;
    self->result[2] = (uint8_t)out.line.bytes[9];
}
static void ask_exit(struct actor *self) {
    self->result[0] = init_exit(GIVEN, 5);  // ONCE
}

TEST(restart_repeat, "what was received is sent again to the new server; what is done once is numbered") {
    struct received again;
    world_begin();
    handle_t port = port_make(A, PORT_RANK), nothing = port_make(B, PORT_RANK);
    for (uint32_t once = 0; once < 2; once++) {
        struct actor *none[1];
        struct actor *server = server_make(port, nothing, none, 0);
        struct actor *client = task_make(POOL, 10, once ? ask_exit : ask_args);
        actor_give(client, port, 0, RIGHT_CALL, 4);
        actor_start(client, 0);
        CHECK(!actor_finished(client));
        CHECK_EQUAL(server->result[0], 1);
        CHECK_EQUAL(thread_destroy(server->thread), OK);
        struct received received;
        port_next(port, &received);
        if (once) {
            CHECK_EQUAL(received.tag, TAG(LABEL_init_exit, 2, 0, 0));
            CHECK_EQUAL(received.word[0], 5);
            CHECK(received.word[1] != 0);  // the number that says which request this is
            CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_RESTARTED), NULL), OK);
            port_next(port, &again);
            CHECK_EQUAL(again.tag, received.tag);
            CHECK_EQUAL(again.word[1], received.word[1]);
            CHECK_EQUAL(ipc_reply(again.token, TAG_ERROR(E_DENIED), NULL), OK);
            actor_wait(client);
            CHECK_EQUAL(client->result[0], E_DENIED);
        } else {
            CHECK_EQUAL(received.tag, TAG(LABEL_init_args, 0, 0, 0));
            struct init_args_out out = {.line = {.length = 10, .bytes = "a new life"}};
            CHECK_EQUAL(ipc_reply(received.token, TAG(LABEL_init_args, BODY_WORDS(out), 0, 0),
                                  (const uint32_t *)&out), OK);
            actor_wait(client);
            CHECK_EQUAL(client->result[0], OK);
            CHECK_EQUAL(client->result[1], 10);
            CHECK_EQUAL(client->result[2], 'e');
        }
        actor_end(client);
        actor_end(server);
    }
    port_end(port);
    port_end(nothing);
    world_end();
}

// --- many threads --------------------------------------------------------------------------------

static volatile uint32_t crowd_error[CROWD];
static uint32_t crowd_stack[CROWD][4];

// eax: number of the thread. Calls once, notes the error, and waits for ever.
__attribute__((naked)) static void crowd_call(void) {
    __asm__("push %%eax\n\t"
            "mov %0, %%eax\n\t"
            "mov %1, %%ebx\n\t"
            "mov %%esp, %%ecx\n\t"
            "mov $1f, %%edx\n\t"
            "sysenter\n"
            "1:\n\t"
            "pop %%ecx\n\t"
            "neg %%eax\n\t"
            "mov %%eax, crowd_error(,%%ecx,4)\n\t"
            "mov %2, %%eax\n\t"
            "mov %%esp, %%ecx\n\t"
            "mov $2f, %%edx\n\t"
            "sysenter\n"
            "2: jmp 2b"
            :
            : "i"(HANDLE(SLOT_GIVEN) | OP_CALL), "i"(LABEL), "i"(HANDLE(SLOT_GIVEN + 1) | OP_RECEIVE));
}

// A task with CROWD threads, all of which call `port`.
static handle_t crowd_make(handle_t port, handle_t nothing) {
    struct actor *crowd = caller_make(port, 1, caller_once);
    actor_give(crowd, nothing, 1, RIGHT_RECEIVE, 0);
    for (uint32_t i = 0; i < CROWD; i++) {
        crowd_error[i] = UINT32_MAX;
        CHECK_EQUAL(task_thread_create(crowd->task, C, 0x50000000 + i * PAGE_SIZE, ACTOR_PRIORITY),
                    OK);
        CHECK_EQUAL(thread_start(HANDLE(C), (uint32_t)(uintptr_t)crowd_call,
                                 (uint32_t)(uintptr_t)crowd_stack[i + 1], i), OK);
        CHECK_EQUAL(task_handle_drop(TASK, C), OK);
    }
    world_settle();
    return crowd->task;
}

static uint32_t crowd_answered(uint32_t error) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < CROWD; i++) {
        count += crowd_error[i] == error;
    }
    return count;
}

TEST(restart_many, "a hundred callers of an ended server are told, which takes several entries") {
    world_begin();
    handle_t port = port_make(A, PORT_RANK), nothing = port_make(B, PORT_RANK);
    for (uint32_t how = 0; how < 3; how++) {
        struct actor *server = task_make(POOL, 20, silent);
        actor_give(server, port, 0, RIGHT_RECEIVE, 0);
        actor_give(server, nothing, 1, RIGHT_RECEIVE, 0);
        actor_start(server, CROWD);
        CHECK_EQUAL(task_death_event(server->task, WORLD_EVENT, DEATH), OK);
        handle_t crowd = crowd_make(port, nothing);
        CHECK_EQUAL(server->result[0], CROWD);
        if (how == 0) {  // the task lives on: new threads must wait until the old calls are over
            CHECK_EQUAL(thread_destroy(server->thread), OK);
            error_t error;
            while ((error = task_thread_create(server->task, C, LAYOUT_BUFFER, 5)) == E_STATE) {
            }
            CHECK_EQUAL(error, OK);
            world_settle();
            CHECK_EQUAL(crowd_answered(E_RESTARTED), CROWD);
            CHECK_EQUAL(events_now(), 0);
        } else if (how == 1) {
            CHECK_EQUAL(task_kill(server->task, CAUSE_KILLED), OK);
            world_settle();
            CHECK_EQUAL(events_now() & DEATH, DEATH);
        } else {
            struct task_destroy_out out;
            CHECK_EQUAL(task_destroy(server->task, &out), OK);
            CHECK(out.left > 0);
        }
        actor_end(server);
        world_settle();
        CHECK_EQUAL(crowd_answered(E_RESTARTED), CROWD);
        struct task_destroy_out out = {1};
        while (out.left > 0) {
            CHECK_EQUAL(task_destroy(crowd, &out), OK);
        }
        CHECK_EQUAL(how == 2 ? events_now() & DEATH : DEATH, DEATH);
    }
    port_end(port);
    port_end(nothing);
    world_end();
}

static void spin(struct actor *self) {
    for (;;) {
        self->result[0]++;
    }
}

TEST(kill_many, "a task of a hundred threads, one of which never enters the kernel, ends for good") {
    world_begin();
    handle_t port = port_make(A, PORT_RANK), nothing = port_make(B, PORT_RANK);
    handle_t crowd = crowd_make(port, nothing);
    struct actor *spinner = thread_make(&(struct actor){.task = crowd}, ACTOR_PRIORITY, spin);
    actor_start(spinner, 0);
    world_wait_above(&spinner->result[0], 0);
    CHECK_EQUAL(task_death_event(crowd, WORLD_EVENT, DEATH), OK);
    CHECK_EQUAL(task_kill(crowd, CAUSE_KILLED), OK);
    CHECK_EQUAL(thread_resume(spinner->thread), E_STATE);
    struct received received;
    ipc_receive(0, &received);  // comes though nobody else enters the kernel
    CHECK_EQUAL(received.word[0], DEATH);
    uint32_t counted = spinner->result[0];
    world_pause(20);
    CHECK_EQUAL(spinner->result[0], counted);
    ipc_poll(port, &received);
    CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
    CHECK_EQUAL(crowd_answered(UINT32_MAX), CROWD);  // nobody was answered: all were stopped
    port_end(port);
    port_end(nothing);
    world_end();
}

// --- notices -------------------------------------------------------------------------------------

TEST(notice_wrong, "a notice of a task's end needs an event that may be signalled, and is paid for") {
    world_begin();
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
    handle_t task = HANDLE(A);
    CHECK_EQUAL(task_death_event(task, HANDLE(200), 1), E_HANDLE);
    CHECK_EQUAL(task_death_event(task, POOL, 1), E_TYPE);
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, B, RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(task_death_event(task, HANDLE(B), 1), E_RIGHT);
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, C, RIGHT_SIGNAL, 6), OK);
    CHECK_EQUAL(task_death_event(task, HANDLE(C), 9), E_RIGHT);
    CHECK_EQUAL(task_handle_give(TASK, task, C + 1, RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(task_death_event(HANDLE(C + 1), WORLD_EVENT, 1), E_RIGHT);
    struct pool_info_out before, after;
    CHECK_EQUAL(pool_info(POOL, &before), OK);
    CHECK_EQUAL(task_death_event(task, HANDLE(C), 4), OK);
    CHECK_EQUAL(pool_info(POOL, &after), OK);
    CHECK_EQUAL(after.objects, before.objects + 1);
    struct task_destroy_out out;
    CHECK_EQUAL(task_destroy(task, &out), OK);
    CHECK_EQUAL(pool_info(POOL, &after), OK);
    CHECK_EQUAL(after.objects, before.objects - 1);  // task and notice are gone
    CHECK_EQUAL(events_now(), 4);
    world_end();
}

// Asks to hear of the end of the task in slot SLOT_GIVEN, with an event of its own; result[0]: how
// often it could, before its pool was exhausted; [1]: the bits that came.
static void ask_and_hear(struct actor *self) {
    error_t error;
    do {
        error = task_death_event(GIVEN, HANDLE(SLOT_GIVEN + 1), 1u << self->argument);
        self->result[0] += error == OK;
    } while (error == OK && self->result[0] < 1000);
    self->result[2] = error;
    (void)!thread_event(HANDLE(SLOT_THREAD), HANDLE(SLOT_GIVEN + 1));
    struct received received;
    ipc_receive(0, &received);
    self->result[1] = received.word[0];
}

TEST(notices, "every task that asked, with no more than the right to call, learns of a task's end") {
    enum { HEARERS = 3 };
    world_begin();
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
    struct actor *hearer[HEARERS];
    for (uint32_t i = 0; i < HEARERS; i++) {
        handle_t pool = pool_make(A + 10 + i, 80);
        hearer[i] = task_make(pool, 10, ask_and_hear);
        actor_give(hearer[i], HANDLE(A), 0, RIGHT_CALL, 0);
        CHECK_EQUAL(pool_event_create(POOL, A + 20 + i), OK);
        actor_give(hearer[i], HANDLE(A + 20 + i), 1, RIGHT_ALL, 0);
        actor_start(hearer[i], i + 5);
    }
    CHECK(!actor_finished(hearer[0]) && !hearer[1]->done && !hearer[2]->done);
    CHECK_EQUAL(event_destroy(HANDLE(A + 20)), OK);  // whoever asked may be gone
    CHECK_EQUAL(task_kill(HANDLE(A), CAUSE_EXIT), OK);
    for (uint32_t i = 0; i < HEARERS; i++) {
        actor_wait(hearer[i]);
        CHECK(hearer[i]->result[0] > 1);  // as often as its pool could pay
        CHECK_EQUAL(hearer[i]->result[2], E_MEMORY);
        CHECK_EQUAL(hearer[i]->result[1], i == 0 ? 0 : 1u << (i + 5));
        struct pool_info_out info;
        CHECK_EQUAL(pool_info(HANDLE(A + 10 + i), &info), OK);
        CHECK_EQUAL(info.objects, 2);  // its task and thread: the notices have gone
    }
    CHECK_EQUAL(task_death_event(HANDLE(A), WORLD_EVENT, DEATH), OK);  // too late: at once
    CHECK_EQUAL(events_now() & DEATH, DEATH);
    struct task_destroy_out out;
    CHECK_EQUAL(task_destroy(HANDLE(A), &out), OK);
    for (uint32_t i = 0; i < HEARERS; i++) {
        actor_end(hearer[i]);
        CHECK_EQUAL(pool_destroy(HANDLE(A + 10 + i)), OK);
        CHECK_EQUAL(event_destroy(HANDLE(A + 20 + i)), i == 0 ? E_HANDLE : OK);
    }
    world_end();
}

TEST(notice_reaped, "notices end with the pool that pays for them, and the task does not mind") {
    world_begin();
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
    handle_t pool = pool_make(B, 80);
    struct actor *hearer = task_make(pool, 10, ask_and_hear);
    actor_give(hearer, HANDLE(A), 0, RIGHT_CALL, 0);
    actor_give(hearer, WORLD_EVENT, 1, RIGHT_SIGNAL, 0);
    CHECK_EQUAL(task_death_event(HANDLE(A), WORLD_EVENT, DEATH), OK);
    actor_start(hearer, 6);
    CHECK(actor_finished(hearer));
    CHECK_EQUAL(pool_destroy(pool), E_STATE);
    struct pool_reap_out out = {1};
    while (out.left) {
        CHECK_EQUAL(pool_reap(pool, &out), OK);
    }
    CHECK_EQUAL(pool_destroy(pool), OK);
    struct task_destroy_out left;
    CHECK_EQUAL(task_destroy(HANDLE(A), &left), OK);
    CHECK_EQUAL(events_now() & ~(1u << hearer->index), DEATH);
    world_end();
}
