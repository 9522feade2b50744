// SPDX-License-Identifier: MIT
// The block server's end of the ring that abi/ring.h describes. Pure: no kernel, no device.
// All that the pager writes there is untrusted; our own two indices live outside of the ring.
#pragma once
#include <stdbool.h>
#include "ring.h"

// Law: taken - completed <= RING_LENGTH and completed - collected <= RING_LENGTH.
struct ring_end {
    struct block_ring *ring;
    uint32_t taken, completed;  // ours: the copies in the ring are for the pager to read
    uint32_t collected;         // the pager's, the last value that obeyed the law
};

// Take our end, where an earlier block server left it.
void ring_open(struct ring_end *end, struct block_ring *ring);

// Take the next request. False: there is none, or no place for its completion. *error says what
// is wrong with it (OK: nothing); a wrong one is to be completed with that error, untouched.
bool ring_take(struct ring_end *end, uint32_t pages, struct ring_request *request, error_t *error);

// Place a completion. Every request taken is completed once, so there is room.
void ring_complete(struct ring_end *end, uint32_t tag, error_t error);
