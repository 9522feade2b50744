// SPDX-License-Identifier: MIT
// The virtqueue against a device played by the test, honest and not.
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define SIZE 8u

static struct virtio_queue queue;
static char memory[3 * PAGE_SIZE] __attribute__((aligned(4096)));

static void queue_reset(void) {
    memset(memory, 0, sizeof(memory));
    virtio_queue_init(&queue, 0, SIZE, memory);
}

// What the device does with a chain: put its head into the used ring.
static void device_use(uint32_t head) {
    queue.used->ring[queue.used->index % SIZE].head = head;
    queue.used->index++;
}

static int add(uint32_t count) {
    struct virtio_segment segment[SIZE + 1];
    for (uint32_t i = 0; i < count; i++) {
        segment[i] = (struct virtio_segment){(i + 1) * 0x1000ull, 512, i > 0};
    }
    return virtio_queue_add(&queue, segment, count);
}

TEST(virtqueue_liar, "a head that was never given out, or twice, is not believed") {
    static const uint32_t heads[] = {1, SIZE, 0xffffffffu};
    for (uint32_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        queue_reset();
        CHECK_EQUAL(add(3), 0);
        device_use(heads[i]);
        CHECK_EQUAL(virtio_queue_collect(&queue), VIRTIO_BROKEN);
        CHECK_EQUAL(virtio_queue_check(&queue), 0);
    }
    queue_reset();
    CHECK_EQUAL(add(1), 0);
    device_use(0);
    device_use(0);
    CHECK_EQUAL(virtio_queue_collect(&queue), 0);
    CHECK_EQUAL(virtio_queue_collect(&queue), VIRTIO_BROKEN);
}

TEST(virtqueue_full, "a chain that does not fit is refused and changes nothing") {
    queue_reset();
    CHECK_EQUAL(add(0), VIRTIO_NONE);
    CHECK_EQUAL(add(SIZE + 1), VIRTIO_NONE);
    CHECK_EQUAL(add(SIZE - 1), 0);
    CHECK_EQUAL(add(2), VIRTIO_NONE);
    CHECK_EQUAL(queue.free_count, 1);
    CHECK_EQUAL(virtio_queue_check(&queue), 0);
}

TEST(virtqueue_chain, "descriptors of a chain are linked and say which side writes") {
    queue_reset();
    int head = add(3);
    CHECK(virtio_queue_publish(&queue));
    CHECK(!virtio_queue_publish(&queue));
    CHECK_EQUAL(queue.available->index, 1);
    CHECK_EQUAL(queue.available->ring[0], head);
    const struct virtio_descriptor *descriptor = &queue.descriptor[head];
    CHECK_EQUAL(descriptor->flags, 1);
    descriptor = &queue.descriptor[descriptor->next];
    CHECK_EQUAL(descriptor->flags, 3);
    CHECK_EQUAL(descriptor->address, 0x2000);
    descriptor = &queue.descriptor[descriptor->next];
    CHECK_EQUAL(descriptor->flags, 2);
}

TEST(virtqueue_flags, "the device can refuse notifications, the driver interrupts") {
    queue_reset();
    queue.used->flags = 1;
    CHECK_EQUAL(add(1), 0);
    CHECK(!virtio_queue_publish(&queue));
    CHECK_EQUAL(queue.available->flags, 1);
    CHECK(!virtio_queue_interrupts(&queue, true));
    CHECK_EQUAL(queue.available->flags, 0);
    device_use(0);
    CHECK(virtio_queue_interrupts(&queue, false));
}

TEST(virtqueue_random, "chains used in any order all come back, and no descriptor is lost") {
    uint32_t seed = 7, out = 0, heads[SIZE];
    queue_reset();
    for (uint32_t i = 0; i < 100000; i++) {
        seed = seed * 1664525u + 1013904223u;
        int head = seed >> 31 ? add(1 + (seed >> 16) % 4) : VIRTIO_NONE;
        if (head >= 0) {
            heads[out++] = (uint32_t)head;
        } else if (out > 0) {
            uint32_t which = (seed >> 8) % out;
            uint32_t used = heads[which];
            heads[which] = heads[--out];
            device_use(used);
            CHECK_EQUAL(virtio_queue_collect(&queue), used);
        }
        CHECK_EQUAL(virtio_queue_check(&queue), 0);
        CHECK_EQUAL(virtio_queue_collect(&queue), VIRTIO_NONE);
    }
}

TEST(virtqueue_pages, "the legacy layout needs the pages that the specification says") {
    CHECK_EQUAL(virtio_queue_pages(8), 2);
    CHECK_EQUAL(virtio_queue_pages(128), 2);
    CHECK_EQUAL(virtio_queue_pages(256), 3);
    CHECK_EQUAL(virtio_queue_pages(1024), 8);
}
