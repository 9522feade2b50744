// SPDX-License-Identifier: MIT
// The tracer: hands the kernel a ring for its records, drains it into a pcapng file on a device of
// its own, and answers flush and control. Does not look at what the records say.
#include "tracer.h"
#include "clock.h"
#include "output.h"
#include "pcapng.h"
#include "stubs.h"
#include "trace_end.h"
#define SERVE_NUMBER 35
#include "serve.h"

#define RING_AT 0x42000000u
#define MASK_OFF (1u << EVENT_task_name)  // always: later records need the names
#define INIT_BADGE 1u
#define FLUSHES 17u              // callers that can wait for a flush together, init among them
#define TICK_NS 100000000u       // so that the file grows while little happens
#define TICK_BEHIND_NS 1000000u  // while the device is behind

enum { TRACER_EVENT_RING = 1, TRACER_EVENT_TICK = 2 };

static struct {
    error_t error;  // why there is no trace
    bool recording, ticking;
    struct trace_end end;
    uint64_t time;   // of the last record
    uint32_t waiting;
    struct {
        token_t token;
        badge_t badge;
    } flush[FLUSHES];
} tracer;

// Take `count` frames of low memory and map them from RING_AT on; their list stays in `frame`.
static error_t ring_memory(frame_t *frame, uint32_t count) {
    for (uint32_t have = 0; have < count;) {
        struct pool_frames_alloc_out out;
        error_t error = pool_frames_alloc(HANDLE(SLOT_POOL), count - have, FRAMES_LOW, &out);
        if (error != OK || out.done == 0) {
            return error != OK ? error : E_MEMORY;
        }
        for (uint32_t i = 0; i < out.done; i++) {
            frame[have++] = ITEM_FRAME(message_buffer()->list[i]);
        }
    }
    for (uint32_t mapped = 0; mapped < count;) {
        for (uint32_t i = mapped; i < count; i++) {
            message_buffer()->list[i - mapped] = (struct map_item){
                (RING_AT + i * PAGE_SIZE) | MAP_READ | MAP_WRITE, frame[i] << 8};
        }
        struct task_map_out out;
        error_t error = task_map(HANDLE(SLOT_TASK), count - mapped, &out);
        if (error != OK || out.done == 0) {
            return error != OK ? error : E_MEMORY;
        }
        mapped += out.done;
    }
    return OK;
}

static error_t ring_attach(uint32_t record_frames) {
    static frame_t frame[TRACER_FRAMES_MAX + 1];
    uint32_t count = record_frames + 1;
    if (record_frames < TRACER_FRAMES_MIN || record_frames > TRACER_FRAMES_MAX ||
        (record_frames & (record_frames - 1)) != 0) {
        return E_ARGUMENT;
    }
    error_t error = ring_memory(frame, count);
    if (error != OK) {
        return error;
    }
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] = (struct map_item){0, frame[i] << 8};
    }
    error = trace_attach(HANDLE(SLOT_TRACE), count, HANDLE(SLOT_EVENT), TRACER_EVENT_RING);
    tracer.end = (struct trace_end){.header = (struct trace_header *)RING_AT,
                                    .record = (const void *)(RING_AT + PAGE_SIZE)};
    return error;
}

static error_t recording_set(bool on, bool *was) {
    struct trace_control_out out = {0};
    error_t error = trace_control(HANDLE(SLOT_TRACE), on ? ~0u : MASK_OFF, &out);
    *was = (out.old & ~MASK_OFF) != 0;
    tracer.recording = error == OK ? on : tracer.recording;
    return error;
}

static error_t tracer_open(void) {
    const struct start_info *start = start_info();
    bool was;
    error_t error = output_open(start->argument[0]);
    if (error == OK) {
        error = ring_attach(start->argument[1]);
    }
    if (error == OK) {
        error = trace_exempt(HANDLE(SLOT_TRACE), HANDLE(SLOT_TASK));
    }
    if (error != OK) {
        return error;
    }
    tracer.time = clock_ticks();
    pcapng_header_fill(output_place(sizeof(struct pcapng_header)));
    return recording_set(start->argument[2] == 1, &was);
}

// A record of our own, for what the kernel could not write.
static void write_lost(void) {
    void *place = tracer.end.header->lost == tracer.end.lost
                      ? NULL
                      : output_place(sizeof(struct pcapng_packet));
    if (place != NULL) {
        struct trace_record record = {.time = tracer.time,
                                      .kind = EVENT_lost,
                                      .task = (uint16_t)start_info()->task,
                                      .word = {trace_lost(&tracer.end)}};
        pcapng_packet_fill(place, clock_page(), &record);
    }
}

// Everything from the ring to the device, as far as it takes it.
static void drain(void) {
    const struct trace_record *record;
    void *place = NULL;
    while (trace_waiting(&tracer.end) > 0 &&
           (place = output_place(sizeof(struct pcapng_packet))) != NULL) {
        record = trace_next(&tracer.end);
        tracer.time = record->time;
        pcapng_packet_fill(place, clock_page(), record);
        trace_release(&tracer.end);
    }
    write_lost();
    output_push();
}

static void flush_answer(void) {
    struct tracer_flush_out out = {tracer.end.read, tracer.end.lost};
    while (tracer.waiting > 0) {
        token_t token = tracer.flush[--tracer.waiting].token;
        tag_t tag = TAG(LABEL_tracer_flush, BODY_WORDS(out), 0, 0);
        if (ipc_reply(token, tag, &out.records) != OK) {
            continue;  // it no longer waits
        }
    }
}

// Drain, answer who waits for that, and see to it that we are woken again.
static void work(void) {
    (void)output_poll();
    drain();
    bool idle = output_poll() && trace_waiting(&tracer.end) == 0;
    if (idle) {
        flush_answer();
    }
    if (!tracer.ticking && (tracer.recording || !idle)) {
        tracer.ticking = timer_set(HANDLE(SLOT_TIMER), idle ? TICK_NS : TICK_BEHIND_NS, 0,
                                   HANDLE(SLOT_EVENT), TRACER_EVENT_TICK) == OK;
    }
}

static int serve_tracer_flush(const struct request *request, const struct tracer_flush_in *in,
                              struct tracer_flush_out *out) {
    (void)in, (void)out;
    if (tracer.error != OK) {
        return (int)tracer.error;
    }
    // The last place is init's, whose flush ends the run.
    if (tracer.waiting >= (request->badge == INIT_BADGE ? FLUSHES : FLUSHES - 1)) {
        return E_LIMIT;
    }
    tracer.flush[tracer.waiting].token = request->token;
    tracer.flush[tracer.waiting++].badge = request->badge;
    return REPLY_LATER;
}

static int serve_tracer_forget(const struct request *request, const struct tracer_forget_in *in,
                               struct tracer_forget_out *out) {
    (void)out;
    if (request->badge != INIT_BADGE) {
        return E_DENIED;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tracer.waiting; i++) {
        if (tracer.flush[i].badge != in->task) {
            tracer.flush[kept++] = tracer.flush[i];
        }
    }
    tracer.waiting = kept;
    return OK;
}

static int serve_tracer_control(const struct request *request, const struct tracer_control_in *in,
                                struct tracer_control_out *out) {
    bool was;
    if (request->badge != INIT_BADGE) {
        return E_DENIED;  // who may command, init knows
    }
    if (tracer.error != OK) {
        return (int)tracer.error;
    }
    if (in->on > 1) {
        return E_ARGUMENT;
    }
    error_t error = recording_set(in->on == 1, &was);
    out->was = was;
    return (int)error;
}

void server_main(void);
void server_main(void) {
    union serve_body reply;
    struct received received = {0};
    tag_t tag = 0;
    tracer.error = tracer_open();
    for (;;) {
        if (tracer.error == OK) {
            work();
        }
        if (tag != 0) {
            ipc_reply_receive(HANDLE(SLOT_PORT), received.token, tag, reply.word, &received);
        } else {
            ipc_receive(HANDLE(SLOT_PORT), &received);
        }
        tag = 0;
        if (TAG_IS_ERROR(received.tag)) {
            continue;  // the caller is gone
        }
        if (TAG_LABEL(received.tag) != LABEL_EVENT) {
            tag = serve_request(&received, &reply);
        } else if (received.word[0] & TRACER_EVENT_TICK) {
            tracer.ticking = false;
        }
    }
}
