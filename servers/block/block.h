// SPDX-License-Identifier: MIT
// The block server: takes requests for pages of the store from the pager's ring and has a backend
// do them. What init tells it in start_info:
//   argument[0]  BLOCK_DISK or BLOCK_STORE
//   argument[1]  BLOCK_STORE: pages wanted
// When the store is ready, ring->pages is its size and HANDLE(SLOT_FREE), init's event, is
// signalled. If it cannot be had the signal comes all the same, pages is 0, and reserved[0] says
// why (error_t).
// There is no IOMMU: a frame number in a request is believed when the backend is a disk.
#pragma once
#include "cluster.h"
#include "ring_end.h"

enum { BLOCK_DISK = 1, BLOCK_STORE = 2 };

struct block {
    struct ring_end end;
    struct cluster_table table;
    uint32_t pages;
};

// A backend turns what waits in the table into work, and calls block_done() for each cluster that
// it took. It never waits.
struct backend {
    error_t (*open)(struct block *block);                // sets pages
    void (*start)(struct block *block);                  // requests wait
    void (*event)(struct block *block, uint32_t bits);   // BLOCK_EVENT_IRQ, BLOCK_EVENT_TIMER
};
extern const struct backend disk_backend, store_backend;

// Complete all requests of a cluster, free its slots.
void block_done(struct block *block, uint32_t first, error_t error);

// Complete all that waits with this error.
void block_refuse(struct block *block, error_t error);
