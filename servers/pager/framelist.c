// SPDX-License-Identifier: MIT
#include "framelist.h"

#define BATCH 64u  // frames taken from the pool at a time

static uint32_t pages_ready, capacity;  // of WINDOW_FRAMES: mapped, and the slots they hold
uint32_t framelist_count, framelist_idle, framelist_free[2];

void framelist_init(void) {
    framelist_free[FRAMES_ZEROED] = framelist_free[FRAMES_OTHER] = 0;
    framelist_count = 1;
    framelist_idle = pages_ready = capacity = 0;
}

void framelist_release(uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    *frame = (struct frame_record){.number = frame->number, .next = framelist_free[FRAMES_OTHER]};
    framelist_free[FRAMES_OTHER] = slot;
    framelist_idle++;
}

// Records for more slots, kept in this frame. 0: there is no room for it.
static int records_extend(frame_t frame) {
    if (pages_ready == machine_window_pages(WINDOW_FRAMES) ||
        machine_window_map(WINDOW_FRAMES, pages_ready, frame << 8) != OK) {
        return 0;
    }
    capacity = ++pages_ready * PAGE_SIZE / (uint32_t)sizeof(struct frame_record);
    return 1;
}

static void frames_lose(const frame_t *batch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        (void)!machine_frame_return(batch[i]);  // if it fails the frame stays with the pool, unused
    }
}

// The pool's frames are zeroed. They are handed out in the order in which they came.
int framelist_grow(void) {
    frame_t batch[BATCH];
    uint32_t count = machine_frames_take(batch, BATCH), first = framelist_count, slot = first;
    for (uint32_t i = 0; i < count; i++) {
        if (slot < capacity) {
            *framelist_at(slot) =
                (struct frame_record){.number = batch[i], .next = slot + 1, .zeroed = 1};
            slot++;
        } else if (!records_extend(batch[i])) {
            frames_lose(batch + i, count - i);
            break;
        }
    }
    if (slot == first) {
        return 0;
    }
    framelist_at(slot - 1)->next = framelist_free[FRAMES_ZEROED];
    framelist_free[FRAMES_ZEROED] = first;
    framelist_idle += slot - first;
    framelist_count = slot;
    return 1;
}

uint32_t framelist_take_any(enum frame_wish wish) {
    if (framelist_idle == 0 && !framelist_grow()) {
        return 0;
    }
    return framelist_take(framelist_free[wish] != 0 ? wish : 1 - wish);
}

int framelist_window_map(enum window window, uint32_t page) {
    uint32_t slot = framelist_take(FRAMES_ZEROED);
    if (slot == 0) {
        return 0;
    }
    struct frame_record *frame = framelist_at(slot);
    if (machine_window_map(window, page, frame->number << 8 | (frame->zeroed ? 0 : FRAME_ZERO)) !=
        OK) {
        framelist_release(slot);
        return 0;
    }
    frame->state = FRAME_META;
    return 1;
}

static int is_soiled(const struct frame_record *frame) {
    return frame->state != FRAME_IDLE || frame->page != 0 || frame->store != 0 ||
           frame->mark != 0 || frame->domain != 0 || frame->mapped || frame->dirty || frame->busy ||
           frame->again || frame->ghost;
}

uint32_t framelist_check(void) {
    uint32_t broken = 0, listed = 0, idle = 0;
    for (uint32_t kind = 0; kind < 2; kind++) {
        for (uint32_t slot = framelist_free[kind]; slot != 0 && listed <= framelist_count;
             slot = framelist_at(slot)->next) {
            listed++;
            broken += is_soiled(framelist_at(slot));
            broken += framelist_at(slot)->zeroed != (kind == FRAMES_ZEROED);
        }
    }
    for (uint32_t slot = 1; slot < framelist_count; slot++) {
        idle += framelist_at(slot)->state == FRAME_IDLE;
    }
    return broken + (listed != framelist_idle) + (idle != framelist_idle);
}
