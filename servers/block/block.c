// SPDX-License-Identifier: MIT
// The loop of the block server: events in, requests from the ring to the backend, completions and
// one signal out. Nobody calls it: it has no port.
#include "block.h"
#include "stubs.h"

static struct block block;

void block_done(struct block *server, uint32_t first, error_t error) {
    struct cluster_table *table = &server->table;
    for (uint32_t slot = first; slot != CLUSTER_NONE; slot = table->next[slot]) {
        ring_complete(&server->end, table->request[slot].tag, error);
    }
    cluster_free(table, first);
}

void block_refuse(struct block *server, error_t error) {
    struct cluster cluster;
    while (cluster_take(&server->table, RING_LENGTH, &cluster)) {
        block_done(server, cluster.first, error);
    }
}

// Move all requests out of the ring; wrong ones are answered at once.
static void take_requests(void) {
    struct ring_request request;
    error_t error;
    while (ring_take(&block.end, block.pages, &request, &error)) {
        if (error == OK && !cluster_add(&block.table, &request)) {
            error = E_LIMIT;
        }
        if (error != OK) {
            ring_complete(&block.end, request.tag, error);
        }
    }
}

static const struct backend *backend_open(void) {
    uint32_t kind = start_info()->argument[0];
    const struct backend *backend = kind == BLOCK_DISK    ? &disk_backend
                                    : kind == BLOCK_STORE ? &store_backend
                                                          : NULL;
    error_t error = backend == NULL ? E_ARGUMENT : backend->open(&block);
    if (error != OK) {
        block.pages = 0;
    }
    block.end.ring->reserved[0] = error;
    block.end.ring->pages = block.pages;
    return block.pages == 0 ? NULL : backend;
}

// A signal fails only if the receiver is gone: then nobody waits for it.
static void signal(uint32_t slot) {
    if (ipc_signal(HANDLE(slot)) != OK) {
        return;
    }
}

void server_main(void);
void server_main(void) {
    ring_open(&block.end, (struct block_ring *)LAYOUT_RING);
    cluster_init(&block.table);
    const struct backend *backend = backend_open();
    signal(SLOT_FREE);
    for (;;) {
        struct received received;
        ipc_receive(0, &received);
        uint32_t completed = block.end.completed;
        uint32_t bits = TAG_LABEL(received.tag) == LABEL_EVENT ? received.word[0] : 0;
        if (backend != NULL && bits & (BLOCK_EVENT_IRQ | BLOCK_EVENT_TIMER)) {
            backend->event(&block, bits);
        }
        take_requests();
        if (backend != NULL) {
            backend->start(&block);
        }
        if (block.end.completed != completed) {
            signal(SLOT_PEER);
        }
    }
}
