// SPDX-License-Identifier: MIT
// How the CPU is shared: by shares, counted in what a task and the servers that work for it use;
// and nobody, of whatever priority, keeps it for ever. Runs by counted instructions.
#include "../../libsys/clock.h"
#include "world.h"

#define GIVEN HANDLE(SLOT_GIVEN)

enum { ROUNDS_MS = 80, ONE = 1, THREE = 3, PORT_RANK = 18 };

// --- who uses it ---------------------------------------------------------------------------------

static void work(uint32_t steps) {
    for (volatile uint32_t i = 0; i < steps; i++) {
    }
}

// Works as much for each call as its argument says.
static void serve(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        work(self->argument);
        self->result[0]++;
        ipc_reply_receive(GIVEN, received.token, TAG(WORLD_LABEL, 0, 0, 0), received.word,
                          &received);
    }
}

static void call_on(struct actor *self) {
    for (;;) {
        self->result[0] += ipc_call(GIVEN, WORLD_LABEL, NULL, 0, NULL, 0, 0) == OK;
    }
}

// The same page again and again: its pager never maps it.
static void fault_on(struct actor *self) {
    (void)self;
    *(volatile uint32_t *)LAYOUT_MAP_FIRST = 1;
}

// --- counting ------------------------------------------------------------------------------------

static struct task_info_out info(const struct actor *actor) {
    struct task_info_out out = {0};
    CHECK_EQUAL(task_info(actor->task, &out), OK);
    return out;
}

static uint64_t cycles(const struct actor *actor) {
    struct task_info_out out = info(actor);
    return (uint64_t)out.cycles_high << 32 | out.cycles_low;
}

static uint64_t billed(const struct actor *actor) {
    struct task_info_out out = info(actor);
    return (uint64_t)out.billed_high << 32 | out.billed_low;
}

// Within a tenth of each other.
static bool near(uint64_t one, uint64_t other) {
    return one * 10 >= other * 9 && other * 10 >= one * 9;
}

static struct actor *task_shared(uint32_t share, void (*run)(struct actor *)) {
    struct actor *actor = task_make(POOL, 10, run);
    CHECK_EQUAL(task_share(actor->task, share), OK);
    return actor;
}

static struct actor *server_make(handle_t port, void (*run)(struct actor *), uint32_t argument) {
    struct actor *server = task_make(POOL, PORT_RANK, run);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, argument);
    world_settle();
    return server;
}

// --- shares --------------------------------------------------------------------------------------

TEST(share_wrong, "a share is from 1 to 100, and setting it needs control of the task") {
    world_begin();
    struct actor *actor = task_make(POOL, 10, actor_counts);
    CHECK_EQUAL(task_share(actor->task, 0), E_ARGUMENT);
    CHECK_EQUAL(task_share(actor->task, SHARE_MAX + 1), E_ARGUMENT);
    CHECK_EQUAL(task_share(actor->task, UINT32_MAX), E_ARGUMENT);
    CHECK_EQUAL(info(actor).share, SHARE_DEFAULT);
    CHECK_EQUAL(task_share(actor->task, SHARE_MAX), OK);
    CHECK_EQUAL(info(actor).share, SHARE_MAX);
    CHECK_EQUAL(task_handle_give(TASK, actor->task, SLOT_TEST, RIGHT_ALL & ~RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(task_share(HANDLE(SLOT_TEST), 1), E_RIGHT);
    world_end();
}

static void give_shares(struct actor *self) {
    self->result[0] = task_share(GIVEN, ONE + 1);
    self->result[1] = task_share(GIVEN, ONE);
    self->result[2] = task_share(HANDLE(SLOT_TASK), ONE + 1);
}

TEST(share_given, "a task gives no more than its own share, to itself neither") {
    world_begin();
    struct actor *giver = task_shared(ONE, give_shares), *other = task_make(POOL, 10, actor_counts);
    actor_give(giver, other->task, 0, RIGHT_ALL, 0);
    actor_start(giver, 0);
    actor_wait(giver);
    CHECK_EQUAL(giver->result[0], E_ARGUMENT);
    CHECK_EQUAL(giver->result[1], OK);
    CHECK_EQUAL(giver->result[2], E_ARGUMENT);
    CHECK_EQUAL(info(other).share, ONE);
    world_end();
}

TEST(share_of_spinners, "tasks with shares of 1 and 3 get the CPU 1 to 3, and all of it") {
    world_begin();
    struct actor *one = task_shared(ONE, actor_counts), *three = task_shared(THREE, actor_counts);
    actor_start(one, 0);
    actor_start(three, 0);
    world_pause(ROUNDS_MS);
    CHECK(near(3 * cycles(one), cycles(three)));
    CHECK(near(3 * billed(one), billed(three)));
    CHECK(near(cycles(one) + cycles(three), (uint64_t)ROUNDS_MS * clock_page()->tsc_khz));
    world_end();
}

// One calls a server that works so much for each call, the other spins: both ways round.
static void share_with_server(uint32_t steps) {
    static const uint32_t shares[][2] = {{ONE, THREE}, {THREE, ONE}, {ONE, ONE}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(shares); i++) {
        world_begin();
        handle_t port = port_make(SLOT_TEST, PORT_RANK);
        struct actor *server = server_make(port, serve, steps);
        struct actor *caller = task_shared(shares[i][0], call_on);
        struct actor *busy = task_shared(shares[i][1], actor_counts);
        actor_give(caller, port, 0, RIGHT_CALL, 1);
        uint64_t before = billed(server), served = cycles(server);
        actor_start(caller, 0);
        actor_start(busy, 0);
        world_pause(ROUNDS_MS);
        served = cycles(server) - served;
        CHECK(caller->result[0] > 100 / (steps + 1) && server->result[0] > 0);
        CHECK(near(shares[i][1] * billed(caller), shares[i][0] * billed(busy)));
        CHECK(near(shares[i][1] * (cycles(caller) + served), shares[i][0] * cycles(busy)));
        CHECK((billed(server) - before) * 10 < served);  // the server pays next to nothing
        actor_end(server);
        port_end(port);
        world_end();
    }
}

TEST(share_of_callers, "a server's work counts as its caller's: calling gives nobody more") {
    share_with_server(0);
}

TEST(share_of_heavy_callers, "the same where the server does nearly all the work") {
    share_with_server(20000);
}

static void refuse_pages(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        self->result[0]++;
        ipc_reply_receive(GIVEN, received.token, 0, received.word, &received);
    }
}

TEST(share_of_faulters, "a pager's work counts as the faulter's") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *pager = server_make(port, refuse_pages, 0);
    struct actor *faulter = task_shared(ONE, fault_on), *busy = task_shared(THREE, actor_counts);
    CHECK_EQUAL(task_fault_port(faulter->task, port, 1), OK);
    uint64_t served = cycles(pager);
    actor_start(faulter, 0);
    actor_start(busy, 0);
    world_pause(ROUNDS_MS);
    CHECK(pager->result[0] > 100);
    CHECK(near(3 * billed(faulter), billed(busy)));
    CHECK(near(3 * (cycles(faulter) + cycles(pager) - served), cycles(busy)));
    actor_end(pager);
    port_end(port);
    world_end();
}

// Waits for an event after each call, works, and replies then.
static void serve_late(struct actor *self) {
    for (;;) {
        struct received received, event;
        ipc_receive(GIVEN, &received);
        self->result[1] += timer_set(HANDLE(SLOT_GIVEN + 1), 1000, 0, HANDLE(SLOT_GIVEN + 2), 1);
        ipc_receive(0, &event);
        work(self->argument);
        self->result[1] += ipc_reply(received.token, TAG(WORLD_LABEL, 0, 0, 0), received.word);
        self->result[0]++;
    }
}

TEST(share_of_late_replies, "what a server does after an event is billed to whom it answers then") {
    if (option_given("check=")) {
        SKIP("one proof of the laws takes longer than all that is measured here");
    }
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK), event = event_make(SLOT_TEST + 1);
    CHECK_EQUAL(pool_timer_create(POOL, SLOT_TEST + 2), OK);
    struct actor *server = task_make(POOL, PORT_RANK, serve_late);
    struct actor *caller = task_shared(ONE, call_on), *busy = task_shared(THREE, actor_counts);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(server, HANDLE(SLOT_TEST + 2), 1, RIGHT_ALL, 0);
    actor_give(server, event, 2, RIGHT_ALL, 0);
    CHECK_EQUAL(thread_event(server->thread, event), OK);
    actor_give(caller, port, 0, RIGHT_CALL, 1);
    actor_start(server, 10000);
    world_settle();
    uint64_t before = billed(server), served = cycles(server);
    actor_start(caller, 0);
    actor_start(busy, 0);
    world_pause(ROUNDS_MS);
    served = cycles(server) - served;
    CHECK(server->result[0] > 100);
    CHECK_EQUAL(server->result[1], OK);
    CHECK(near(cycles(caller) + served, billed(caller)));
    CHECK((billed(server) - before) * 10 < served);
    actor_end(server);
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(SLOT_TEST + 2)), OK);
    port_end(port);
    world_end();
}

TEST(share_of_threads, "a task's threads share its time, each of them, and get it no more of it") {
    world_begin();
    struct actor *alone = task_shared(ONE, actor_counts), *first = task_shared(ONE, actor_counts);
    struct actor *more[2] = {thread_make(first, ACTOR_PRIORITY, actor_counts),
                             thread_make(first, ACTOR_PRIORITY, actor_counts)};
    actor_start(alone, 0);
    actor_start(first, 0);
    actor_start(more[0], 0);
    actor_start(more[1], 0);
    world_pause(ROUNDS_MS);
    CHECK(near(cycles(alone), cycles(first)));
    uint32_t third = (first->result[0] + more[0]->result[0] + more[1]->result[0]) / 3;
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(more[i]->result[0] > third / 2 && more[i]->result[0] < third * 2);
    }
    actor_end(more[0]);
    actor_end(more[1]);
    world_end();
}

TEST(share_unused, "time that nobody else wants is free: it counts against no share") {
    world_begin();
    struct actor *early = task_shared(ONE, actor_counts), *late = task_shared(ONE, actor_counts);
    actor_start(early, 0);
    world_pause(ROUNDS_MS);
    uint64_t before = cycles(early);
    actor_start(late, 0);
    world_pause(ROUNDS_MS);
    CHECK(near(cycles(early) - before, cycles(late)));
    world_end();
}

// --- nobody for ever -----------------------------------------------------------------------------

static void serve_and_spin(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    actor_counts(self);
}

// The spinner ranks above the test, which is init here, and above another task.
static void outlast(struct actor *spinner, struct actor *other) {
    uint64_t before = cycles(other);
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t turns = spinner->result[0];
        world_pause(ROUNDS_MS);
        CHECK(spinner->result[0] > turns);
    }
    CHECK(cycles(other) - before > 0);
    CHECK_EQUAL(task_kill(spinner->task, CAUSE_KILLED), OK);
    uint32_t turns = spinner->result[0];
    world_pause(ROUNDS_MS);
    CHECK_EQUAL(spinner->result[0], turns);
}

TEST(spinner_is_outlasted, "a task of high priority that spins does not keep init from killing it") {
    world_begin();
    struct actor *spinner = task_shared(SHARE_MAX, actor_counts);
    struct actor *other = task_make(POOL, 10, actor_counts);
    CHECK_EQUAL(thread_priority(spinner->thread, ACTOR_CEILING), OK);
    actor_start(other, 0);
    actor_start(spinner, 0);
    outlast(spinner, other);
    world_end();
}

TEST(server_is_outlasted, "neither does a server that spins while it works for a client") {
    world_begin();
    handle_t port = port_make(SLOT_TEST, 30);
    struct actor *server = task_make(POOL, 25, serve_and_spin);
    struct actor *client = task_make(POOL, 10, call_on), *other = task_make(POOL, 10, actor_counts);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(client, port, 0, RIGHT_CALL, 1);
    actor_start(server, 0);
    world_settle();
    actor_start(client, 0);
    actor_start(other, 0);
    outlast(server, other);
    CHECK(billed(client) < billed(server));  // it paid as far as its credit went
    port_end(port);
    world_end();
}

// --- no tick -------------------------------------------------------------------------------------

static uint64_t kernel_entries(void) {
    struct machine_info_out machine = {0};
    CHECK_EQUAL(machine_info(MACHINE, &machine), OK);
    return (uint64_t)machine.entries_high << 32 | machine.entries_low;
}

TEST(no_tick, "who runs alone is not interrupted; with company, once in its share") {
    world_begin();
    world_pause(ROUNDS_MS);  // what was programmed before has come
    uint64_t before = kernel_entries();
    work(50000000);
    CHECK_EQUAL(kernel_entries() - before, 1);  // this question itself
    struct actor *one = task_make(POOL, 10, actor_counts);
    struct actor *other = task_make(POOL, 10, actor_counts);
    actor_start(one, 0);
    actor_start(other, 0);
    before = kernel_entries();
    world_pause(ROUNDS_MS);
    uint64_t turns = kernel_entries() - before;
    CHECK(turns >= ROUNDS_MS / SHARE_DEFAULT - 4);
    CHECK(turns <= ROUNDS_MS / SHARE_DEFAULT * 2 + 16);  // and one in 55 ms for the pause
    world_end();
}
