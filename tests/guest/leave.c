// SPDX-License-Identifier: MIT
// Each reason for which a call, a fault or the reply to one leaves the fast path: a client asks a
// server twice, and the second time there is a reason. With it the C code answers, and means the
// same; without it the entry is fast. Runs by counted instructions: no round of time ends unasked.
#include "../../libsys/clock.h"
#include "counts.h"
#include "trace.h"

#define GIVEN HANDLE(SLOT_GIVEN)
#define COUNTER HANDLE(SLOT_GIVEN + 1)  // the machine
#define WAKE HANDLE(SLOT_GIVEN + 2)     // the third one's event
#define OWN HANDLE(SLOT_GIVEN + 3)      // the server's event
#define RECORDER HANDLE(SLOT_GIVEN + 4)
#define PAGE 0x50000000u
#define PI_HIGH 0x400921fbu             // pi is 0x400921fb54442d18 as a double

enum { ROUNDS = 2, EVENT_OWN = SLOT_TEST + 1, EVENT_WAKE, RESTS = 5, ABOVE_SERVER = 30 };

static volatile uint32_t in, out;      // was the way to the server fast, and the one back?
static volatile uint32_t turn, client_turn, third_turn;
static void (*reason)(const struct received *received);  // the server's, in the second round
static void (*client_reason)(void);    // the client's
static struct actor *server, *client, *third;
static handle_t port;
static frame_t page_frame;

static union {
    double number;
    uint32_t word[2];
} pi;  // what the client kept in the FPU

// Fast entries since `before` was read, without the reading.
static uint32_t fast_since(uint32_t before) {
    return counts_since(COUNTER, (struct counts){.fast = before}).fast;
}

// --- who takes part ------------------------------------------------------------------------------

static void fpu_on(void) {
    __asm__ volatile("fninit; fldpi");
}

static void fpu_off(void) {
    __asm__ volatile("fstpl %0" : "=m"(pi.number) : : "memory");
}

// One round: asks, and is it the right answer?
static bool call_once(uint32_t round) {
    struct ipc_registers r = raw_enter(GIVEN | OP_CALL, TAG(WORLD_LABEL, 1, 0, 0), 0, round, 0);
    return r.eax == TAG(WORLD_LABEL, 1, 0, 0) && r.edi == round;
}

static bool fault_once(uint32_t round) {
    return *(volatile uint32_t *)(PAGE + round * PAGE_SIZE) == 0;
}

static void asks(struct actor *self) {
    for (uint32_t i = 0; i < ROUNDS; i++) {
        void (*why)(void) = i == ROUNDS - 1 ? client_reason : NULL;
        if (why != NULL) {
            why();
        }
        in = counts(COUNTER).fast;
        self->result[0] += (self->argument ? fault_once : call_once)(i);
        if (why == fpu_on) {
            fpu_off();
        }
        out = fast_since(out);
    }
    client_turn = ++turn;
}

static bool is_fault(const struct received *received) {
    return LABEL_INTERFACE(TAG_LABEL(received->tag)) == INTERFACE_fault;
}

static void answer(const struct received *received, struct received *next) {
    struct map_item item = {PAGE_DOWN(received->word[0]) | MAP_READ, page_frame << 8};
    if (is_fault(received)) {
        ipc_reply_map_receive(GIVEN, received->token, &item, 1, next);
    } else {
        ipc_reply_receive(GIVEN, received->token, received->tag, received->word, next);
    }
}

static void serves(struct actor *self) {
    struct received received, next;
    (void)self;
    ipc_receive(GIVEN, &received);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        in = fast_since(in);
        if (i == ROUNDS - 1 && reason != NULL) {
            reason(&received);
        }
        out = counts(COUNTER).fast;
        answer(&received, &next);
        received = next;
    }
    for (;;) {
        ipc_receive(GIVEN, &received);
    }
}

// Waits until it is woken, says when it ran, and never ends.
static void marks(struct actor *self) {
    struct received received;
    (void)self;
    for (;;) {
        ipc_receive(0, &received);
        third_turn = ++turn;
    }
}

static void calls_late(struct actor *self) {
    struct received received;
    (void)self;
    ipc_receive(0, &received);
    raw_enter(GIVEN | OP_CALL, TAG(WORLD_LABEL, 0, 0, 0), 0, 0, 0);
}

// --- stage ---------------------------------------------------------------------------------------

static void stage_begin(void (*run_third)(struct actor *)) {
    world_begin();
    in = out = turn = client_turn = third_turn = 0;
    reason = NULL;
    client_reason = NULL;
    port = world_port();
    page_frame = frame_get();
    handle_t wake = event_make(EVENT_WAKE), own = event_make(EVENT_OWN);
    server = task_make(POOL, WORLD_RANK, serves);
    client = task_make(POOL, 10, asks);
    third = task_make(POOL, 10, run_third);
    CHECK_EQUAL(thread_event(server->thread, own), OK);
    CHECK_EQUAL(thread_event(third->thread, wake), OK);
    CHECK_EQUAL(task_fault_port(client->task, port, 7), OK);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_give(client, port, 0, RIGHT_CALL, 7);
    actor_give(third, port, 0, RIGHT_CALL, 9);
    actor_give(server, MACHINE, 1, RIGHT_ALL, 0);
    actor_give(client, MACHINE, 1, RIGHT_ALL, 0);
    actor_give(server, wake, 2, RIGHT_SIGNAL, 1);
    actor_give(server, own, 3, RIGHT_SIGNAL, 1);
    actor_give(server, TRACE, 4, RIGHT_ALL, 0);
    actor_give(client, TRACE, 4, RIGHT_ALL, 0);
}

static void stage_end(void) {
    actor_end(third);
    actor_end(client);
    actor_end(server);
    frame_put(page_frame);
    CHECK_EQUAL(event_destroy(HANDLE(EVENT_OWN)), OK);
    CHECK_EQUAL(event_destroy(HANDLE(EVENT_WAKE)), OK);
    port_end(port);
    world_end();
}

// Both rounds, answered right; `way_in` and `way_out` of the second are fast.
static void stage_run(bool fault, uint32_t way_in, uint32_t way_out) {
    uint32_t fast = fast_kernel();
    actor_start(third, 0);
    actor_start(server, 0);
    world_settle();
    actor_start(client, fault);
    actor_wait(client);
    world_settle();
    CHECK_EQUAL(client->result[0], ROUNDS);
    CHECK_EQUAL(in, way_in * fast);
    CHECK_EQUAL(out, way_out * fast);
}

// The reason makes the reply slow, to a call and to a fault; without it both are fast.
static void reply_leaves(void (*why)(const struct received *), void (*run_third)(struct actor *),
                         uint32_t third_priority) {
    for (uint32_t fault = 0; fault < 2; fault++) {
        for (uint32_t with = 0; with < 2; with++) {
            stage_begin(run_third);
            CHECK_EQUAL(thread_priority(third->thread, third_priority), OK);
            reason = with ? why : NULL;
            stage_run(fault, 1, with ? 0 : 1);
            stage_end();
        }
    }
}

// --- reasons of the reply ------------------------------------------------------------------------

static void wake_third(const struct received *received) {
    (void)received;
    (void)!ipc_signal(WAKE);
}

TEST(fast_left_by_line, "a reply while others stand in line lets the server take the next") {
    reply_leaves(wake_third, calls_late, ABOVE_SERVER);
}

static void signal_own(const struct received *received) {
    (void)received;
    (void)!ipc_signal(OWN);
}

TEST(fast_left_by_pending, "a reply while an event is pending lets the server have the event") {
    reply_leaves(signal_own, marks, ACTOR_PRIORITY);
}

static void lower_self(const struct received *received) {
    (void)received;
    (void)!thread_priority(HANDLE(SLOT_THREAD), WORLD_RANK - 1);
}

TEST(fast_left_by_rank, "a server that does not work at its port's rank gets there by the C code") {
    reply_leaves(lower_self, marks, ACTOR_PRIORITY);
}

static void take_third(const struct received *received) {
    struct received call;
    (void)received;
    (void)!ipc_signal(WAKE);
    ipc_receive(GIVEN, &call);
}

TEST(fast_left_by_payer, "a reply to another than whose time it is changes who pays") {
    reply_leaves(take_third, calls_late, ABOVE_SERVER);
}

TEST(fast_left_by_priority, "a reply while a higher thread is ready lets that one run first") {
    for (uint32_t fault = 0; fault < 2; fault++) {
        for (uint32_t priority = ACTOR_PRIORITY - 1; priority <= ACTOR_PRIORITY + 1; priority++) {
            bool above = priority > ACTOR_PRIORITY;
            stage_begin(marks);
            CHECK_EQUAL(thread_priority(third->thread, priority), OK);
            reason = wake_third;
            stage_run(fault, 1, !above);
            CHECK(above ? third_turn < client_turn : client_turn < third_turn);
            stage_end();
        }
    }
}

// The client's time in this round, and no more than it may have on credit.
static void use_up(const struct received *received) {
    wake_third(received);
    uint64_t end = clock_now_ns() + SHARE_DEFAULT * 1500000;
    while (clock_now_ns() < end) {
    }
}

TEST(fast_left_by_time, "a reply to a client whose time is over lets those run that have some") {
    for (uint32_t fault = 0; fault < 2; fault++) {
        stage_begin(marks);
        CHECK_EQUAL(thread_priority(third->thread, RESTS), OK);
        reason = use_up;
        stage_run(fault, 1, 0);
        CHECK(third_turn < client_turn);
        stage_end();
    }
}

// --- reasons of all ------------------------------------------------------------------------------

static frame_t ring_frame[2];

static void ring_begin(void) {
    for (uint32_t i = 0; i < 2; i++) {
        ring_frame[i] = frame_get();
    }
    for (uint32_t i = 0; i < 2; i++) {
        message_buffer()->list[i] = (struct map_item){0, ring_frame[i] << 8};
    }
    CHECK_EQUAL(trace_attach(TRACE, 2, WORLD_EVENT, 1u << 24), OK);
}

static void ring_end(void) {
    struct trace_control_out old;
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    frame_put(ring_frame[0]);
    frame_put(ring_frame[1]);
}

static void trace_on(void) {
    struct trace_control_out old;
    (void)!trace_control(RECORDER, 1u << EVENT_evict, &old);
}

static void trace_off(const struct received *received) {
    struct trace_control_out old;
    (void)received;
    (void)!trace_control(RECORDER, 0, &old);
}

static void trace_on_reply(const struct received *received) {
    (void)received;
    trace_on();
}

TEST(fast_left_by_tracing, "nothing is fast while one kind of record is chosen, all once none is") {
    for (uint32_t fault = 0; fault < 2; fault++) {
        for (uint32_t on = 0; on < 4; on++) {  // for the way in, for the way back
            stage_begin(marks);
            ring_begin();
            client_reason = on & 1 ? trace_on : NULL;
            reason = on & 2 ? trace_on_reply : trace_off;
            stage_run(fault, !(on & 1), !(on & 2));
            ring_end();
            stage_end();
        }
    }
    world_begin();
    ring_begin();
    struct trace_control_out old;
    uint32_t fast = fast_kernel();
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_evict, &old), OK);
    CHECK_EQUAL(fast_kernel(), 0);
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(fast_kernel(), fast);
    ring_end();
    world_end();
}

static void fpu_other(const struct received *received) {
    (void)received;
    __asm__ volatile("fninit; fldl2e");
}

TEST(fast_left_by_fpu, "neither way is fast with a live FPU state; it is kept, and nobody else's") {
    for (uint32_t fault = 0; fault < 2; fault++) {
        for (uint32_t live = 0; live < 4; live++) {
            stage_begin(marks);
            client_reason = live & 1 ? fpu_on : NULL;
            reason = live & 2 ? fpu_other : NULL;
            stage_run(fault, !(live & 1), !(live & 2));
            CHECK(!(live & 1) || pi.word[1] == PI_HIGH);
            stage_end();
        }
    }
}

// --- reasons of calls and faults -----------------------------------------------------------------

static void raise_self(void) {
    (void)!thread_priority(HANDLE(SLOT_THREAD), WORLD_RANK + 1);
}

TEST(fast_left_by_higher, "who asks from above its server's rank does so by the C code") {
    for (uint32_t fault = 0; fault < 2; fault++) {
        stage_begin(marks);
        client_reason = raise_self;
        stage_run(fault, 0, 1);
        stage_end();
    }
}

static void other_first(void) {
    raw_enter(HANDLE(SLOT_GIVEN + 5) | OP_CALL, WORLD_LABEL, 0, 0, 0);
}

TEST(fast_left_by_other_server, "the first call or fault after a call to another is the C code's") {
    for (uint32_t fault = 0; fault < 2; fault++) {
        stage_begin(marks);
        handle_t second = port_make(SLOT_TEST + 6, WORLD_RANK);
        struct actor *other = task_make(POOL, WORLD_RANK, actor_echoes);
        actor_give(other, second, 0, RIGHT_RECEIVE, 0);
        actor_give(client, second, 5, RIGHT_CALL, 0);
        actor_start(other, 0);
        client_reason = other_first;
        stage_run(fault, 0, 1);
        actor_end(other);
        port_end(second);
        stage_end();
    }
}
