// SPDX-License-Identifier: MIT
// The frame table: where frames come from, what is promised, what may be given back.
#include "kernel_host.h"

enum { FRAMES = 512, KERNEL = 20, LOW = 256 };

TEST(frames_ends, "user frames come from the top, the kernel's from the bottom") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    uint16_t owner = pool_number(root);
    CHECK_EQUAL(frame_take(FRAME_USER, owner, false), FRAMES - 1);
    CHECK_EQUAL(frame_take(FRAME_USER, owner, false), FRAMES - 2);
    CHECK_EQUAL(frame_take(FRAME_OBJECT, owner, false), KERNEL + 1);
    CHECK_EQUAL(frame_take(FRAME_TABLE, owner, false), KERNEL + 2);
    CHECK_EQUAL(frames.free, FRAMES - 1 - KERNEL - 4);
}

TEST(frames_exhausted, "when all is taken nothing more is, and all of it can come back") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    uint32_t free = frames.free, taken = 0;
    while (frame_take(FRAME_USER, pool_number(root), false) != FRAME_NONE) {
        taken++;
    }
    CHECK_EQUAL(taken, free);
    CHECK_EQUAL(frame_take(FRAME_OBJECT, pool_number(root), false), FRAME_NONE);
    CHECK_EQUAL(frame_take_run(1, pool_number(root)), FRAME_NONE);
    for (frame_t frame = KERNEL + 1; frame < FRAMES; frame++) {
        frame_release(frame);
    }
    CHECK_EQUAL(frames.free, free);
    machine_check();
}

TEST(frames_high, "kernel objects never get a frame above the window") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    uint32_t taken = 0;
    for (frame_t frame; (frame = frame_take(FRAME_TABLE, pool_number(root), false)) != FRAME_NONE;) {
        CHECK(frame < LOW);
        taken++;
    }
    CHECK_EQUAL(taken, LOW - 1 - KERNEL);
    CHECK(frame_take(FRAME_USER, pool_number(root), false) != FRAME_NONE);
}

TEST(frames_promised, "low frames that are promised go only to whom they were promised") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    uint16_t owner = pool_number(root);
    frames.promised = 10;
    uint32_t taken = 0;
    while (frame_take(FRAME_OBJECT, owner, false) != FRAME_NONE) {
        taken++;
    }
    CHECK_EQUAL(taken, LOW - 1 - KERNEL - 10);
    CHECK_EQUAL(frame_take_run(1, owner), FRAME_NONE);
    while (frame_take(FRAME_USER, owner, false) != FRAME_NONE) {
    }
    CHECK_EQUAL(frames.free, 10);
    CHECK(frame_take(FRAME_OBJECT, owner, true) != FRAME_NONE);
}

TEST(frames_run, "a run is neighbouring, low, and leaves promises alone") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    uint16_t owner = pool_number(root);
    frame_t hole = frame_take(FRAME_OBJECT, owner, false);
    CHECK_EQUAL(frame_take_run(64, owner), hole + 1);
    frame_release(hole);
    CHECK_EQUAL(frame_take_run(2, owner), hole + 65);
    frames.promised = frames.free_low - 3;
    CHECK_EQUAL(frame_take_run(4, owner), FRAME_NONE);
    CHECK(frame_take_run(3, owner) != FRAME_NONE);
}

TEST(frames_boot, "a range named twice is counted once; the kernel's own stay the kernel's") {
    machine_make(FRAMES, KERNEL, LOW);
    CHECK_EQUAL(objects.used, 1);  // the root pool
    uint32_t total = frames.total, free = frames.free;
    frame_add(5, FRAME_FREE, 0);
    frame_add(100, FRAME_FREE, 0);
    CHECK_EQUAL(frames.total, total);
    CHECK_EQUAL(frames.free, free);
    CHECK_EQUAL(frame_entry(5)->type, FRAME_KERNEL);
    machine_check();
}

static void release_free(void) {
    frame_release(100);
}
static void release_mapped(void) {
    frame_entry(101)->maps = 1;
    frame_release(101);
}
static void release_pinned(void) {
    frame_entry(102)->maps = FRAME_PIN;
    frame_release(102);
}

TEST(frames_release_wrong, "a frame that is free, mapped or pinned is never released: a panic") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    while (frame_take(FRAME_USER, pool_number(root), false) != FRAME_NONE) {
    }
    frame_release(100);
    CHECK(panics(release_free));
    CHECK(panics(release_mapped));
    CHECK(panics(release_pinned));
}

TEST(frames_owned, "a number from outside is a frame of the pool only if it says so in the table") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    frame_t frame = frame_take(FRAME_USER, pool_number(root), false);
    CHECK(pool_owns(root, frame));
    CHECK(!pool_owns(pool_split(root, 1, 0, 1), frame));
    CHECK(!pool_owns(root, KERNEL));
    CHECK(!pool_owns(root, 0));
    CHECK(!pool_owns(root, frame - 1));
    CHECK(!pool_owns(root, FRAMES));
    CHECK(!pool_owns(root, UINT32_MAX));
}

TEST(frames_some, "frames taken together are those that would have been taken one by one") {
    for (uint32_t most = 1; most <= 40; most += 13) {
        struct pool *root = machine_make(FRAMES, KERNEL, LOW);
        uint16_t owner = pool_number(root);
        frames.promised = 10;
        frame_release(frame_take(FRAME_USER, owner, false));
        frame_t expected = FRAMES - 1;
        uint32_t taken;
        for (;;) {
            frame_t first = frame_take_some(most, owner, &taken);
            if (taken == 0) {
                break;
            }
            CHECK((uint32_t)__builtin_popcount(taken) <= most);
            for (uint32_t bit = 32; bit-- > 0;) {
                if (taken >> bit & 1) {
                    CHECK_EQUAL(first + bit, expected);
                    CHECK(pool_owns(root, expected--));
                }
            }
        }
        CHECK_EQUAL(frames.free, 10);  // those that are promised stay
        CHECK_EQUAL(frames.free_low, 10);
        frames.promised = 0;
        while ((void)frame_take_some(32, owner, &taken), taken != 0) {
        }
        CHECK_EQUAL(frames.free, 0);
        for (frame_t frame = KERNEL + 1; frame < FRAMES; frame++) {
            frame_release(frame);
        }
        machine_check();
    }
}
