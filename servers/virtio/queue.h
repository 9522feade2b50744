// SPDX-License-Identifier: MIT
// A split virtqueue in the legacy layout (virtio 1.x, section 2.7): descriptors, the driver's ring
// of available chains, the device's ring of used ones. Pure: memory only, no ports, no kernel.
#pragma once
#include <stdbool.h>
#include "types.h"

#define VIRTIO_QUEUE_MAX 1024u  // largest queue that a device may ask for
#define VIRTIO_NONE (-1)        // no chain: queue full, or nothing used
#define VIRTIO_BROKEN (-2)      // the device names a chain that was never given to it

struct virtio_descriptor {
    paddr_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct virtio_available {
    uint16_t flags, index;
    uint16_t ring[];
};

struct virtio_used {
    uint16_t flags, index;
    struct {
        uint32_t head, length;
    } ring[];
};

// Law: free_count + sum of chain[] = size. Checked by virtio_queue_check().
struct virtio_queue {
    uint16_t number, size;
    uint16_t free_first, free_count;  // free descriptors, linked by their `next`
    uint16_t added;                   // chains added; published by virtio_queue_publish()
    uint16_t collected;               // chains taken back
    struct virtio_descriptor *descriptor;
    struct virtio_available *available;
    struct virtio_used *used;
    uint16_t chain[VIRTIO_QUEUE_MAX];  // length of the chain that starts here, 0: none does
};

struct virtio_segment {
    paddr_t address;
    uint32_t length;
    bool written;  // by the device
};

// Pages of contiguous memory that a queue of this size needs.
uint32_t virtio_queue_pages(uint16_t size);

// Lay an empty queue out in zeroed memory. size is a power of two up to VIRTIO_QUEUE_MAX.
// The device is asked not to interrupt until virtio_queue_interrupts().
void virtio_queue_init(struct virtio_queue *queue, uint16_t number, uint16_t size, void *memory);

// Add one chain of count >= 1 segments; the device sees it at the next publish. Returns its head,
// or VIRTIO_NONE when too few descriptors are free.
int virtio_queue_add(struct virtio_queue *queue, const struct virtio_segment *segment,
                     uint32_t count);

// Show the device what was added. True: it wants to be notified.
bool virtio_queue_publish(struct virtio_queue *queue);

// Take back the head of one used chain, or VIRTIO_NONE, or VIRTIO_BROKEN.
int virtio_queue_collect(struct virtio_queue *queue);

// Ask for interrupts, or not. True: chains were used meanwhile, collect them first.
bool virtio_queue_interrupts(struct virtio_queue *queue, bool wanted);

// Number of broken laws.
uint32_t virtio_queue_check(const struct virtio_queue *queue);
