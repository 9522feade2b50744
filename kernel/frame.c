// SPDX-License-Identifier: MIT
#include "frame.h"
#include "panic.h"

struct frame_state frames;

void frame_init(struct frame *table, uint32_t *bitmap_storage, uint32_t count, uint32_t low_end) {
    frames = (struct frame_state){.table = table, .count = count, .low_end = low_end};
    bitmap_init(&frames.bitmap, bitmap_storage, count);
}

static void mark_free(frame_t frame) {
    frames.table[frame] = (struct frame){.type = FRAME_FREE};
    bitmap_set(&frames.bitmap, frame);
    frames.free++;
    frames.free_low += frame_is_low(frame);
}

static frame_t mark_taken(frame_t frame, enum frame_type type, uint16_t pool) {
    bitmap_clear(&frames.bitmap, frame);
    frames.free--;
    frames.free_low -= frame_is_low(frame);
    frames.table[frame] = (struct frame){.word = FRAME_WORD(type, pool)};
    return frame;
}

void frame_add(frame_t frame, enum frame_type type, uint16_t pool) {
    if (frames.table[frame].type == FRAME_ABSENT) {
        frames.total++;
        mark_free(frame);
    }
    if (type != FRAME_FREE && frames.table[frame].type == FRAME_FREE) {
        mark_taken(frame, type, pool);
    }
}

frame_t frame_take(enum frame_type type, uint16_t pool, bool promise) {
    bool low_to_spare = promise || frames.free_low > frames.promised;
    if (type == FRAME_USER) {
        frame_t frame = bitmap_highest(&frames.bitmap);
        if (frame == BITMAP_NONE || (frame_is_low(frame) && !low_to_spare)) {
            return FRAME_NONE;
        }
        return mark_taken(frame, type, pool);
    }
    frame_t frame = bitmap_lowest(&frames.bitmap);
    if (frame == BITMAP_NONE || !frame_is_low(frame) || !low_to_spare) {
        return FRAME_NONE;
    }
    return mark_taken(frame, type, pool);
}

frame_t frame_take_run(uint32_t count, uint16_t pool) {
    enum { STEPS = 4096 };  // bounds the search, not the memory searched: runs lie low at boot
    if (frames.free_low < frames.promised + count) {
        return FRAME_NONE;
    }
    frame_t first = bitmap_run(&frames.bitmap, count, frames.low_end, STEPS);
    if (first == BITMAP_NONE) {
        return FRAME_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        mark_taken(first + i, FRAME_USER, pool);
    }
    return first;
}

void frame_release(frame_t frame) {
    ASSERT(frames.table[frame].type > FRAME_FREE && frames.table[frame].maps == 0);
    mark_free(frame);
}
