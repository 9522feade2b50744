// SPDX-License-Identifier: MIT
#include "framelist.h"

#define BATCH 64u  // frames taken from the pool at a time

static uint32_t free_first[2];  // by enum frame_wish: zeroed ones, others
static uint32_t pages_ready;    // of WINDOW_FRAMES, mapped
uint32_t framelist_count, framelist_idle;

void framelist_init(void) {
    free_first[FRAMES_ZEROED] = free_first[FRAMES_OTHER] = 0;
    framelist_count = 1;
    framelist_idle = pages_ready = 0;
}

static void list_push(uint32_t slot, enum frame_wish kind) {
    struct frame_record *frame = framelist_at(slot);
    frame->state = FRAME_IDLE;
    frame->zeroed = kind == FRAMES_ZEROED;
    frame->next = free_first[kind];
    free_first[kind] = slot;
    framelist_idle++;
}

void framelist_release(uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    *frame = (struct frame_record){.number = frame->number};
    list_push(slot, FRAMES_OTHER);
}

// Make sure that there is a record for one more slot, by using frames of the batch itself.
// Returns how many of the frames it used, or UINT32_MAX: there is no room for a record.
static uint32_t records_grow(const frame_t *batch, uint32_t count) {
    uint32_t used = 0;
    uint32_t end = (framelist_count + 1) * (uint32_t)sizeof(struct frame_record);
    while (pages_ready * PAGE_SIZE < end) {
        if (used == count || pages_ready == machine_window_pages(WINDOW_FRAMES) ||
            machine_window_map(WINDOW_FRAMES, pages_ready, batch[used]) != OK) {
            return UINT32_MAX;
        }
        pages_ready++;
        used++;
    }
    return used;
}

static void frames_lose(const frame_t *batch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        (void)!machine_frame_return(batch[i]);  // if it fails the frame stays with the pool, unused
    }
}

static int grow(void) {
    frame_t batch[BATCH];
    uint32_t count = machine_frames_take(batch, BATCH);
    uint32_t at = 0, first = framelist_count;
    while (at < count) {
        uint32_t used = records_grow(batch + at, count - at);
        if (used == UINT32_MAX) {
            frames_lose(batch + at, count - at);
            break;
        }
        at += used;
        if (at < count) {
            *framelist_at(framelist_count++) = (struct frame_record){.number = batch[at++]};
        }
    }
    for (uint32_t slot = framelist_count; slot-- > first;) {
        list_push(slot, FRAMES_ZEROED);
    }
    return framelist_count > first;
}

int framelist_available(void) {
    return framelist_idle > FRAMES_SPARE || grow();
}

uint32_t framelist_take(enum frame_wish wish) {
    if (framelist_idle == 0 && !grow()) {
        return 0;
    }
    enum frame_wish kind = free_first[wish] != 0 ? wish : 1 - wish;
    uint32_t slot = free_first[kind];
    free_first[kind] = framelist_at(slot)->next;
    framelist_idle--;
    return slot;
}

uint32_t framelist_check(void) {
    uint32_t broken = 0, listed = 0, idle = 0;
    for (uint32_t kind = 0; kind < 2; kind++) {
        for (uint32_t slot = free_first[kind]; slot != 0 && listed <= framelist_count;
             slot = framelist_at(slot)->next) {
            listed++;
            broken += framelist_at(slot)->state != FRAME_IDLE;
            broken += framelist_at(slot)->zeroed != (kind == FRAMES_ZEROED);
        }
    }
    for (uint32_t slot = 1; slot < framelist_count; slot++) {
        idle += framelist_at(slot)->state == FRAME_IDLE;
    }
    return broken + (listed != framelist_idle) + (idle != framelist_idle);
}
