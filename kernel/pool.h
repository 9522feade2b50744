// SPDX-License-Identifier: MIT
// Pools: reservations of frames. A pool's reservation is split off its parent's, so no pool can
// starve another; every frame and kernel object is charged to one.
//   used + split <= reserved          low_used counts kernel-type frames within used
//   low_reserved: low frames promised to this pool's kernel objects and page tables
//   objects + objects_split <= objects_reserved: its share of the table of object slots
#pragma once
#include "frame.h"
#include "object.h"
#include "start.h"

#define KALLOC_CLASSES 7  // 32 to 2048 bytes

struct slab;

struct pool {
    struct object *object;
    struct pool *parent;
    uint32_t user_frame;    // FRAME_WORD of its user frames
    uint32_t reserved;
    uint32_t used;
    uint32_t split;
    uint32_t low_reserved;
    uint32_t low_used;
    uint32_t objects_reserved;
    uint32_t objects;
    uint32_t objects_split;
    uint16_t first_object;  // ring of all that it pays for, 0: none
    uint16_t depth;         // pools above it
    uint32_t check_used;    // frame_check() counts here
    uint32_t check_objects;
    frame_t reap_next;    // how far pool_reap() has looked
    struct slab *partial[KALLOC_CLASSES];
};

static inline uint16_t pool_number(const struct pool *pool) {
    return (uint16_t)pool->user_frame;
}
// A number from outside names a user frame of the pool?
static inline __attribute__((always_inline)) bool pool_owns(const struct pool *pool,
                                                            frame_t frame) {
    return frame < frames.count && frame_entry(frame)->word == pool->user_frame;
}

// The root pool: owns all frames that nothing else does. Called once, with the frame table ready.
BOOT_TEXT struct pool *pool_root_create(struct pool *storage, uint32_t reserved);
#define POOL_DEPTH_MAX 16u  // a pool in a pool in ...: bounds the way down in pool_reap()
// Split a child off. NULL: out of reservation, low frames, slots or memory, or too deep.
struct pool *pool_split(struct pool *parent, uint32_t reserved, uint32_t low, uint32_t count);
// Give the reservation back. E_STATE while it owns frames, objects or children.
error_t pool_end(struct pool *pool);

// One frame charged to `pool`, zeroed unless it lies above the window; FRAME_NONE: exhausted.
frame_t pool_take(struct pool *pool, enum frame_type type);
void pool_release(struct pool *pool, frame_t frame);
// Move `frame` between pools: the reservation is not moved, only what is used of it.
error_t pool_move(struct pool *from, struct pool *to, frame_t frame);
struct pool *pool_of(frame_t frame);
