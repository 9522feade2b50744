// SPDX-License-Identifier: MIT
// The frames that the pager has taken from its pool, numbered from 1: these slot numbers are what
// page maps, policies and the block ring's tags speak of. The list grows by batches as memory is
// asked for, so that booting costs nothing for memory that nobody uses.
#pragma once
#include "machine.h"

enum frame_state {
    FRAME_IDLE,      // in a free list
    FRAME_META,      // the pager's own memory
    FRAME_RESIDENT,  // holds a page of a task
    FRAME_READING,   // being filled from the store
    FRAME_WRITING,   // unmapped, being written to the store
    FRAME_DOOMED,    // its page is gone; free when the block server is done with it
};

// Idle: all but number, next, zeroed is 0. framelist_check()
// store: the page of the store that belongs to it, SWAP_NONE without one. While resident, the copy
// there is good unless `dirty` or the entry's Dirty bit is set.
struct frame_record {
    frame_t number;
    uint32_t page;
    uint32_t store;
    uint32_t mark;        // the policy slot: the domain's policy knows the page by it
    uint32_t next;        // in a free list, or in the queue for the ring
    uint8_t domain;       // its index
    uint8_t state;        // enum frame_state
    uint8_t mapped;       // an entry may name it
    uint8_t dirty : 1;    // changed since it was last stored, zeroed or copied, and unmapped since
    uint8_t busy : 1;     // the block server works on it
    uint8_t again : 1;    // changed while it was being written: write it once more
    uint8_t zeroed : 1;   // when it was idle last
    uint8_t ghost : 1;    // being written, and the policy remembers its page by `mark`
    uint8_t : 3;
};
_Static_assert(sizeof(struct frame_record) == 24, "24 bytes a frame");

enum frame_wish { FRAMES_ZEROED, FRAMES_OTHER };

void framelist_init(void);

static inline struct frame_record *framelist_at(uint32_t slot) {
    return (struct frame_record *)machine_window(WINDOW_FRAMES) + slot;
}

extern uint32_t framelist_count;    // slots 1 .. framelist_count - 1 are frames
extern uint32_t framelist_idle;     // of them in a free list
extern uint32_t framelist_free[2];  // first of each list, by enum frame_wish; 0: it is empty

// Get more frames from the pool; 0: there are none.
int framelist_grow(void);

// Is a frame to be had for a page without evicting? The last FRAMES_SPARE ones are kept for the
// pager's own memory, so that programs can start when memory is full.
#define FRAMES_SPARE 32u
static inline int framelist_available(void) {
    return framelist_idle > FRAMES_SPARE || framelist_grow();
}

// A frame's slot, 0: there is none at all. The wish only says which kind to prefer.
uint32_t framelist_take_any(enum frame_wish wish);
static inline uint32_t framelist_take(enum frame_wish wish) {
    uint32_t slot = framelist_free[wish];
    if (slot == 0) {
        return framelist_take_any(wish);
    }
    framelist_free[wish] = framelist_at(slot)->next;
    framelist_idle--;
    return slot;
}
void framelist_release(uint32_t slot);
// Map a frame for the pager's own use at a page of a window, zeroed. 0: no memory.
int framelist_window_map(enum window window, uint32_t page);

// How many laws are broken: free lists and states agree.
uint32_t framelist_check(void);
