// SPDX-License-Identifier: MIT
// The frame table: one authoritative entry per physical frame, and which frames are free.
// Knows nothing of page tables; check.c proves the laws that join the two.
//   free frames + frames owned by each pool = frames of RAM
//   bitmap bit of a frame == (type == FRAME_FREE)
//   maps == number of user page-table entries that name the frame (FRAME_USER, FRAME_BUFFER,
//     FRAME_CLOCK)
//   a mapped or pinned frame is never freed
#pragma once
#include <stdbool.h>
#include "bitmap.h"
#include "start.h"
#include "types.h"

enum frame_type {
    FRAME_ABSENT,  // no RAM, firmware's, or not tracked
    FRAME_FREE,
    FRAME_USER,    // may be mapped for users
    FRAME_KERNEL,  // image, frame table, boot data: for ever
    FRAME_OBJECT,  // kernel objects (kalloc.c), handle tables
    FRAME_TABLE,   // page tables
    FRAME_BUFFER,  // message buffer: kernel's, yet mapped for one user
    FRAME_CLOCK,   // the clock: kernel's, yet mapped for all, who may read it
    FRAME_TYPES
};

// Holds on a frame beside its maps, counted with them. All page tables that low memory has room for
// have fewer entries than the bits below can count.
#define FRAME_RING (1u << 27)  // it is of the trace ring
#define FRAME_PIN (1u << 28)   // a device reads or writes it, so many times
#define FRAME_PINS (~0u << 28)
#define FRAME_HOLDS (FRAME_PINS | FRAME_RING)

struct frame {
    union {
        struct {
            uint16_t pool;  // object slot of the owner, 0: none
            uint16_t type;  // enum frame_type
        };
        uint32_t word;  // both at once: FRAME_WORD
    };
    uint32_t maps;  // user entries that name it, and holds; FRAME_TABLE: entries in use within it
};
_Static_assert(sizeof(struct frame) == 8, "eight bytes a frame");

#define FRAME_WORD(type, pool) ((uint32_t)(type) << 16 | (pool))
#define FRAME_NONE UINT32_MAX

struct frame_state {
    struct frame *table;
    uint32_t count;      // entries in table
    uint32_t low_end;    // frames below lie in the kernel's window
    uint32_t total;      // frames of RAM: all but FRAME_ABSENT
    uint32_t free;       // FRAME_FREE
    uint32_t free_low;   // of them below low_end
    uint32_t promised;   // low frames that pools have reserved and not used yet
    struct bitmap bitmap;
};
extern struct frame_state frames;

// Set up over storage that the caller chose: `table` of `count` entries (all FRAME_ABSENT) and
// bitmap words.
BOOT_TEXT void frame_init(struct frame *table, uint32_t *bitmap_storage, uint32_t count,
                          uint32_t low_end);
// Boot: RAM appears as free, or belongs to the kernel or a boot module.
BOOT_TEXT void frame_add(frame_t frame, enum frame_type type, uint16_t pool);

// Take one free frame of `type`. User frames come from the top, others from low memory.
// `promise`: the caller's pool has a low frame reserved for this. FRAME_NONE: nothing to be had.
frame_t frame_take(enum frame_type type, uint16_t pool, bool promise);
// Take up to `most` free user frames that share a word of the bitmap: bit n of *taken is the frame
// returned + n. *taken 0: nothing to be had.
frame_t frame_take_some(uint32_t most, uint16_t pool, uint32_t *taken);
// Take `count` neighbouring low frames (a device's queue); returns the first.
frame_t frame_take_run(uint32_t count, uint16_t pool);
// Give a frame back; it must be unmapped and not pinned.
void frame_release(frame_t frame);

static inline struct frame *frame_entry(frame_t frame) {
    return &frames.table[frame];
}
static inline bool frame_is_low(frame_t frame) {
    return frame < frames.low_end;
}
static inline bool frame_is_clock(frame_t frame) {
    return frame < frames.count && frames.table[frame].type == FRAME_CLOCK;
}
