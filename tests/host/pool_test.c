// SPDX-License-Identifier: MIT
// Pools: sums of reservations, promises of low frames, nobody starves another.
#include "kernel_host.h"
#include "kernel/window.h"

enum { FRAMES = 512, KERNEL = 20, LOW = 256, POOLS = 8 };

TEST(pool_split_wrong, "more than the parent has, or than there is of low memory, is refused") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    CHECK(pool_split(root, root->reserved + 1, 0, 20) == NULL);
    CHECK(pool_split(root, UINT32_MAX, 0, 20) == NULL);
    CHECK(pool_split(root, 10, 11, 20) == NULL);
    CHECK(pool_split(root, 10, UINT32_MAX, 20) == NULL);
    CHECK(pool_split(root, LOW, frames.free_low + 1, 20) == NULL);
    CHECK(pool_split(root, root->reserved, 0, 20) == NULL);  // its own object takes a frame
    machine_check();
    CHECK_EQUAL(root->used, 0);
}

TEST(pool_split_edge, "a split that its own object makes too big leaves no broken promise") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    CHECK(pool_split(root, frames.free_low, frames.free_low, 20) == NULL);
    machine_check();
    struct pool *child = pool_split(root, frames.free_low - 1, frames.free_low - 1, 20);
    CHECK(child != NULL);
    machine_check();
    CHECK_EQUAL(pool_end(child), OK);
    machine_check();
}

TEST(pool_end_wrong, "a pool ends only when it owns nothing; the root never") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    struct pool *child = pool_split(root, 50, 10, 20);
    struct pool *grandchild = pool_split(child, 20, 5, 10);
    CHECK_EQUAL(pool_end(root), E_STATE);
    CHECK_EQUAL(pool_end(child), E_STATE);
    frame_t frame = pool_take(grandchild, FRAME_USER);
    CHECK_EQUAL(pool_end(grandchild), E_STATE);
    pool_release(grandchild, frame);
    CHECK_EQUAL(pool_end(grandchild), OK);
    CHECK_EQUAL(pool_end(child), OK);
    CHECK_EQUAL(root->used, 0);
    CHECK_EQUAL(root->split, 0);
    machine_check();
}

TEST(pool_no_starving, "whatever the others take, a pool gets all it reserved, low frames too") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    struct pool *saver = pool_split(root, 100, 30, 20), *glutton = pool_split(root, 300, 0, 20);
    CHECK(saver != NULL && glutton != NULL);
    while (pool_take(glutton, FRAME_TABLE) != FRAME_NONE) {
    }
    while (pool_take(glutton, FRAME_USER) != FRAME_NONE) {
    }
    while (pool_take(root, FRAME_OBJECT) != FRAME_NONE || pool_take(root, FRAME_USER) != FRAME_NONE) {
    }
    machine_check();
    for (uint32_t i = 0; i < 30; i++) {
        CHECK(pool_take(saver, FRAME_OBJECT) != FRAME_NONE);
    }
    for (uint32_t i = 30; i < 100; i++) {
        CHECK(pool_take(saver, FRAME_USER) != FRAME_NONE);
    }
    CHECK_EQUAL(pool_take(saver, FRAME_USER), FRAME_NONE);
    machine_check();
}

TEST(pool_move_limits, "moved frames count for the target, within its reservation") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    struct pool *child = pool_split(root, 2, 0, 20);
    frame_t frame[3];
    for (uint32_t i = 0; i < 3; i++) {
        frame[i] = pool_take(root, FRAME_USER);
    }
    CHECK_EQUAL(pool_move(root, child, frame[0]), OK);
    CHECK_EQUAL(pool_move(root, child, frame[1]), OK);
    CHECK_EQUAL(pool_move(root, child, frame[2]), E_MEMORY);
    CHECK(pool_of(frame[1]) == child && pool_of(frame[2]) == root);
    machine_check();
}

TEST(pool_zeroed, "every frame comes zeroed") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    frame_t frame = pool_take(root, FRAME_OBJECT);
    const uint32_t *word = window_address(frame);
    for (uint32_t i = 0; i < PAGE_SIZE / 4; i++) {
        CHECK_EQUAL(word[i], 0);
    }
}

// A random life of eight pools, the laws checked after each step.
TEST(pool_random, "2,000 random steps of splitting, taking, releasing, moving and ending keep the laws") {
    struct pool *root = machine_make(FRAMES, KERNEL, LOW);
    struct pool *pool[POOLS] = {root};
    uint32_t state = 42;
    for (uint32_t step = 0; step < 2000; step++) {
        uint32_t a = roll(&state) % POOLS, b = roll(&state) % POOLS;
        frame_t frame = 1 + roll(&state) % (FRAMES - 1);
        struct pool *owner = frame_entry(frame)->pool == 0 ? NULL : pool_of(frame);
        bool user = frame_entry(frame)->type == FRAME_USER;
        switch (roll(&state) % 6) {
        case 0:
            if (pool[a] != NULL && pool[b] == NULL) {
                pool[b] = pool_split(pool[a], roll(&state) % 80, roll(&state) % 30,
                                     roll(&state) % 40);
            }
            break;
        case 1:
        case 2:
            if (pool[a] != NULL) {
                (void)pool_take(pool[a], FRAME_USER);
            }
            break;
        case 3:
        case 4:
            if (owner != NULL && user) {
                pool_release(owner, frame);
            }
            break;
        default:
            if (owner != NULL && user && pool[b] != NULL && pool[b] != owner) {
                (void)pool_move(owner, pool[b], frame);
            } else if (pool[a] != NULL && pool_end(pool[a]) == OK) {
                pool[a] = NULL;
            }
        }
        machine_check();
    }
}
