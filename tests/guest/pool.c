// SPDX-License-Identifier: MIT
// Pools: what they reserve for whom, how deep they lie in each other, and that all they pay for can
// be taken back.
#include "world.h"

enum { A = SLOT_TEST + 10, B, C, D };

TEST(pool_objects, "a pool gets the objects it reserved, whatever others take, and not one more") {
    struct pool_info_out info;
    world_begin();
    CHECK_EQUAL(pool_info(POOL, &info), OK);
    uint32_t room = info.objects_reserved - info.objects - info.objects_split;
    CHECK_EQUAL(pool_create(POOL, A, 10, 0, room), E_MEMORY);  // its own object takes one
    CHECK_EQUAL(pool_create(POOL, A, 10, 0, UINT32_MAX), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 10, 0, 5), OK);
    CHECK_EQUAL(pool_create(POOL, B, 40, 0, 50), OK);
    CHECK_EQUAL(pool_create(HANDLE(A), C, 1, 0, 5), E_MEMORY);
    uint32_t taken = 0;
    error_t error;
    while ((error = pool_event_create(HANDLE(B), C)) == OK) {
        CHECK_EQUAL(task_handle_drop(TASK, C), OK);
        taken++;
    }
    CHECK_EQUAL(error, E_MEMORY);
    CHECK_EQUAL(taken, 50);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK_EQUAL(pool_timer_create(HANDLE(A), D + i), OK);
    }
    CHECK_EQUAL(pool_timer_create(HANDLE(A), D + 5), E_MEMORY);
    CHECK_EQUAL(timer_destroy(HANDLE(D)), OK);
    CHECK_EQUAL(pool_task_create(HANDLE(A), D, 5, 5, 50), OK);
    CHECK_EQUAL(task_thread_create(HANDLE(D), D + 5, LAYOUT_BUFFER, 5), E_MEMORY);
    for (uint32_t i = A; i <= B; i++) {
        struct pool_reap_out out = {1};
        while (out.left) {
            CHECK_EQUAL(pool_reap(HANDLE(i), &out), OK);
        }
        CHECK_EQUAL(pool_info(HANDLE(i), &info), OK);
        CHECK_EQUAL(info.objects, 0);
        CHECK_EQUAL(pool_destroy(HANDLE(i)), OK);
    }
    world_end();
}

TEST(pool_depth, "pools lie in pools to a limit, and all of them can be reaped from the top") {
    enum { DEPTH_MAX = 32 };
    uint32_t depth = 0;
    error_t error = OK;
    world_begin();
    CHECK_EQUAL(pool_create(POOL, A, 200, 0, 100), OK);
    while (depth < DEPTH_MAX && error == OK) {
        depth++;
        error = pool_create(HANDLE(A + depth - 1), A + depth, 200 - 3 * depth, 0, 100 - 2 * depth);
    }
    CHECK_EQUAL(error, E_LIMIT);
    struct pool_reap_out out = {1};
    while (out.left) {
        CHECK_EQUAL(pool_reap(HANDLE(A), &out), OK);
    }
    CHECK_EQUAL(pool_destroy(HANDLE(A)), OK);
    CHECK(slot_empty(A + 1) && slot_empty(A + depth - 1));
    world_end();
}

TEST(pools, "a pool's reservation comes from its parent and returns; what is in use stays") {
    struct pool_info_out info, before;
    world_begin();
    CHECK_EQUAL(pool_info(POOL, &before), OK);
    uint32_t room = before.reserved - before.used - before.split;
    CHECK_EQUAL(pool_create(POOL, A, room + 1, 0, 8), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, UINT32_MAX, 0, 8), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 10, 11, 8), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 10, UINT32_MAX, 8), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 100, 50, 20), OK);
    CHECK_EQUAL(pool_create(HANDLE(A), B, 101, 0, 8), E_MEMORY);
    CHECK_EQUAL(pool_create(HANDLE(A), B, 50, 0, 8), OK);
    CHECK_EQUAL(pool_info(HANDLE(A), &info), OK);
    CHECK_EQUAL(info.split, 50);
    CHECK_EQUAL(info.low_reserved, 50);
    CHECK_EQUAL(pool_destroy(HANDLE(A)), E_STATE);
    CHECK_EQUAL(pool_event_create(HANDLE(B), C), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(B)), E_STATE);
    CHECK_EQUAL(event_destroy(HANDLE(C)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(B)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(pool_destroy(POOL), E_STATE);
    CHECK_EQUAL(pool_info(POOL, &info), OK);
    CHECK_EQUAL(info.split, before.split);
    world_end();
}

static void reap(handle_t pool) {
    struct pool_reap_out out = {1};
    while (out.left) {
        CHECK_EQUAL(pool_reap(pool, &out), OK);
    }
}

TEST(reap, "all that a pool pays for can be ended, though nobody has a handle to it any more") {
    struct pool_reap_out out;
    struct pool_frames_alloc_out frames;
    world_begin();
    CHECK_EQUAL(pool_reap(POOL, &out), E_STATE);
    handle_t pool = pool_make(A, 200);
    CHECK_EQUAL(pool_create(pool, B, 60, 0, 16), OK);
    CHECK_EQUAL(pool_create(HANDLE(B), C, 10, 5, 4), OK);
    for (uint32_t slot = D; slot < D + 20; slot += 5) {
        handle_t payer = slot == D ? HANDLE(B) : pool;
        CHECK_EQUAL(pool_event_create(payer, slot), OK);
        CHECK_EQUAL(pool_timer_create(payer, slot + 1), OK);
        CHECK_EQUAL(timer_set(HANDLE(slot + 1), UINT32_MAX, 100, HANDLE(slot), 1), OK);
        CHECK_EQUAL(pool_port_create(payer, slot + 2, 25), OK);
        CHECK_EQUAL(pool_task_create(payer, slot + 3, 5, 5, 50), OK);
        CHECK_EQUAL(task_thread_create(HANDLE(slot + 3), slot + 4, LAYOUT_BUFFER, 5), OK);
        CHECK_EQUAL(pool_frames_alloc(payer, 3, 0, &frames), OK);
    }
    CHECK_EQUAL(pool_frames_alloc(HANDLE(C), 3, 0, &frames), OK);
    for (uint32_t slot = B; slot < D + 20; slot++) {
        CHECK_EQUAL(task_handle_drop(TASK, slot), OK);
    }
    reap(pool);
    CHECK_EQUAL(pool_used(pool), 0);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(reap_behind, "frames that a pool gets while it is reaped are found in another search") {
    struct pool_reap_out out;
    struct pool_frames_alloc_out frames;
    world_begin();
    handle_t pool = pool_make(A, 20);
    CHECK_EQUAL(pool_create(pool, B, 10, 0, 0), OK);
    CHECK_EQUAL(pool_frames_alloc(HANDLE(B), 1, FRAMES_ANY, &frames), OK);  // from the top
    CHECK_EQUAL(pool_reap(HANDLE(B), &out), OK);
    CHECK(out.left);  // the search goes from the bottom, in slices
    CHECK_EQUAL(pool_frames_alloc(HANDLE(B), 1, FRAMES_LOW, &frames), OK);
    reap(pool);  // the child ends with it
    CHECK_EQUAL(pool_used(pool), 0);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(reap_waiting, "reaping wakes who waits at a port of the pool, and frees frames given to it") {
    world_begin();
    handle_t pool = pool_make(A, 60);
    CHECK_EQUAL(pool_port_create(pool, B, 25), OK);
    struct actor *waiter = task_make(POOL, 10, actor_receives);
    actor_give(waiter, HANDLE(B), 0, RIGHT_RECEIVE, 0);
    actor_start(waiter, 0);
    CHECK(!actor_finished(waiter));
    reap(pool);
    actor_wait(waiter);
    struct pool_frames_give_out given;
    frame_t frame = frame_get();
    message_buffer()->list[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &given), OK);
    struct actor *holder = task_make(pool, 10, actor_receives);
    CHECK_EQUAL(map_one(holder->task, 0x60000000, MAP_READ, frame), E_OWNER);
    actor_end(holder);
    reap(pool);
    reap(pool);  // once more, with nothing to do
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}
