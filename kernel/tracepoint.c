// SPDX-License-Identifier: MIT
#include "tracepoint.h"
#include "cpu.h"
#include "event.h"
#include "kalloc.h"
#include "window.h"

#define RECORDS_A_FRAME (PAGE_SIZE / sizeof(struct trace_record))

uint32_t trace_mask;
static uint32_t wanted_mask;
static frame_t ring[LIST_MAX];
static uint32_t ring_frames;
static struct trace_header *header;
static struct reference reader;
static uint32_t reader_bits;
bool trace_wake_due;

static void mask_set(uint32_t mask) {
    trace_mask = mask;
    slow_flags = mask != 0 ? slow_flags | SLOW_TRACE : slow_flags & ~SLOW_TRACE;
}

void trace_detach(void) {
    mask_set(0);
    for (uint32_t i = 0; i < ring_frames; i++) {
        frame_entry(ring[i])->maps &= ~FRAME_RING;
    }
    ring_frames = 0;
    header = NULL;
}

error_t trace_attach(const struct map_item *list, uint32_t count, struct object *event,
                     uint32_t bits) {
    uint32_t records = (count - 1) * RECORDS_A_FRAME;
    if (count < 2 || (records & (records - 1)) != 0) {
        return E_ARGUMENT;
    }
    trace_detach();
    for (uint32_t i = 0; i < count; i++) {
        ring[i] = ITEM_FRAME(list[i]);
        frame_entry(ring[i])->maps |= FRAME_RING;
    }
    ring_frames = count;
    header = window_address(ring[0]);
    *header = (struct trace_header){.capacity = records};
    reader = object_reference(event);
    reader_bits = bits;
    mask_set(wanted_mask);
    return OK;
}

void trace_control(uint32_t mask) {
    wanted_mask = mask;
    mask_set(header == NULL ? 0 : mask);
}

// The reader is told at each half of the ring. It may write anything into the header: only indices
// masked to the ring are used.
static struct trace_record *record_place(void) {
    uint32_t capacity = (ring_frames - 1) * RECORDS_A_FRAME;
    uint32_t written = header->written;
    if (written - header->read >= capacity) {
        header->lost++;
        return NULL;
    }
    uint32_t place = written & (capacity - 1);
    struct trace_record *frame = window_address(ring[1 + place / RECORDS_A_FRAME]);
    return &frame[place % RECORDS_A_FRAME];
}

static void record_done(void) {
    uint32_t half = (ring_frames - 1) * RECORDS_A_FRAME / 2;
    header->written++;
    trace_wake_due |= header->written % half == 0;
}

// Not where a record is written: there threads are between two states.
void trace_wake_reader(void) {
    struct event *event = reference_body(reader);
    if (event != NULL) {
        event_signal(event, reader_bits);
    }
    trace_wake_due = false;  // the signal's own record does not signal again
}

void trace_record(enum event_kind kind, const struct thread *thread, uint32_t peer, uint32_t id,
                  uint32_t tag, uint32_t word0, uint32_t word1, uint32_t word2) {
    if (thread != NULL && thread->task->exempt) {
        return;
    }
    struct trace_record *record = record_place();
    if (record == NULL) {
        return;
    }
    record->time = tsc_read();
    record->kind = (uint16_t)kind;
    record->task = record->thread = 0;
    record->cause = 0;
    if (thread != NULL) {
        record->task = (uint16_t)thread->task->badge;
        record->thread = object_slot(thread->object);
        record->cause = thread->serves_id;
    }
    record->peer = (uint16_t)peer;
    record->id = id;
    record->tag = tag;
    record->word[0] = word0;
    record->word[1] = word1;
    record->word[2] = word2;
    record_done();
}

void trace_object(enum event_kind kind, const struct object *peer, uint32_t word0) {
    uint32_t slot = object_slot(peer);
    trace_record(kind, current_thread, slot, 0, 0, word0, kind == EVENT_create ? slot : 0, 0);
}

void trace_record_items(enum event_kind kind, const struct thread *thread, const struct task *task,
                        const struct map_item *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        trace_record(kind, thread, object_slot(task->object), 0, 0, items[i].page, items[i].frame,
                     task->badge);
    }
}
