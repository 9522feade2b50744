// SPDX-License-Identifier: MIT
// A ring of bytes: output on its way to the device, input that nobody has read yet.
// One thread; no waiting: who puts must have asked for room before.
#pragma once
#include <stdint.h>

#define BYTE_RING_SIZE 4096u  // a power of two, so that the counters may wrap

// Law: 0 <= in - out <= BYTE_RING_SIZE. Byte n stands at n % BYTE_RING_SIZE.
struct byte_ring {
    uint32_t in;   // bytes ever put
    uint32_t out;  // bytes ever taken
    uint8_t byte[BYTE_RING_SIZE];
};

static inline uint32_t byte_ring_used(const struct byte_ring *ring) {
    return ring->in - ring->out;
}

static inline uint32_t byte_ring_room(const struct byte_ring *ring) {
    return BYTE_RING_SIZE - byte_ring_used(ring);
}

// Expects room.
static inline void byte_ring_put(struct byte_ring *ring, uint8_t byte) {
    ring->byte[ring->in++ % BYTE_RING_SIZE] = byte;
}

// Expects a byte.
static inline uint8_t byte_ring_take(struct byte_ring *ring) {
    return ring->byte[ring->out++ % BYTE_RING_SIZE];
}
