// SPDX-License-Identifier: MIT
#include "frame.h"
#include "cpu.h"
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

// How many low frames are not promised to a pool.
static uint32_t low_to_spare(void) {
    return frames.free_low - MIN_OF(frames.free_low, frames.promised);
}

frame_t frame_take(enum frame_type type, uint16_t pool, bool promise) {
    if (type == FRAME_USER) {
        uint32_t taken;
        frame_t first = frame_take_some(1, pool, &taken);
        return taken == 0 ? FRAME_NONE : first + bit_lowest(taken);
    }
    frame_t frame = bitmap_lowest(&frames.bitmap);
    if (frame == BITMAP_NONE || !frame_is_low(frame) || (!promise && low_to_spare() == 0)) {
        return FRAME_NONE;
    }
    return mark_taken(frame, type, pool);
}

frame_t frame_take_some(uint32_t most, uint16_t pool, uint32_t *taken) {
    *taken = 0;
    frame_t highest = bitmap_highest(&frames.bitmap);
    if (highest == BITMAP_NONE) {
        return 0;
    }
    bool low = frame_is_low(highest);  // so are all of its word: the window ends where a word does
    most = low ? MIN_OF(most, low_to_spare()) : most;
    uint32_t place = highest / 32, before = frames.bitmap.level[0][place];
    uint32_t left = before, count = 0;
    struct frame *first = frame_entry(place * 32);
    for (; count < most && left != 0; count++) {
        uint32_t bit = bit_highest(left);
        left &= ~(1u << bit);
        first[bit].word = FRAME_WORD(FRAME_USER, pool);  // what is free has no maps
    }
    *taken = before ^ left;
    bitmap_clear_bits(&frames.bitmap, place, *taken);
    frames.free -= count;
    frames.free_low -= low ? count : 0;
    return place * 32;
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
