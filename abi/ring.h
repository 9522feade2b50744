// SPDX-License-Identifier: MIT
// The ring between pager (asks) and block server (answers): one page at LAYOUT_RING in both.
// Each side writes only its own index; an index counts up for ever, its place is index % length.
// Law: submitted >= taken >= completed >= collected, and submitted - collected <= RING_LENGTH.
// After raising an index the writer signals the other's event (SLOT_PEER).
#pragma once
#include "types.h"

#define RING_LENGTH 64u

enum ring_operation { RING_READ = 1, RING_WRITE = 2 };

struct ring_request {
    uint32_t tag;        // returned with the completion; the block server does not look at it
    uint32_t operation;  // enum ring_operation
    uint32_t disk_page;  // 4096-byte unit of the store
    frame_t frame;       // DMA goes straight to or from this frame; it must stay put meanwhile
};

struct ring_completion {
    uint32_t tag;
    uint32_t error;  // error_t
};

struct block_ring {
    uint32_t submitted;  // pager: requests placed
    uint32_t completed;  // block: completions placed, in any order
    uint32_t taken;      // block: requests taken (a request's place is free again)
    uint32_t collected;  // pager: completions taken back
    uint32_t pages;      // block: size of the store, 0 until it is ready
    uint32_t reserved[3];
    struct ring_request request[RING_LENGTH];
    struct ring_completion completion[RING_LENGTH];
};
_Static_assert(sizeof(struct block_ring) <= PAGE_SIZE, "the ring fits its page");

// Bits of the two events.
#define BLOCK_EVENT_SUBMITTED 1u  // block server's event: the pager placed requests
#define BLOCK_EVENT_IRQ 2u
#define BLOCK_EVENT_TIMER 4u
#define PAGER_EVENT_COMPLETED 1u  // pager's event: the block server placed completions
#define PAGER_EVENT_TIMER 2u
