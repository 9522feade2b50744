// SPDX-License-Identifier: MIT
// Who runs when several could: servers, priorities, equals, threads that wait often beside threads
// that never do.
#include "world.h"

#define GIVEN HANDLE(SLOT_GIVEN)

// Calls without end. result[0]: calls, [1]: errors.
static void chat(struct actor *self) {
    for (;;) {
        uint32_t in = 1, out;
        self->result[1] += ipc_call(GIVEN, WORLD_LABEL, &in, 1, &out, 1, 0);
        self->result[0]++;
    }
}

TEST(server_first, "a server of higher rank runs before its caller goes on") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 28);
    struct actor *server = task_make(POOL, 20, actor_echoes);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 0);
    world_settle();
    for (uint32_t i = 1; i <= 100; i++) {
        uint32_t in = i, out = 0;
        CHECK_EQUAL(ipc_call(port, WORLD_LABEL, &in, 1, &out, 1, 0), OK);
        CHECK_EQUAL(out, i);
        CHECK_EQUAL(server->result[0], i);
    }
    actor_end(server);
    port_end(port);
    world_end();
}

TEST(round_robin, "equal threads that never wait share the CPU, and the timer gives it back") {
    world_begin();
    struct actor *busy[3];
    for (uint32_t i = 0; i < 3; i++) {
        busy[i] = task_make(POOL, 10, actor_counts);
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

TEST(round_robin_calls, "a thread that calls often gets its share beside an equal that never waits") {
    world_begin();
    handle_t port = world_port();
    struct actor *server = task_make(POOL, 20, actor_echoes), *chatty = task_make(POOL, 10, chat);
    struct actor *busy = task_make(POOL, 10, actor_counts);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(chatty, port, 0, RIGHT_CALL, 0);
    actor_start(server, 0);
    world_settle();
    actor_start(busy, 0);
    actor_start(chatty, 0);
    world_wait_above(&chatty->result[0], 50000);  // a slice for each would take 500 seconds
    world_wait_above(&busy->result[0], busy->result[0]);
    CHECK_EQUAL(chatty->result[1], OK);
    actor_end(server);
    port_end(port);
    world_end();
}

static struct actor *watched;

// Sees the other's counter when it begins and when it ends.
static void watch(struct actor *self) {
    self->result[0] = watched->result[0];
    for (volatile uint32_t i = 0; i < 1000; i++) {
    }
    self->result[1] = watched->result[0];
}

TEST(priorities, "a thread runs only while none of higher priority is ready and has time left") {
    world_begin();
    struct actor *high = task_make(POOL, 10, watch), *low = task_make(POOL, 10, actor_counts);
    watched = low;
    CHECK_EQUAL(task_share(high->task, SHARE_MAX), OK);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_CEILING + 1), E_ARGUMENT);
    actor_start(low, 0);
    actor_start(high, 0);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_PRIORITY + 1), OK);  // both stand in line
    actor_wait(high);
    CHECK_EQUAL(high->result[0], high->result[1]);
    world_wait_above(&low->result[0], high->result[1]);
    uint32_t before = low->result[0];
    actor_start(high, 0);
    CHECK_EQUAL(thread_priority(high->thread, ACTOR_PRIORITY - 1), OK);
    actor_wait(high);  // it ran, for the other one's time was over
    CHECK(high->result[0] > before);
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
