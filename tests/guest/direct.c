// SPDX-License-Identifier: MIT
// The short ways of messages to kernel objects and of signals: that they are taken, and each reason
// to leave them. The C code, which a kernel that checks itself takes for signals, must mean the same.
#include "counts.h"

#define GIVEN HANDLE(SLOT_GIVEN)
#define COUNTER HANDLE(SLOT_GIVEN + 1)  // the machine
#define OTHER HANDLE(SLOT_TEST + 2)
#define PAGE 0x50000000u

// --- messages to kernel objects ------------------------------------------------------------------

TEST(direct_refused, "what is wrong is the C code's to refuse, and nothing is done") {
    CHECK_EQUAL(task_handle_give(TASK, TASK, SLOT_TEST + 2, RIGHT_MAP, 0), OK);
    const struct {
        handle_t handle;
        tag_t tag;
        error_t error;
    } wrong[] = {
        {TASK, TAG(LABEL_task_info, 1, 0, 0), E_LENGTH},
        {TASK, TAG(LABEL_task_share, 0, 0, 0), E_LENGTH},
        {TASK, TAG(LABEL_task_info, 0, 1, 0), E_LENGTH},
        {TASK, TAG(LABEL_task_info, 0, 0, 1), E_LENGTH},
        {TASK, TAG(INTERFACE_task << 8 | 16, 0, 0, 0), E_MESSAGE},
        {TASK, TAG(INTERFACE_task << 8 | 255, 0, 0, 0), E_MESSAGE},
        {TASK, TAG(LABEL_pool_info, 0, 0, 0), E_MESSAGE},
        {TASK, TAG(INTERFACE_iomem << 8 | 15, 0, 0, 0), E_MESSAGE},
        {TASK, 0, E_MESSAGE},
        {OTHER, TAG(LABEL_task_info, 0, 0, 0), E_RIGHT},
        {HANDLE(SLOT_TEST + 3), TAG(LABEL_task_info, 0, 0, 0), E_HANDLE},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct counts before = counts(MACHINE);
        CHECK_EQUAL(raw_error(wrong[i].handle | OP_CALL, wrong[i].tag), wrong[i].error);
        CHECK_EQUAL(counts_since(MACHINE, before).direct, 0);
    }
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 2), OK);
}

TEST(direct_taken, "messages of any length, right or refused by the object, go straight to it") {
    struct pool_info_out pool;
    struct thread_registers_out registers;
    field_text text = {19, "straight to the log"};
    struct counts before = counts(MACHINE);
    CHECK_EQUAL(pool_info(POOL, &pool), OK);                         // words out: 9
    CHECK_EQUAL(task_share(TASK, 0), E_ARGUMENT);                    // in: 1
    CHECK_EQUAL(thread_start(HANDLE(SLOT_THREAD), 1, 2, 3), E_STATE);  // in: 3
    CHECK_EQUAL(thread_registers(HANDLE(SLOT_THREAD), &registers), OK);
    CHECK_EQUAL(machine_log(MACHINE, text), OK);                       // in: 57
    uint32_t direct = counts_since(MACHINE, before).direct;
    CHECK_EQUAL(direct, 5);  // also under a kernel that checks itself
}

TEST(direct_registers, "an answer changes the registers of its words, and no other memory") {
    struct message_buffer *buffer = message_buffer();
    for (uint32_t i = 0; i < TAG_WORDS_MAX; i++) {
        buffer->word[i] = 1000 + i;
    }
    struct ipc_registers r = raw_enter(POOL | OP_CALL, TAG(LABEL_pool_info, 0, 0, 0), 7, 8, 9);
    struct pool_info_out pool;
    uint32_t after[TAG_WORDS_MAX];
    for (uint32_t i = 0; i < TAG_WORDS_MAX; i++) {
        after[i] = buffer->word[i];
    }
    CHECK_EQUAL(pool_info(POOL, &pool), OK);
    const uint32_t words = sizeof(pool) / sizeof(uint32_t);
    CHECK_EQUAL(r.eax, TAG(LABEL_pool_info, words, 0, 0));
    CHECK_EQUAL(r.edi, pool.reserved);
    CHECK_EQUAL(r.ebp, pool.used);
    CHECK_EQUAL(r.ebx, pool.split);
    for (uint32_t i = 3; i < TAG_WORDS_MAX; i++) {
        CHECK_EQUAL(after[i], i < words ? ((uint32_t *)&pool)[i] : 1000 + i);
    }
    r = raw_enter(TASK | OP_CALL, TAG(LABEL_task_tables_trim, 0, 0, 0), 7, 8, 9);
    CHECK_EQUAL(r.ebp, 0);
    CHECK_EQUAL(r.ebx, 0);
    CHECK_EQUAL(r.esi, 0);
    r = raw_enter(TASK | OP_CALL, TAG(LABEL_task_ping, 0, 0, 0), 7, 8, 9);
    CHECK_EQUAL(r.eax, TAG(LABEL_task_ping, 0, 0, 0));
    CHECK_EQUAL(r.ebx | r.esi | r.edi | r.ebp, 0);
    r = raw_enter(TASK | OP_CALL, TAG(LABEL_task_share, 1, 0, 0), 7, 0, 9);
    CHECK_EQUAL(TAG_TO_ERROR(r.eax), E_ARGUMENT);
    CHECK_EQUAL(r.ebx, TAG(LABEL_task_share, 1, 0, 0));
    CHECK_EQUAL(r.ebp, 9);
}

static void ends_itself(struct actor *self) {
    self->result[0] = 1;
    (void)!thread_suspend(HANDLE(SLOT_THREAD));
    self->result[0] = 2;
    (void)!task_kill(HANDLE(SLOT_TASK), CAUSE_KILLED);
    self->result[0] = 3;
}

TEST(direct_stops, "a thread that stops itself, or ends its task, runs no further") {
    world_begin();
    struct actor *actor = task_make(POOL, 20, ends_itself);
    struct task_info_out info;
    actor_start(actor, 0);
    world_settle();
    CHECK_EQUAL(actor->result[0], 1);
    CHECK_EQUAL(thread_resume(actor->thread), OK);
    world_settle();
    CHECK_EQUAL(actor->result[0], 2);
    CHECK_EQUAL(task_info(actor->task, &info), OK);
    CHECK_EQUAL(info.state, TASK_STATE_DEAD);
    actor_end(actor);
    world_end();
}

static volatile uint32_t turn;

static void takes_turn(struct actor *self) {
    self->result[0] = ++turn;
}

TEST(direct_wakes, "what makes a higher thread ready lets it run before the answer is seen") {
    for (uint32_t above = 0; above < 2; above++) {
        world_begin();
        turn = 0;
        struct actor *actor = task_make(POOL, 20, takes_turn);
        CHECK_EQUAL(thread_priority(actor->thread, above ? MAIN_PRIORITY + 1 : MAIN_PRIORITY - 1), OK);
        actor_start(actor, 0);
        uint32_t seen = ++turn;
        actor_wait(actor);
        CHECK(above ? actor->result[0] < seen : seen < actor->result[0]);
        actor_end(actor);
        world_end();
    }
}

static void lowers_itself(struct actor *self) {
    self->result[0] = ++turn;
    self->result[1] = thread_priority(HANDLE(SLOT_THREAD), ACTOR_PRIORITY - 2);
    self->result[2] = ++turn;
}

TEST(direct_lowers, "who lowers itself below a thread that is ready lets that one run first") {
    world_begin();
    turn = 0;
    struct actor *low = task_make(POOL, 20, lowers_itself), *other = task_make(POOL, 20, takes_turn);
    CHECK_EQUAL(thread_priority(other->thread, ACTOR_PRIORITY - 1), OK);
    actor_start(low, 0);
    actor_start(other, 0);
    actor_wait(low);
    CHECK_EQUAL(low->result[1], OK);
    CHECK(low->result[0] < other->result[0]);
    CHECK(other->result[0] < low->result[2]);
    actor_end(other);
    actor_end(low);
    world_end();
}

// --- signals -------------------------------------------------------------------------------------

enum { SIGNALS = 4, EVENT = SLOT_TEST + 1 };
#define WAITS HANDLE(SLOT_GIVEN + 2)  // the waiter's port, if it waits for one, too

static handle_t event;
static struct actor *waiter, *signaller;
static uint32_t work;  // that each of them does between two signals

static void do_work(void) {
    for (volatile uint32_t i = 0; i < work; i++) {
    }
}

// result: [0] signals received, [1] their bits, [2] turn of the last
static void waits(struct actor *self) {
    for (;;) {
        struct ipc_registers r = raw_enter((self->argument ? WAITS : 0) | OP_RECEIVE, 1, 2, 3, 4);
        if (TAG_IS_ERROR(r.eax)) {
            return;
        }
        self->result[0] += r.eax == LABEL_EVENT && r.ebx == 0 && r.esi == 0 && r.ebp == 0;
        self->result[1] |= r.edi;
        do_work();
        self->result[2] = ++turn;
    }
}

// result: [0] those that were fast, the first not counted, [1] turn behind the last, [2] all right
static void signals(struct actor *self) {
    for (uint32_t i = 0; i < SIGNALS; i++) {
        do_work();
        struct counts before = counts(COUNTER);
        struct ipc_registers r = raw_enter(GIVEN | OP_SIGNAL, 5, 6, 7, 8);
        self->result[0] += i > 0 ? counts_since(COUNTER, before).fast : 0;
        self->result[2] += r.eax == TAG_ERROR(OK) && r.ebx == 5 && r.esi == 6 && r.edi == 7 && r.ebp == 8;
    }
    self->result[1] = ++turn;
}

static void signal_begin(uint32_t priority, badge_t badge) {
    world_begin();
    turn = 0;
    event = event_make(EVENT);
    waiter = task_make(POOL, 20, waits);
    signaller = task_make(POOL, 10, signals);
    CHECK_EQUAL(thread_event(waiter->thread, event), OK);
    CHECK_EQUAL(thread_priority(waiter->thread, priority), OK);
    actor_give(signaller, event, 0, RIGHT_SIGNAL, badge);
    actor_give(signaller, MACHINE, 1, RIGHT_CALL, 0);
}

static void signal_run(void) {
    actor_start(signaller, 0);
    actor_wait(signaller);
    CHECK_EQUAL(signaller->result[2], SIGNALS);
}

static void signal_end(void) {
    actor_end(signaller);
    actor_end(waiter);
    CHECK_EQUAL(event_destroy(event), OK);
    world_end();
}

TEST(signal_refused, "a signal with a wrong handle, right or type is refused, and sets no bit") {
    world_begin();
    event = event_make(EVENT);
    struct actor *actor = task_make(POOL, 10, waits);
    CHECK_EQUAL(thread_event(actor->thread, event), OK);
    CHECK_EQUAL(task_handle_give(TASK, event, SLOT_TEST + 2, RIGHT_CALL, 1), OK);
    CHECK_EQUAL(raw_error(OTHER | OP_SIGNAL, 0), E_RIGHT);
    CHECK_EQUAL(raw_error(TASK | OP_SIGNAL, 0), E_TYPE);
    CHECK_EQUAL(raw_error(HANDLE(SLOT_TEST + 3) | OP_SIGNAL, 0), E_HANDLE);
    CHECK_EQUAL(raw_error(HANDLE(SLOT_COUNT) | OP_SIGNAL, 0), E_HANDLE);
    CHECK_EQUAL(raw_error(HANDLE(0) | OP_SIGNAL, 0), E_HANDLE);
    actor_start(actor, 0);
    world_settle();
    CHECK_EQUAL(actor->result[0], 0);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 2), OK);
    actor_end(actor);
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK_EQUAL(raw_error(event | OP_SIGNAL, 0), E_HANDLE);
    world_end();
}

TEST(signal_kept, "a signal that finds nobody waiting is fast, and its bits are kept") {
    signal_begin(MAIN_PRIORITY, 6);
    signal_run();
    CHECK_EQUAL(signaller->result[0], (SIGNALS - 1) * fast_kernel());
    CHECK_EQUAL(waiter->result[0], 0);
    actor_start(waiter, 0);
    world_settle();
    CHECK_EQUAL(waiter->result[0], 1);
    CHECK_EQUAL(waiter->result[1], 6);
    signal_end();
}

TEST(signal_unbound, "a signal of an event that is no thread's is fast, and its bits are kept") {
    signal_begin(MAIN_PRIORITY, 6);
    actor_end(waiter);
    signal_run();
    CHECK_EQUAL(signaller->result[0], (SIGNALS - 1) * fast_kernel());
    waiter = task_make(POOL, 20, waits);
    CHECK_EQUAL(thread_event(waiter->thread, event), OK);
    actor_start(waiter, 0);
    world_settle();
    CHECK_EQUAL(waiter->result[0], 1);
    CHECK_EQUAL(waiter->result[1], 6);
    signal_end();
}

// Others of the signaller's priority are ready: time counts against its share.
static void signal_between(uint32_t priority, badge_t badge, uint32_t crowd, uint32_t port_too) {
    struct actor *others[2];
    signal_begin(priority, badge);
    handle_t port = world_port();
    actor_give(waiter, port, 2, RIGHT_RECEIVE, 0);
    actor_start(waiter, port_too);
    world_settle();
    for (uint32_t i = 0; i < crowd; i++) {
        others[i] = task_make(POOL, 10, actor_counts);
        actor_start(others[i], 0);
    }
    signal_run();
    for (uint32_t i = 0; i < crowd; i++) {
        actor_end(others[i]);
    }
    world_settle();
    port_end(port);
}

TEST(signal_fast, "a signal to a waiting thread of higher priority lets it run, and is fast") {
    for (uint32_t crowd = 0; crowd < 3; crowd++) {
        for (uint32_t port_too = 0; port_too < 2; port_too++) {
            signal_between(MAIN_PRIORITY - 1, 6, crowd, port_too);
            CHECK_EQUAL(signaller->result[0], (SIGNALS - 1) * fast_kernel());
            CHECK_EQUAL(waiter->result[0], SIGNALS);
            CHECK_EQUAL(waiter->result[1], 6);
            CHECK(waiter->result[2] < signaller->result[1]);
            signal_end();
        }
    }
}

TEST(signal_not_above, "a signal to a thread that is not above lets the running one go on") {
    signal_between(ACTOR_PRIORITY, 6, 0, 0);
    CHECK_EQUAL(signaller->result[0], (SIGNALS - 1) * fast_kernel());  // the first makes it ready
    CHECK(waiter->result[0] >= 1);
    CHECK_EQUAL(waiter->result[1], 6);
    CHECK(waiter->result[2] > signaller->result[1]);
    signal_end();
}

TEST(signal_in_line, "a signal to one of several that receive at a port wakes just that one") {
    signal_begin(MAIN_PRIORITY - 1, 6);
    handle_t port = world_port();
    struct actor *first = task_make(POOL, 20, waits);
    actor_give(first, port, 2, RIGHT_RECEIVE, 0);
    actor_give(waiter, port, 2, RIGHT_RECEIVE, 0);
    actor_start(first, 1);
    world_settle();
    actor_start(waiter, 1);
    world_settle();
    signal_run();
    CHECK_EQUAL(signaller->result[0], 0);
    CHECK_EQUAL(waiter->result[0], SIGNALS);
    CHECK_EQUAL(first->result[0], 0);
    port_end(port);
    actor_end(first);
    signal_end();
}

TEST(signal_empty, "a signal without a bit wakes nobody") {
    signal_between(MAIN_PRIORITY - 1, 0, 0, 0);
    CHECK_EQUAL(signaller->result[0], 0);
    CHECK_EQUAL(waiter->result[0], 0);
    signal_end();
}

TEST(signal_billed, "who is woken pays for itself, who signals for itself") {
    work = 100000;
    for (uint32_t crowd = 0; crowd < 2; crowd++) {
        signal_between(MAIN_PRIORITY - 1, 1, crowd, 0);
        struct actor *actors[] = {waiter, signaller};
        for (uint32_t i = 0; i < 2; i++) {
            struct task_info_out info;
            CHECK_EQUAL(task_info(actors[i]->task, &info), OK);
            CHECK_EQUAL(info.cycles_high, 0);
            CHECK(info.billed_low <= info.cycles_low + info.cycles_low / 4);
            CHECK(info.cycles_low <= info.billed_low + info.billed_low / 4);
        }
        signal_end();
    }
    work = 0;
}
