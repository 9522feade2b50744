// SPDX-License-Identifier: MIT
// The block server under the pager's model: it takes requests from the ring, moves words in two
// halves, and answers late, in any order, sometimes with an error.
#include "pager_model_store.h"

#include <stdlib.h>
#include <string.h>

#include "pager.h"
#include "tests/test.h"
#include "transfer.h"

static uint32_t (*store)[MODEL_WORDS];
static uint32_t store_size;
static struct block_ring *ring;
static struct ring_request transfers[RING_LENGTH];
static uint32_t transfer_pending;

struct block_ring *machine_ring(void) {
    return ring;
}

void machine_ring_signal(void) {
}

void model_store_start(uint32_t pages) {
    store = calloc(MODEL_STORE_MAX, sizeof *store);
    ring = calloc(1, sizeof *ring);
    transfer_pending = 0;
    store_size = pages;
}

void model_store_stop(void) {
    free(store);
    free(ring);
    store = NULL;
    ring = NULL;
}

// The first half of the words moves when a transfer begins, the second when it ends.
static void transfer_move(const struct ring_request *request, uint32_t from, uint32_t to) {
    struct model_frame *frame = model_frame(request->frame);
    for (uint32_t i = from; i < to; i++) {
        if (request->operation == RING_READ) {
            frame->word[i] = store[request->disk_page][i];
        } else {
            store[request->disk_page][i] = frame->word[i];
        }
    }
}

static void transfer_begin(void) {
    struct ring_request request = ring->request[ring->taken++ % RING_LENGTH];
    struct model_frame *frame = model_frame(request.frame);
    CHECK(request.operation == RING_READ || request.operation == RING_WRITE);
    CHECK(request.disk_page > 0 && request.disk_page < store_size && frame->taken);
    CHECK(frame->pinned);
    for (uint32_t i = 0; i < transfer_pending; i++) {
        CHECK(transfers[i].disk_page != request.disk_page && transfers[i].frame != request.frame);
    }
    frame->reads += request.operation == RING_READ;
    frame->writes += request.operation == RING_WRITE;
    CHECK(frame->reads == 0 || frame->maps == 0);
    transfer_move(&request, 0, MODEL_WORDS / 2);
    transfers[transfer_pending++] = request;
    model.begun++;
}

static void transfer_end(uint32_t index) {
    struct ring_request request = transfers[index];
    bool fails = model.io_errors != 0 && model_random(model.io_errors) == 0;
    struct model_frame *frame = model_frame(request.frame);
    CHECK(frame->pinned);
    transfer_pending--;
    memmove(&transfers[index], &transfers[index + 1],
            (transfer_pending - index) * sizeof transfers[0]);
    if (!fails) {
        transfer_move(&request, MODEL_WORDS / 2, MODEL_WORDS);
    }
    frame->reads -= request.operation == RING_READ;
    frame->writes -= request.operation == RING_WRITE;
    ring->completion[ring->completed++ % RING_LENGTH] =
        (struct ring_completion){request.tag, fails ? E_IO : OK};
}

static uint32_t transfer_draw(void) {
    if (model.slowness != 0 && model_random(64) != 0) {
        return transfer_pending - 1;
    }
    return model.hold ? 1 + model_random(transfer_pending - 1) : model_random(transfer_pending);
}

void model_block_step(void) {
    (void)pager_work();
    if (model.slowness != 0 && model_random(model.slowness) != 0) {
        return;
    }
    if (ring->taken != ring->submitted && model_random(2) == 0) {
        transfer_begin();
    } else if (transfer_pending > model.hold) {
        transfer_end(transfer_draw());
        demand_continue();
    }
    (void)pager_work();
}

void model_block_drain(void) {
    model.slowness = 0;
    model.hold = false;
    for (uint32_t i = 0; i < 10000 && (transfer_pending > 0 || ring->submitted != ring->collected ||
                                       transfer_count > 0 || pager_work()); i++) {
        model_block_step();
    }
    CHECK(transfer_count == 0);
    CHECK_EQUAL(model.pinned, 0);
}
