// SPDX-License-Identifier: MIT
// The trace ring and the log, as the tracer sees them.
#include "trace.h"
#include "world.h"

enum { A = SLOT_TEST + 10, B };
#define GIVEN HANDLE(SLOT_GIVEN)

#define RING 0x70000000u
#define RECORDS 64u
#define TRACE_BIT (1u << 24)
static frame_t ring_frame[2];

static struct trace_header *header(void) {
    return (struct trace_header *)RING;
}
static const struct trace_record *record(uint32_t index) {
    return (const struct trace_record *)(RING + PAGE_SIZE) + index % RECORDS;
}

static void ring_list(void) {
    message_buffer()->list[0] = (struct map_item){0, ring_frame[0] << 8};
    message_buffer()->list[1] = (struct map_item){0, ring_frame[1] << 8};
}

static void ring_begin(void) {
    world_begin();
    for (uint32_t i = 0; i < 2; i++) {
        ring_frame[i] = frame_get();
        CHECK_EQUAL(map_one(TASK, RING + i * PAGE_SIZE, MAP_READ | MAP_WRITE, ring_frame[i]), OK);
    }
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, WORLD_EVENT, TRACE_BIT), OK);
}

static void ring_end(void) {
    struct trace_control_out old;
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(unmap_one(TASK, RING + i * PAGE_SIZE, NULL), OK);
        frame_put(ring_frame[i]);
    }
    world_end();
}

TEST(trace_wrong, "a ring needs frames of the caller's, a power of two of records, and an event") {
    world_begin();
    CHECK_EQUAL(trace_attach(TRACE, LIST_MAX + 1, WORLD_EVENT, 1), E_ARGUMENT);
    CHECK_EQUAL(trace_attach(TRACE, 2, TASK, 1), E_TYPE);
    message_buffer()->list[0] = (struct map_item){0, 0x100 << 8};
    CHECK_EQUAL(trace_attach(TRACE, 1, WORLD_EVENT, 1), E_OWNER);
    ring_frame[0] = frame_get();
    ring_frame[1] = frame_get();
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 1, WORLD_EVENT, 1), E_ARGUMENT);
    message_buffer()->list[2] = message_buffer()->list[3] = message_buffer()->list[1];
    CHECK_EQUAL(trace_attach(TRACE, 4, WORLD_EVENT, 1), E_ARGUMENT);  // three frames of records
    CHECK_EQUAL(trace_emit(TRACE, EVENT_call, 1, 0, 0, 0), E_ARGUMENT);
    CHECK_EQUAL(trace_emit(TRACE, 32, 1, 0, 0, 0), E_ARGUMENT);
    CHECK_EQUAL(trace_exempt(TRACE, WORLD_EVENT), E_TYPE);
    frame_put(ring_frame[0]);
    frame_put(ring_frame[1]);
    world_end();
}

TEST(trace_pinned, "the frames of a ring cannot be freed or given away while it records") {
    struct pool_frames_free_out freed;
    ring_begin();
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(unmap_one(TASK, RING + i * PAGE_SIZE, NULL), OK);
    }
    ring_list();
    CHECK_EQUAL(pool_frames_free(POOL, 2, &freed), E_MAPPED);
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, WORLD_EVENT, TRACE_BIT), E_OWNER);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(map_one(TASK, RING + i * PAGE_SIZE, MAP_READ | MAP_WRITE, ring_frame[i]), OK);
    }
    ring_end();
}

TEST(trace_records, "calls and server events are recorded as they were, by kind, in order of time") {
    struct trace_control_out old;
    ring_begin();
    CHECK_EQUAL(header()->written, 0);
    CHECK_EQUAL(header()->capacity, RECORDS);
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(header()->written, 0);  // nothing was chosen yet
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_kernel_call | 1u << EVENT_evict, &old), OK);
    CHECK_EQUAL(old.old, 0);
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 7, 11, 22, 33), OK);
    CHECK_EQUAL(trace_emit(TRACE, EVENT_admit, 7, 11, 22, 33), E_STATE);  // not chosen
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    uint32_t pings = 0, evictions = 0, others = 0;
    for (uint32_t i = 0; i < header()->written; i++) {
        const struct trace_record *r = record(i);
        CHECK(i == 0 || r->time >= record(i - 1)->time);
        CHECK_EQUAL(r->task, 1);
        pings += r->kind == EVENT_kernel_call && r->tag == LABEL_task_ping && r->word[2] == OK;
        evictions += r->kind == EVENT_evict && r->peer == 7 && r->word[0] == 11 &&
                     r->word[1] == 22 && r->word[2] == 33;
        others += r->kind != EVENT_kernel_call && r->kind != EVENT_evict;
    }
    CHECK_EQUAL(pings, 1);
    CHECK_EQUAL(evictions, 1);
    CHECK_EQUAL(others, 0);
    uint32_t written = header()->written;
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(header()->written, written);  // off again
    ring_end();
}

TEST(trace_detached, "a ring taken away while it records is not written to any more") {
    struct trace_control_out old;
    ring_begin();
    CHECK_EQUAL(trace_control(TRACE, UINT32_MAX, &old), OK);
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    uint32_t written = header()->written;
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, 0, 0, 0), E_STATE);
    CHECK_EQUAL(header()->written, written);
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, WORLD_EVENT, TRACE_BIT), OK);
    CHECK(header()->written < 3);  // a new ring begins at its beginning
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK(header()->written > 0);  // and records what was chosen before
    ring_end();
}

TEST(trace_full, "a full ring counts what it loses; the reader is told at each half") {
    struct trace_control_out old;
    struct received received;
    ring_begin();
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_evict, &old), OK);
    for (uint32_t i = 0; i < RECORDS / 2; i++) {
        ipc_poll(0, &received);
        CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
        CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, i, 0, 0), OK);
    }
    ipc_poll(0, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], TRACE_BIT);
    for (uint32_t i = RECORDS / 2; i < RECORDS + 10; i++) {
        CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, i, 0, 0), OK);
    }
    CHECK_EQUAL(header()->written, RECORDS);
    CHECK_EQUAL(header()->lost, 10);
    header()->read = RECORDS;
    CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, 99, 0, 0), OK);
    CHECK_EQUAL(record(0)->word[0], 99);
    header()->written = 0x7fffffff;  // a reader that writes nonsense harms only itself
    header()->read = 0x12345678;
    header()->capacity = UINT32_MAX;
    for (uint32_t i = 0; i < 200; i++) {
        CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, i, 0, 0), OK);
        header()->read = header()->written;
    }
    ring_end();
}

static void ping_ten(struct actor *self) {
    for (uint32_t i = 0; i < 10; i++) {
        self->result[0] += task_ping(HANDLE(SLOT_TASK));
    }
}

static uint32_t records_of(uint32_t task) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < MIN_OF(header()->written, RECORDS); i++) {
        count += record(i)->task == task;
    }
    return count;
}

static void ping_for_others(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        self->result[0] += task_ping(HANDLE(SLOT_TASK));
        ipc_reply_receive(GIVEN, received.token, 0, NULL, &received);
    }
}

TEST(trace_cause, "what a server does for a call carries the call's id as its cause") {
    struct trace_control_out old;
    ring_begin();
    handle_t port = port_make(A, 28);
    struct actor *server = task_make(POOL, 20, ping_for_others);
    actor_give(server, port, 0, RIGHT_RECEIVE, 0);
    actor_start(server, 0);
    world_settle();
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_call | 1u << EVENT_kernel_call |
                                         1u << EVENT_reply, &old), OK);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(ipc_call(port, 0x2001, NULL, 0, NULL, 0, 0), OK);
    }
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    uint32_t call = 0, served = 0;
    for (uint32_t i = 0; i < header()->written; i++) {
        const struct trace_record *r = record(i);
        CHECK(r->kind != EVENT_call || (r->task == 1 && r->id != call));
        call = r->kind == EVENT_call ? r->id : call;
        if (r->task == 100 + server->index) {
            CHECK(call != 0);
            CHECK_EQUAL(r->cause, call);
            served++;
        }
    }
    CHECK_EQUAL(served, 6);  // a ping and a reply for each call
    actor_end(server);
    port_end(port);
    ring_end();
}

TEST(trace_exempt, "an exempt task leaves no records, another does") {
    struct trace_control_out old;
    ring_begin();
    struct actor *silent = task_make(POOL, 10, ping_ten), *heard = task_make(POOL, 10, ping_ten);
    CHECK_EQUAL(trace_exempt(TRACE, silent->task), OK);
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_kernel_call, &old), OK);
    actor_start(silent, 0);
    actor_wait(silent);
    actor_start(heard, 0);
    actor_wait(heard);
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(records_of(100 + silent->index), 0);
    CHECK(records_of(100 + heard->index) >= 10);
    ring_end();
}

static void answer_all(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        self->result[0] += received.tag == LABEL_EVENT;
        if (received.tag == LABEL_EVENT) {
            ipc_receive(GIVEN, &received);
        } else {
            ipc_reply_receive(GIVEN, received.token, TAG(0, 1, 0, 0), received.word, &received);
        }
    }
}

TEST(trace_reader_serves, "a reader that is itself traced and called loses neither call nor event") {
    struct trace_control_out old;
    ring_begin();
    handle_t port = port_make(A, 25), event = event_make(B);
    struct actor *reader = task_make(POOL, 20, answer_all);
    actor_give(reader, port, 0, RIGHT_RECEIVE, 0);
    CHECK_EQUAL(thread_event(reader->thread, event), OK);
    actor_start(reader, 0);
    world_settle();
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, event, 1), OK);
    CHECK_EQUAL(trace_control(TRACE, UINT32_MAX, &old), OK);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t in = i, out = 0;
        CHECK_EQUAL(ipc_call(port, 0x2001, &in, 1, &out, 1, 0), OK);
        CHECK_EQUAL(out, i);
        header()->read = header()->written;
    }
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK(reader->result[0] >= 30);
    actor_end(reader);
    CHECK_EQUAL(event_destroy(event), OK);
    port_end(port);
    ring_end();
}

TEST(log_wrong, "a line for the log has at most 224 bytes") {
    static field_text text;
    text.length = TEXT_BYTES + 1;
    CHECK_EQUAL(machine_log(MACHINE, text), E_ARGUMENT);
    text.length = UINT32_MAX;
    CHECK_EQUAL(machine_log(MACHINE, text), E_ARGUMENT);
    text.length = 0;
    CHECK_EQUAL(machine_log(MACHINE, text), OK);
}
