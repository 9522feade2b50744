// SPDX-License-Identifier: MIT
// The split virtqueue. What the device writes (used ring) is untrusted: a head is believed only if
// a chain that starts there is out.
#include "queue.h"

#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_WRITE 2u
#define AVAILABLE_NO_INTERRUPT 1u
#define USED_NO_NOTIFY 1u

// Descriptors and available ring, up to the page boundary where the used ring begins.
static uint32_t driver_bytes(uint32_t size) {
    return PAGE_UP(size * sizeof(struct virtio_descriptor) + sizeof(struct virtio_available) +
                   (size + 1) * sizeof(uint16_t));
}

uint32_t virtio_queue_pages(uint16_t size) {
    uint32_t used = sizeof(struct virtio_used) + size * 8u + sizeof(uint16_t);
    return (driver_bytes(size) + PAGE_UP(used)) / PAGE_SIZE;
}

void virtio_queue_init(struct virtio_queue *queue, uint16_t number, uint16_t size, void *memory) {
    char *start = memory;
    queue->number = number;
    queue->size = size;
    queue->free_first = 0;
    queue->free_count = size;
    queue->added = 0;
    queue->collected = 0;
    queue->descriptor = memory;
    queue->available = (void *)(start + size * sizeof(struct virtio_descriptor));
    queue->used = (void *)(start + driver_bytes(size));
    for (uint32_t i = 0; i < size; i++) {
        queue->descriptor[i].next = (uint16_t)(i + 1);
        queue->chain[i] = 0;
    }
    queue->available->flags = AVAILABLE_NO_INTERRUPT;
}

int virtio_queue_add(struct virtio_queue *queue, const struct virtio_segment *segment,
                     uint32_t count) {
    if (count == 0 || count > queue->free_count) {
        return VIRTIO_NONE;
    }
    uint16_t head = queue->free_first, last = head;
    for (uint32_t i = 0; i < count; i++) {
        last = queue->free_first;
        struct virtio_descriptor *descriptor = &queue->descriptor[last];
        descriptor->address = segment[i].address;
        descriptor->length = segment[i].length;
        descriptor->flags =
            (uint16_t)(DESCRIPTOR_NEXT | (segment[i].written ? DESCRIPTOR_WRITE : 0));
        queue->free_first = descriptor->next;
    }
    queue->descriptor[last].flags &= (uint16_t)~DESCRIPTOR_NEXT;
    queue->free_count = (uint16_t)(queue->free_count - count);
    queue->chain[head] = (uint16_t)count;
    queue->available->ring[queue->added++ % queue->size] = head;
    return head;
}

bool virtio_queue_publish(struct virtio_queue *queue) {
    if (queue->available->index == queue->added) {
        return false;
    }
    __atomic_store_n(&queue->available->index, queue->added, __ATOMIC_RELEASE);
    // The device sets its flag, then looks at the index; we do the reverse: both orders must hold.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return !(__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY);
}

static void chain_free(struct virtio_queue *queue, uint16_t head) {
    uint16_t last = head;
    for (uint32_t i = 1; i < queue->chain[head]; i++) {
        last = queue->descriptor[last].next;
    }
    queue->descriptor[last].next = queue->free_first;
    queue->free_first = head;
    queue->free_count = (uint16_t)(queue->free_count + queue->chain[head]);
    queue->chain[head] = 0;
}

int virtio_queue_collect(struct virtio_queue *queue) {
    if (__atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) == queue->collected) {
        return VIRTIO_NONE;
    }
    uint32_t head = queue->used->ring[queue->collected % queue->size].head;
    if (head >= queue->size || queue->chain[head] == 0) {
        return VIRTIO_BROKEN;
    }
    queue->collected++;
    chain_free(queue, (uint16_t)head);
    return (int)head;
}

bool virtio_queue_interrupts(struct virtio_queue *queue, bool wanted) {
    uint16_t flags = wanted ? 0 : AVAILABLE_NO_INTERRUPT;
    __atomic_store_n(&queue->available->flags, flags, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE) != queue->collected;
}

uint32_t virtio_queue_check(const struct virtio_queue *queue) {
    uint32_t out = 0, free = 0;
    for (uint32_t i = 0; i < queue->size; i++) {
        out += queue->chain[i];
    }
    uint16_t at = queue->free_first;
    for (; free < queue->free_count && at < queue->size; free++) {
        at = queue->descriptor[at].next;
    }
    return (out + queue->free_count != queue->size) + (free != queue->free_count);
}
