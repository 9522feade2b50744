// SPDX-License-Identifier: MIT
// Legacy virtio over I/O ports (virtio 1.x, section 4.1.4.10): the register file and its order.
#include "device.h"
#include "memory.h"
#include "stubs.h"

enum {
    REGISTER_FEATURES = 0,      // 4 bytes: of the device
    REGISTER_ACCEPTED = 4,      // 4: of them, the driver's
    REGISTER_QUEUE_FRAME = 8,   // 4
    REGISTER_QUEUE_SIZE = 12,   // 2
    REGISTER_QUEUE = 14,        // 2: selects the queue for the two above
    REGISTER_NOTIFY = 16,       // 2
    REGISTER_STATUS = 18,       // 1
    REGISTER_INTERRUPT = 19,    // 1: reading clears it
    REGISTER_CONFIG = 20,       // without MSI-X
};

enum { STATUS_RESET = 0, STATUS_SEEN = 1, STATUS_DRIVER = 2, STATUS_READY = 4 };

static uint32_t read_of(uint32_t port, uint32_t width) {
    return port | width << 16;
}

static uint32_t write_of(uint32_t port, uint32_t width) {
    return port | width << 16 | 1u << 24;
}

// Several accesses in one kernel entry; values read come back in step[].frame.
static error_t batch(handle_t ports, struct map_item *step, uint32_t count) {
    struct ports_batch_out out;
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] = step[i];
    }
    error_t error = ports_batch(ports, count, &out);
    if (error == OK && out.done != count) {
        error = E_IO;
    }
    for (uint32_t i = 0; error == OK && i < count; i++) {
        step[i] = message_buffer()->list[i];
    }
    return error;
}

error_t virtio_start(handle_t ports, uint32_t wanted, uint32_t *features) {
    struct map_item hello[] = {
        {write_of(REGISTER_STATUS, 1), STATUS_RESET},
        {write_of(REGISTER_STATUS, 1), STATUS_SEEN},
        {write_of(REGISTER_STATUS, 1), STATUS_SEEN | STATUS_DRIVER},
        {read_of(REGISTER_STATUS, 1), 0},
        {read_of(REGISTER_FEATURES, 4), 0},
    };
    error_t error = batch(ports, hello, ARRAY_LENGTH(hello));
    if (error != OK) {
        return error;
    }
    // A port without a device reads as all ones.
    if (hello[3].frame != (STATUS_SEEN | STATUS_DRIVER)) {
        return E_IO;
    }
    *features = hello[4].frame & wanted;
    return ports_out(ports, REGISTER_ACCEPTED, 4, *features);
}

error_t virtio_config(handle_t ports, uint32_t offset, uint32_t width, uint32_t *value) {
    struct ports_in_out out;
    error_t error = ports_in(ports, REGISTER_CONFIG + offset, width, &out);
    *value = error == OK ? out.value : 0;
    return error;
}

error_t virtio_open(handle_t ports, uint16_t number, vaddr_t at, uint32_t extra,
                    struct virtio_queue *queue, frame_t *memory) {
    struct map_item size[] = {
        {write_of(REGISTER_QUEUE, 2), number},
        {read_of(REGISTER_QUEUE_SIZE, 2), 0},
    };
    error_t error = batch(ports, size, ARRAY_LENGTH(size));
    if (error != OK) {
        return error;
    }
    uint32_t count = size[1].frame;
    if (count == 0 || count > VIRTIO_QUEUE_MAX || (count & (count - 1)) != 0) {
        return E_IO;
    }
    error = memory_map(at, virtio_queue_pages((uint16_t)count) + extra, FRAMES_RUN, memory);
    if (error != OK) {
        return error;
    }
    virtio_queue_init(queue, number, (uint16_t)count, (void *)at);
    return ports_out(ports, REGISTER_QUEUE_FRAME, 4, *memory);
}

error_t virtio_ready(handle_t ports) {
    return ports_out(ports, REGISTER_STATUS, 1, STATUS_SEEN | STATUS_DRIVER | STATUS_READY);
}

error_t virtio_reset(handle_t ports) {
    return ports_out(ports, REGISTER_STATUS, 1, STATUS_RESET);
}

error_t virtio_submit(handle_t ports, struct virtio_queue *queue) {
    if (!virtio_queue_publish(queue)) {
        return OK;
    }
    return ports_out(ports, REGISTER_NOTIFY, 2, queue->number);
}

error_t virtio_interrupt(handle_t ports, uint32_t *status) {
    struct ports_in_out out;
    error_t error = ports_in(ports, REGISTER_INTERRUPT, 1, &out);
    *status = error == OK ? out.value : 0;
    return error;
}
