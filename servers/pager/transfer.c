// SPDX-License-Identifier: MIT
// The block server's half of the ring is not trusted with more than the contents of the store: a
// completion for a frame that is not in its hands is ignored.
#include "transfer.h"

struct swap swap_space;
uint32_t transfer_count, transfer_errors, transfer_queued;
static uint32_t queue_first, queue_last;  // of frames, linked by `next`
static uint32_t submitted, collected;                   // what we wrote into the ring
static uint32_t reclaim_cursor;
static frame_t ended[RING_LENGTH];  // transfers collected, whose frames are pinned yet
static uint32_t ended_count;

void transfer_init(void) {
    swap_init(&swap_space, NULL, 0);
    transfer_count = queue_first = queue_last = transfer_queued = 0;
    submitted = collected = reclaim_cursor = transfer_errors = ended_count = 0;
}

error_t transfer_attach(uint32_t pages) {
    if (swap_space.pages != 0) {
        return E_STATE;
    }
    uint32_t map_pages = PAGE_UP(SWAP_WORDS(pages) * 4) / PAGE_SIZE;
    if (pages == 0 || pages > UINT32_MAX >> 3 || map_pages > machine_window_pages(WINDOW_SWAP)) {
        return E_ARGUMENT;
    }
    for (uint32_t page = 0; page < map_pages; page++) {
        if (!framelist_window_map(WINDOW_SWAP, page)) {
            return E_MEMORY;
        }
    }
    swap_init(&swap_space, machine_window(WINDOW_SWAP), pages);
    return OK;
}

static uint32_t page_reclaim(void) {
    for (uint32_t i = 1; i < framelist_count; i++) {
        reclaim_cursor = reclaim_cursor + 1 < framelist_count ? reclaim_cursor + 1 : 1;
        struct frame_record *frame = framelist_at(reclaim_cursor);
        uint32_t page = frame->store;
        if (frame->state == FRAME_RESIDENT && !frame->busy && page != SWAP_NONE) {
            frame->store = SWAP_NONE;
            frame->dirty = 1;
            return page;
        }
    }
    return SWAP_NONE;
}

int transfer_page_assign(struct frame_record *frame) {
    if (transfer_is_broken()) {
        return 0;
    }
    if (frame->store == SWAP_NONE) {
        frame->store = swap_take(&swap_space);
    }
    if (frame->store == SWAP_NONE && swap_space.pages > 0) {
        frame->store = page_reclaim();
    }
    return frame->store != SWAP_NONE;
}

void transfer_start(uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    frame->busy = 1;
    frame->next = 0;
    if (queue_first == 0) {
        queue_first = slot;
    } else {
        framelist_at(queue_last)->next = slot;
    }
    queue_last = slot;
    transfer_queued++;
    transfer_count++;
}

// The frames are pinned before the block server sees the requests.
void transfer_submit(void) {
    struct block_ring *ring = machine_ring();
    frame_t begun[RING_LENGTH];
    uint32_t count = 0;
    while (queue_first != 0 && submitted + count - collected < RING_LENGTH) {
        uint32_t slot = queue_first;
        struct frame_record *frame = framelist_at(slot);
        queue_first = frame->next;
        transfer_queued--;
        ring->request[(submitted + count) % RING_LENGTH] = (struct ring_request){
            slot, frame->state == FRAME_READING ? RING_READ : RING_WRITE, frame->store,
            frame->number};
        begun[count++] = frame->number;
    }
    if (count > 0) {
        machine_frames_pin(begun, count);
        submitted += count;
        __atomic_store_n(&ring->submitted, submitted, __ATOMIC_RELEASE);
        machine_ring_signal();
    }
}

uint32_t transfer_collect(error_t *error) {
    struct block_ring *ring = machine_ring();
    uint32_t completed = __atomic_load_n(&ring->completed, __ATOMIC_ACQUIRE);
    while (collected != completed && collected != submitted && ended_count < RING_LENGTH) {
        struct ring_completion done = ring->completion[collected % RING_LENGTH];
        __atomic_store_n(&ring->collected, ++collected, __ATOMIC_RELEASE);
        if (done.tag > 0 && done.tag < framelist_count && framelist_at(done.tag)->busy) {
            framelist_at(done.tag)->busy = 0;
            transfer_count--;
            ended[ended_count++] = framelist_at(done.tag)->number;
            *error = (error_t)done.error;
            return done.tag;
        }
    }
    if (ended_count > 0) {
        machine_frames_unpin(ended, ended_count);
        ended_count = 0;
    }
    return 0;
}

uint32_t transfer_check(void) {
    uint32_t busy = 0, queued = 0;
    for (uint32_t slot = 1; slot < framelist_count; slot++) {
        busy += framelist_at(slot)->busy;
    }
    for (uint32_t slot = queue_first; slot != 0 && queued <= framelist_count;
         slot = framelist_at(slot)->next) {
        queued++;
    }
    return (busy != transfer_count) + (queued != transfer_queued) +
           (submitted - collected > RING_LENGTH) +
           (transfer_count != transfer_queued + submitted - collected) + swap_check(&swap_space);
}
