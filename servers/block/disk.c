// SPDX-License-Identifier: MIT
// A virtio-blk disk: one command per cluster, DMA straight to and from the frames. After any
// disagreement with the device it is reset, so that no DMA follows, and all requests get E_IO.
#include "block.h"
#include "device.h"
#include "stubs.h"

#define DISK_AT 0x40000000u  // queue, then one page of headers and states
#define FEATURE_SEGMENTS (1u << 2)
#define FEATURE_READ_ONLY (1u << 5)
#define CONFIG_SECTORS 0u   // 8 bytes
#define CONFIG_SEGMENTS 12u
#define SECTORS_PER_PAGE 8u
#define STATUS_UNSET 0xffu

enum { COMMAND_READ = 0, COMMAND_WRITE = 1 };

struct command {
    uint32_t type, reserved;
    uint64_t sector;
};

// Commands and states lie at the index of the cluster's first slot: one page holds them all.
struct commands {
    struct command command[RING_LENGTH];
    uint8_t status[RING_LENGTH];
};
_Static_assert(sizeof(struct command) == 16, "a command is 16 bytes");
_Static_assert(sizeof(struct commands) <= PAGE_SIZE, "all commands fit one page");

static struct {
    struct virtio_queue queue;
    struct commands *commands;
    paddr_t commands_at;
    uint32_t segments;                // that one command may have
    bool failed;
    uint8_t first[VIRTIO_QUEUE_MAX];  // of a chain's head: first slot of its cluster
} disk;

static error_t disk_size(uint32_t *pages) {
    uint32_t low, high;
    error_t error = virtio_config(HANDLE(SLOT_PORTS), CONFIG_SECTORS, 4, &low);
    if (error == OK) {
        error = virtio_config(HANDLE(SLOT_PORTS), CONFIG_SECTORS + 4, 4, &high);
    }
    if (error == OK) {
        uint64_t size = ((uint64_t)high << 32 | low) / SECTORS_PER_PAGE;
        *pages = size > 0xffffffffu ? 0xffffffffu : (uint32_t)size;
    }
    return error;
}

static error_t disk_handshake(struct block *block) {
    uint32_t features;
    error_t error =
        virtio_start(HANDLE(SLOT_PORTS), FEATURE_SEGMENTS | FEATURE_READ_ONLY, &features);
    if (error != OK) {
        return error;
    }
    if (features & FEATURE_READ_ONLY) {
        return E_DENIED;
    }
    disk.segments = 1;
    if (features & FEATURE_SEGMENTS) {
        error = virtio_config(HANDLE(SLOT_PORTS), CONFIG_SEGMENTS, 4, &disk.segments);
        disk.segments = MAX_OF(1, MIN_OF(disk.segments, RING_LENGTH));
    }
    return error != OK ? error : disk_size(&block->pages);
}

static error_t disk_queue(void) {
    frame_t memory;
    error_t error = virtio_open(HANDLE(SLOT_PORTS), 0, DISK_AT, 1, &disk.queue, &memory);
    if (error != OK) {
        return error;
    }
    uint32_t pages = virtio_queue_pages(disk.queue.size);
    disk.commands = (struct commands *)(DISK_AT + pages * PAGE_SIZE);
    disk.commands_at = FRAME_PADDR(memory + pages);
    (void)virtio_queue_interrupts(&disk.queue, true);
    error = irq_bind(HANDLE(SLOT_IRQ), HANDLE(SLOT_EVENT), BLOCK_EVENT_IRQ);
    return error != OK ? error : virtio_ready(HANDLE(SLOT_PORTS));
}

static error_t disk_open(struct block *block) {
    error_t error = disk_handshake(block);
    if (error == OK) {
        error = disk_queue();
    }
    if (error != OK && virtio_reset(HANDLE(SLOT_PORTS)) != OK) {
        return E_IO;
    }
    return error;
}

// The device cannot be trusted any more, or is gone.
static void disk_fail(struct block *block) {
    disk.failed = true;
    if (virtio_reset(HANDLE(SLOT_PORTS)) != OK) {
        return;  // it may still write to the frames: their requests stay open for ever
    }
    for (uint32_t head = 0; head < disk.queue.size; head++) {
        if (disk.queue.chain[head] != 0) {
            block_done(block, disk.first[head], E_IO);
        }
    }
}

static struct virtio_segment segment_of(uint32_t commands_offset, uint32_t length, bool written) {
    return (struct virtio_segment){PADDR_PLUS(disk.commands_at, commands_offset), length, written};
}

// Neighbouring frames become one segment. Returns the number of segments.
static uint32_t segments_fill(const struct cluster_table *table, const struct cluster *cluster,
                              struct virtio_segment *segment) {
    bool read = table->request[cluster->first].operation == RING_READ;
    uint32_t count = 0;
    for (uint32_t slot = cluster->first; slot != CLUSTER_NONE; slot = table->next[slot]) {
        paddr_t address = FRAME_PADDR(table->request[slot].frame);
        struct virtio_segment *last = segment + count - 1;
        if (count > 0 && PADDR_PLUS(last->address, last->length) == address) {
            last->length += PAGE_SIZE;
        } else {
            segment[count++] = (struct virtio_segment){address, PAGE_SIZE, read};
        }
    }
    return count;
}

static void command_send(struct block *block, const struct cluster *cluster) {
    const struct ring_request *request = &block->table.request[cluster->first];
    struct virtio_segment segment[RING_LENGTH + 2];
    uint32_t first = cluster->first;
    disk.commands->command[first] = (struct command){
        request->operation == RING_READ ? COMMAND_READ : COMMAND_WRITE, 0,
        (uint64_t)request->disk_page * SECTORS_PER_PAGE};
    disk.commands->status[first] = STATUS_UNSET;
    segment[0] = segment_of(offsetof(struct commands, command) + first * sizeof(struct command),
                            sizeof(struct command), false);
    uint32_t count = 1 + segments_fill(&block->table, cluster, segment + 1);
    segment[count++] = segment_of(offsetof(struct commands, status) + first, 1, true);
    int head = virtio_queue_add(&disk.queue, segment, count);
    if (head < 0) {
        block_done(block, first, E_IO);  // cannot be: the caller left room
        return;
    }
    disk.first[head] = (uint8_t)first;
}

static void disk_start(struct block *block) {
    struct cluster cluster;
    if (disk.failed) {
        block_refuse(block, E_IO);
        return;
    }
    while (disk.queue.free_count > 2 &&
           cluster_take(&block->table, MIN_OF(disk.segments, disk.queue.free_count - 2u),
                        &cluster)) {
        command_send(block, &cluster);
    }
    if (virtio_submit(HANDLE(SLOT_PORTS), &disk.queue) != OK) {
        disk_fail(block);
    }
}

static void disk_collect(struct block *block) {
    int head;
    while ((head = virtio_queue_collect(&disk.queue)) >= 0) {
        uint32_t first = disk.first[head];
        uint8_t status = *(volatile uint8_t *)&disk.commands->status[first];
        block_done(block, first, status == 0 ? OK : E_IO);
    }
    if (head == VIRTIO_BROKEN) {
        disk_fail(block);
    }
}

static void disk_event(struct block *block, uint32_t bits) {
    uint32_t status;
    if (disk.failed || !(bits & BLOCK_EVENT_IRQ)) {
        return;
    }
    if (virtio_interrupt(HANDLE(SLOT_PORTS), &status) != OK) {
        disk_fail(block);
        return;
    }
    disk_collect(block);
    if (!disk.failed && irq_ack(HANDLE(SLOT_IRQ)) != OK) {
        disk_fail(block);
    }
}

const struct backend disk_backend = {disk_open, disk_start, disk_event};
