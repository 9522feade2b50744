// SPDX-License-Identifier: MIT
// Two chunks: one is filled while the device works on the other. The device is asked for no
// interrupts: QEMU takes a chunk while it is being notified; should it not, the tracer's timer
// looks again.
#include "output.h"
#include "device.h"
#include "memory.h"
#include "stubs.h"

#define QUEUE_AT 0x40000000u
#define CHUNKS_AT 0x41000000u
#define CHUNK_PAGES 16u
#define CHUNK_BYTES (CHUNK_PAGES * PAGE_SIZE)
#define CHUNKS 2u
#define QUEUE_TRANSMIT 1u  // of the console's first port; queue 0 receives

static struct {
    bool failed;               // everything written is thrown away
    uint32_t kind;
    uint32_t chunk, used;      // the one being filled, bytes in it
    bool sent[CHUNKS];         // the device has it
    int head[CHUNKS];          // its chain
    paddr_t at[CHUNKS];
    struct virtio_queue queue;
} output;

static char *chunk_start(uint32_t chunk) {
    return (char *)(CHUNKS_AT + chunk * CHUNK_BYTES);
}

static error_t console_open(void) {
    uint32_t features;
    frame_t memory;
    error_t error = virtio_start(HANDLE(SLOT_PORTS), 0, &features);
    if (error == OK) {
        error = virtio_open(HANDLE(SLOT_PORTS), QUEUE_TRANSMIT, QUEUE_AT, 0, &output.queue,
                            &memory);
    }
    return error != OK ? error : virtio_ready(HANDLE(SLOT_PORTS));
}

error_t output_open(uint32_t kind) {
    error_t error = OK;
    output.kind = kind;
    for (uint32_t i = 0; i < CHUNKS && error == OK; i++) {
        frame_t first = 0;
        error = memory_map((vaddr_t)chunk_start(i), CHUNK_PAGES, FRAMES_RUN, &first);
        output.at[i] = FRAME_PADDR(first);
    }
    if (error == OK) {
        error = kind == OUTPUT_CONSOLE      ? console_open()
                : kind == OUTPUT_DEBUG_PORT ? OK
                                            : E_ARGUMENT;
    }
    output.failed = error != OK;
    return error;
}

static error_t console_send(uint32_t chunk, uint32_t length) {
    struct virtio_segment segment = {output.at[chunk], length, false};
    output.head[chunk] = virtio_queue_add(&output.queue, &segment, 1);
    output.sent[chunk] = output.head[chunk] >= 0;
    return output.sent[chunk] ? virtio_submit(HANDLE(SLOT_PORTS), &output.queue) : E_IO;
}

static error_t port_send(uint32_t chunk, uint32_t length) {
    error_t error = OK;
    for (uint32_t from = 0; from < length && error == OK; from += PAGE_SIZE) {
        uint32_t count = MIN_OF(length - from, PAGE_SIZE);
        __builtin_memcpy(message_buffer()->bytes, chunk_start(chunk) + from, count);
        error = ports_out_bytes(HANDLE(SLOT_PORTS), 0, count);
    }
    return error;
}

bool output_poll(void) {
    int head = VIRTIO_NONE;
    bool idle = true;
    while (output.kind == OUTPUT_CONSOLE && !output.failed &&
           (head = virtio_queue_collect(&output.queue)) >= 0) {
        for (uint32_t i = 0; i < CHUNKS; i++) {
            output.sent[i] = output.sent[i] && output.head[i] != head;
        }
    }
    output.failed = output.failed || head == VIRTIO_BROKEN;
    for (uint32_t i = 0; i < CHUNKS; i++) {
        idle = idle && !output.sent[i];
    }
    return output.failed || (idle && output.used == 0);
}

void output_push(void) {
    uint32_t chunk = output.chunk;
    if (output.used == 0 || output.sent[chunk]) {
        return;
    }
    if (!output.failed) {
        error_t error = output.kind == OUTPUT_CONSOLE ? console_send(chunk, output.used)
                                                      : port_send(chunk, output.used);
        output.failed = error != OK;
    }
    output.used = 0;
    output.chunk = (chunk + 1) % CHUNKS;
    (void)output_poll();
}

void *output_place(uint32_t size) {
    if (output.used + size > CHUNK_BYTES) {
        output_push();
    }
    if (output.sent[output.chunk]) {
        return NULL;
    }
    char *place = chunk_start(output.chunk) + output.used;
    output.used += size;
    return place;
}
