// SPDX-License-Identifier: MIT
// Takes requests out of the shared ring and places completions. Each request is copied once, then
// checked, so that what was checked is what is used.
#include "ring_end.h"

void ring_open(struct ring_end *end, struct block_ring *ring) {
    *end = (struct ring_end){ring, ring->taken, ring->completed, ring->completed};
}

// Places for completions that no request taken has a claim to.
static uint32_t ring_room(struct ring_end *end) {
    uint32_t collected = __atomic_load_n(&end->ring->collected, __ATOMIC_ACQUIRE);
    if (end->completed - collected <= RING_LENGTH) {
        end->collected = collected;
    }
    return RING_LENGTH - MIN_OF(end->taken - end->collected, RING_LENGTH);
}

static error_t request_check(const struct ring_request *request, uint32_t pages) {
    if (request->operation != RING_READ && request->operation != RING_WRITE) {
        return E_MESSAGE;
    }
    if (request->disk_page >= pages) {
        return E_ARGUMENT;
    }
    // Frame numbers have 24 bits everywhere in the ABI. Whose frame it is cannot be seen here.
    return request->frame == 0 || request->frame >> 24 != 0 ? E_ADDRESS : OK;
}

bool ring_take(struct ring_end *end, uint32_t pages, struct ring_request *request,
               error_t *error) {
    uint32_t submitted = __atomic_load_n(&end->ring->submitted, __ATOMIC_ACQUIRE);
    uint32_t room = ring_room(end);
    if (submitted == end->taken || room == 0) {
        return false;
    }
    *request = end->ring->request[end->taken % RING_LENGTH];
    // An index that jumped past the ring's length: what lies there was never meant as requests.
    *error = submitted - end->taken > room ? E_FORMAT : request_check(request, pages);
    __atomic_store_n(&end->ring->taken, ++end->taken, __ATOMIC_RELEASE);
    return true;
}

void ring_complete(struct ring_end *end, uint32_t tag, error_t error) {
    struct ring_completion *completion = &end->ring->completion[end->completed % RING_LENGTH];
    completion->tag = tag;
    completion->error = error;
    __atomic_store_n(&end->ring->completed, ++end->completed, __ATOMIC_RELEASE);
}
