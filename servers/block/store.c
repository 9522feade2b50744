// SPDX-License-Identifier: MIT
// A store in RAM, for runs that must be the same every time: pages are copied between the pager's
// frames and frames of our own pool, and the answer comes when a disk of the modelled speed
// (store.h) would have given it. Frames are taken when a page is first written; that they will be
// there is what the pool's reservation says. Pages that were never written read as zeros.
#include "store.h"
#include "block.h"
#include "memory.h"
#include "stubs.h"

#define TABLE_AT 0x40000000u      // frame_t of each page of the store, 0: never written
#define TABLE_ENTRIES (PAGE_SIZE / sizeof(frame_t))
#define TABLE_SPARE 8u            // frames left to the kernel for page tables
#define STOCK 64u                 // frames asked for at once

static struct {
    frame_t *table;
    struct cluster now;  // what the head works on
    bool busy;
    uint32_t stock;
    frame_t frame[STOCK];  // taken, not used yet
} store;

static error_t store_open(struct block *block) {
    struct pool_info_out pool;
    error_t error = pool_info(HANDLE(SLOT_POOL), &pool);
    if (error != OK) {
        return error;
    }
    uint32_t wanted = start_info()->argument[1];
    uint32_t free = pool.reserved - pool.used - pool.split;
    uint32_t table = (MIN_OF(wanted, free) + TABLE_ENTRIES - 1) / TABLE_ENTRIES;
    if (free <= table + TABLE_SPARE) {
        return E_MEMORY;
    }
    error = memory_map(TABLE_AT, table, FRAMES_ANY, NULL);
    if (error != OK) {
        return error;
    }
    store.table = (frame_t *)TABLE_AT;
    block->pages = MIN_OF(wanted, free - table - TABLE_SPARE);
    return OK;
}

static error_t stock_fill(void) {
    struct pool_frames_alloc_out out;
    error_t error = pool_frames_alloc(HANDLE(SLOT_POOL), STOCK, FRAMES_ANY, &out);
    for (uint32_t i = 0; error == OK && i < out.done; i++) {
        // From the end, so that low numbers are used first.
        store.frame[out.done - 1 - i] = ITEM_FRAME(message_buffer()->list[i]);
    }
    store.stock = error == OK ? out.done : 0;
    return store.stock == 0 ? E_MEMORY : OK;
}

static error_t page_write(const struct ring_request *request) {
    frame_t *frame = &store.table[request->disk_page];
    if (*frame == 0) {
        error_t error = store.stock == 0 ? stock_fill() : OK;
        if (error != OK) {
            return error;
        }
        *frame = store.frame[--store.stock];
    }
    return pool_frame_copy(HANDLE(SLOT_POOL), *frame, request->frame, HANDLE(SLOT_STORE), 0,
                           PAGE_SIZE);
}

static error_t page_read(const struct ring_request *request) {
    frame_t frame = store.table[request->disk_page];
    if (frame == 0) {
        return pool_frame_zero(HANDLE(SLOT_STORE), request->frame);
    }
    return pool_frame_copy(HANDLE(SLOT_STORE), request->frame, frame, HANDLE(SLOT_POOL), 0,
                           PAGE_SIZE);
}

// The kernel checks that the frames belong to the two pools. A cluster fails as a whole.
static error_t cluster_copy(const struct cluster_table *table, uint32_t first) {
    error_t error = OK;
    for (uint32_t slot = first; slot != CLUSTER_NONE && error == OK; slot = table->next[slot]) {
        const struct ring_request *request = &table->request[slot];
        error = request->operation == RING_READ ? page_read(request) : page_write(request);
    }
    return error;
}

static void store_start(struct block *block) {
    if (store.busy || !cluster_take(&block->table, RING_LENGTH, &store.now)) {
        return;
    }
    error_t error = timer_set(HANDLE(SLOT_TIMER), store_service_ns(store.now.count), 0,
                              HANDLE(SLOT_EVENT), BLOCK_EVENT_TIMER);
    store.busy = error == OK;
    if (error != OK) {
        block_done(block, store.now.first, E_IO);
        block_refuse(block, E_IO);
    }
}

static void store_event(struct block *block, uint32_t bits) {
    if (!store.busy || !(bits & BLOCK_EVENT_TIMER)) {
        return;
    }
    store.busy = false;
    block_done(block, store.now.first, cluster_copy(&block->table, store.now.first));
}

const struct backend store_backend = {store_open, store_start, store_event};
