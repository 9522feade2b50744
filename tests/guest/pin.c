// SPDX-License-Identifier: MIT
// Frames held for a device, and lists of frames that leave a pool: whole or not at all up to 16, of
// longer ones the part before the first that is refused.
#include "kept.h"

#define PAGE KEPT_PAGE
enum { WHOLE = 16, LONG = 40 };  // lengths of lists

typedef error_t change(handle_t pool, uint32_t count, uint32_t *done);

static error_t pin(handle_t pool, uint32_t count, uint32_t *done) {
    struct pool_frames_pin_out out = {0};
    error_t error = pool_frames_pin(pool, count, &out);
    *done = out.done;
    return error;
}

static error_t unpin(handle_t pool, uint32_t count, uint32_t *done) {
    struct pool_frames_unpin_out out = {0};
    error_t error = pool_frames_unpin(pool, count, &out);
    *done = out.done;
    return error;
}

static error_t leave(handle_t pool, uint32_t count, uint32_t *done) {
    struct pool_frames_free_out out = {0};
    error_t error = pool_frames_free(pool, count, &out);
    *done = out.done;
    return error;
}

// To a pool with room for a hundred frames.
static error_t give(handle_t pool, uint32_t count, uint32_t *done) {
    struct pool_frames_give_out out = {0};
    error_t error = pool_frames_give(pool, count, HANDLE(SLOT_TEST), &out);
    *done = out.done;
    return error;
}

// The list: kept[first .. first + count).
static void listed(uint32_t first, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        list()[i] = kept[first + i];
    }
}

static error_t one(change *act, frame_t frame) {
    uint32_t done;
    list()[0] = (struct map_item){0, frame << 8};
    return act(POOL, 1, &done);
}

// Is each of kept[0 .. count) held so many times? Asked by unpinning; they are pinned again.
static bool held(uint32_t count, uint32_t times) {
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pins = 0;
        while (one(unpin, ITEM_FRAME(kept[i])) == OK) {
            pins++;
        }
        for (uint32_t again = 0; again < pins; again++) {
            CHECK_EQUAL(one(pin, ITEM_FRAME(kept[i])), OK);
        }
        wrong += pins != times;
    }
    return wrong == 0;
}

TEST(pin_wrong, "frames_pin and frames_unpin take only frames of the pool, and bounded lists") {
    static change *const acts[] = {pin, unpin};
    uint32_t done;
    world_begin();
    handle_t pool = pool_make(SLOT_TEST, 4);
    frame_t frame = frame_get();
    CHECK_EQUAL(task_handle_give(TASK, POOL, SLOT_TEST + 1, RIGHT_ALL & ~RIGHT_ALLOCATE, 0), OK);
    for (uint32_t i = 0; i < ARRAY_LENGTH(acts); i++) {
        CHECK_EQUAL(acts[i](POOL, 0, &done), E_ARGUMENT);
        CHECK_EQUAL(acts[i](POOL, LIST_MAX + 1, &done), E_ARGUMENT);
        CHECK_EQUAL(acts[i](TASK, 1, &done), E_MESSAGE);
        CHECK_EQUAL(acts[i](HANDLE(SLOT_TEST + 1), 1, &done), E_RIGHT);
        CHECK_EQUAL(one(acts[i], 0x100), E_OWNER);  // the kernel's first
        CHECK_EQUAL(one(acts[i], 0xffffff), E_OWNER);
        list()[0] = (struct map_item){0, frame << 8};
        CHECK_EQUAL(acts[i](pool, 1, &done), E_OWNER);
    }
    CHECK_EQUAL(one(unpin, frame), E_STATE);
    frame_put(frame);
    CHECK_EQUAL(one(pin, frame), E_OWNER);  // free by now
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 1), OK);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(pin_holds, "a pinned frame is neither freed nor given away, and lives on in all else") {
    world_begin();
    handle_t pool = pool_make(SLOT_TEST, 4);
    kept_take(POOL, 2, 0);
    frame_t frame = ITEM_FRAME(kept[0]);
    CHECK_EQUAL(one(pin, frame), OK);
    CHECK_EQUAL(one(leave, frame), E_MAPPED);
    CHECK_EQUAL(one(give, frame), E_MAPPED);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)PAGE = 77;
    CHECK_EQUAL(pool_frame_copy(POOL, ITEM_FRAME(kept[1]), frame, POOL, 0, PAGE_SIZE), OK);
    CHECK_EQUAL(pool_frame_zero(POOL, frame), OK);
    CHECK_EQUAL(*(volatile uint32_t *)PAGE, 0);
    CHECK_EQUAL(one(unpin, frame), OK);
    CHECK_EQUAL(one(leave, frame), E_MAPPED);  // it is mapped
    CHECK_EQUAL(one(pin, frame), OK);          // and may be pinned then
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK_EQUAL(one(leave, frame), E_MAPPED);
    CHECK_EQUAL(one(unpin, frame), OK);
    CHECK_EQUAL(one(unpin, frame), E_STATE);
    kept_back(POOL, 2);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(pin_counts, "pins are counted, up to the limit") {
    world_begin();
    kept_take(POOL, 1, 0);
    for (uint32_t i = 0; i < PINS_MAX; i++) {
        CHECK_EQUAL(one(pin, ITEM_FRAME(kept[0])), OK);
    }
    CHECK_EQUAL(one(pin, ITEM_FRAME(kept[0])), E_LIMIT);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, ITEM_FRAME(kept[0])), OK);
    CHECK_EQUAL(one(pin, ITEM_FRAME(kept[0])), E_LIMIT);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK(held(1, PINS_MAX));
    for (uint32_t i = 0; i < PINS_MAX; i++) {
        CHECK_EQUAL(one(leave, ITEM_FRAME(kept[0])), E_MAPPED);
        CHECK_EQUAL(one(unpin, ITEM_FRAME(kept[0])), OK);
    }
    CHECK_EQUAL(one(unpin, ITEM_FRAME(kept[0])), E_STATE);
    kept_back(POOL, 1);
    world_end();
}

// A list of `count` whose item `at` names the kernel's first frame.
static error_t with_bad(change *act, uint32_t count, uint32_t at, uint32_t *done) {
    listed(0, count);
    list()[at].frame = 0x100 << 8;
    return act(POOL, count, done);
}

TEST(pin_lists, "a short list is pinned whole or not at all, a long one up to what is refused") {
    uint32_t done;
    world_begin();
    kept_take(POOL, LONG, 0);
    CHECK_EQUAL(with_bad(pin, WHOLE, WHOLE - 1, &done), E_OWNER);
    CHECK(held(LONG, 0));
    CHECK_EQUAL(with_bad(pin, LONG, 0, &done), E_OWNER);
    CHECK(held(LONG, 0));
    for (uint32_t i = 0; i < WHOLE; i++) {
        list()[i] = kept[0];
    }
    CHECK_EQUAL(pin(POOL, WHOLE, &done), E_LIMIT);  // one too many, named in one list
    CHECK(held(1, 0));
    CHECK_EQUAL(with_bad(pin, LONG, 20, &done), OK);
    CHECK_EQUAL(done, 20);
    CHECK(held(20, 1));
    listed(20, LONG - 20);
    CHECK_EQUAL(pin(POOL, LONG - 20, &done), OK);
    CHECK_EQUAL(done, LONG - 20);
    CHECK_EQUAL(with_bad(unpin, WHOLE, 3, &done), E_OWNER);
    CHECK(held(LONG, 1));
    listed(0, WHOLE);
    list()[WHOLE - 1] = kept[0];
    CHECK_EQUAL(unpin(POOL, WHOLE, &done), E_STATE);  // it is pinned only once
    CHECK(held(LONG, 1));
    listed(0, LONG);
    CHECK_EQUAL(unpin(POOL, LONG, &done), OK);
    CHECK_EQUAL(done, LONG);
    CHECK(held(LONG, 0));
    kept_back(POOL, LONG);
    world_end();
}

TEST(pin_end, "a pool with pinned frames is not destroyed; who reaps it ends the pins") {
    struct pool_reap_out out = {1};
    uint32_t done;
    world_begin();
    uint32_t before = frames_free();
    handle_t pool = pool_make(SLOT_TEST, 8);
    kept_take(pool, 3, 0);
    for (uint32_t times = 0; times < 2; times++) {
        listed(0, 3);
        CHECK_EQUAL(pin(pool, 3, &done), OK);
    }
    CHECK_EQUAL(pool_destroy(pool), E_STATE);
    for (uint32_t slices = 0; out.left > 0 && slices < 10000; slices++) {
        CHECK_EQUAL(pool_reap(pool, &out), OK);
    }
    CHECK_EQUAL(pool_used(pool), 0);
    CHECK_EQUAL(pool_destroy(pool), OK);
    CHECK_EQUAL(frames_free(), before);
    world_end();
}

// `act` takes frames away: a frame named twice is refused like one that is not there.
static void each_once(change *act) {
    uint32_t done, used = pool_used(POOL);
    struct pool_frames_give_out back;
    listed(0, WHOLE);
    list()[WHOLE - 1] = kept[0];
    CHECK_EQUAL(act(POOL, WHOLE, &done), E_MAPPED);
    list()[0] = list()[1] = kept[1];
    CHECK_EQUAL(act(POOL, 2, &done), E_MAPPED);
    CHECK_EQUAL(with_bad(act, WHOLE, WHOLE - 1, &done), E_OWNER);
    CHECK_EQUAL(with_bad(act, LONG, 0, &done), E_OWNER);
    CHECK_EQUAL(pool_used(POOL), used);
    CHECK(held(LONG, 0));
    listed(0, LONG);
    list()[20] = kept[19];
    CHECK_EQUAL(act(POOL, LONG, &done), OK);
    CHECK_EQUAL(done, 20);
    CHECK_EQUAL(pool_used(POOL), used - 20);
    listed(19, LONG - 19);
    CHECK_EQUAL(act(POOL, LONG - 19, &done), E_OWNER);  // it is not there any more
    listed(20, LONG - 20);
    CHECK_EQUAL(act(POOL, LONG - 20, &done), OK);
    CHECK_EQUAL(done, LONG - 20);
    CHECK_EQUAL(pool_used(POOL), used - LONG);
    if (act == give) {
        listed(0, LONG);
        CHECK_EQUAL(pool_frames_give(HANDLE(SLOT_TEST), LONG, POOL, &back), OK);
        CHECK_EQUAL(back.done, LONG);
    }
}

TEST(leave_once, "a frame named twice in a list is not freed or given, and stops a long list") {
    world_begin();
    handle_t pool = pool_make(SLOT_TEST, 100);
    kept_take(POOL, LONG, 0);
    each_once(give);
    each_once(leave);
    CHECK_EQUAL(pool_used(pool), 0);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}
