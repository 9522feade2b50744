// SPDX-License-Identifier: MIT
// The store: which of its pages are taken, and the transfers between it and frames through the ring
// that the block server answers (abi/ring.h). A transfer's tag is the slot of its frame; the frame
// is `busy` from transfer_start() until transfer_collect() has returned it, and pinned from
// transfer_submit() until transfer_collect() has returned 0.
#pragma once
#include "framelist.h"
#include "swap.h"

extern struct swap swap_space;
extern uint32_t transfer_count;  // busy frames

#define TRANSFER_ERRORS_MAX 8u  // failed writes after which nothing is written any more
extern uint32_t transfer_errors;
static inline int transfer_is_broken(void) {
    return transfer_errors >= TRANSFER_ERRORS_MAX;
}
static inline void transfer_error_note(void) {
    transfer_errors++;
}

void transfer_init(void);
// E_STATE: there is one already. E_MEMORY: no memory for its bit map.
error_t transfer_attach(uint32_t pages);

// Make sure that a changed frame has a page of the store to be written to; it may be taken from
// another resident frame, whose copy there is then lost, so that it counts as changed.
// 0: there is no room at all, or no store, or it is broken.
int transfer_page_assign(struct frame_record *frame);
// Is there room without taking it from other frames?
static inline int transfer_has_room(void) {
    return swap_room(&swap_space) > 0 && !transfer_is_broken();
}

// Read the frame's page of the store if the frame is FRAME_READING, else write it.
void transfer_start(uint32_t slot);
// Move queued transfers into the ring and tell the block server; call it before waiting.
extern uint32_t transfer_queued;
void transfer_submit(void);
static inline void transfer_flush(void) {
    if (transfer_queued > 0) {
        transfer_submit();
    }
}
// The next finished transfer: its slot (0: none) and its error. Call it until it returns 0.
uint32_t transfer_collect(error_t *error);
// How many laws of queue and ring are broken.
uint32_t transfer_check(void);
