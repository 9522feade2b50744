// SPDX-License-Identifier: MIT
// Frames by message: refusals, contents, accounts that balance, allocation failure at every point.
#include "kept.h"

#define PAGE KEPT_PAGE

TEST(frames_wrong, "frames_alloc refuses counts and flags out of range, and what the pool lacks") {
    struct pool_frames_alloc_out out;
    world_begin();
    const uint32_t counts[] = {0, LIST_MAX + 1, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        CHECK_EQUAL(pool_frames_alloc(POOL, counts[i], 0, &out), E_ARGUMENT);
    }
    CHECK_EQUAL(pool_frames_alloc(POOL, 1, 4, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_alloc(POOL, 1, UINT32_MAX, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_alloc(POOL, 65, FRAMES_RUN, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_alloc(TASK, 1, 0, &out), E_MESSAGE);
    CHECK_EQUAL(task_handle_give(TASK, POOL, SLOT_TEST + 1, RIGHT_ALL & ~RIGHT_ALLOCATE, 0), OK);
    CHECK_EQUAL(pool_frames_alloc(HANDLE(SLOT_TEST + 1), 1, 0, &out), E_RIGHT);
    handle_t pool = pool_make(SLOT_TEST, 3);
    CHECK_EQUAL(pool_frames_alloc(pool, 4, FRAMES_RUN, &out), E_MEMORY);
    CHECK_EQUAL(pool_frames_alloc(pool, 64, 0, &out), OK);
    CHECK_EQUAL(out.done, 3);  // as many as there are
    for (uint32_t i = 0; i < 3; i++) {
        kept[i] = (struct map_item){0, ITEM_FRAME(list()[i]) << 8};
    }
    CHECK_EQUAL(pool_frames_alloc(pool, 1, 0, &out), E_MEMORY);
    CHECK_EQUAL(pool_frames_alloc(pool, 1, FRAMES_LOW, &out), E_MEMORY);
    CHECK_EQUAL(pool_frames_alloc(pool, 1, FRAMES_RUN, &out), E_MEMORY);
    CHECK_EQUAL(pool_destroy(pool), E_STATE);
    kept_back(pool, 3);
    CHECK_EQUAL(pool_destroy(pool), OK);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 1), OK);
    world_end();
}

TEST(free_wrong, "frames_free takes only unmapped frames of the pool") {
    struct pool_frames_free_out out;
    world_begin();
    CHECK_EQUAL(pool_frames_free(POOL, 0, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_free(POOL, LIST_MAX + 1, &out), E_ARGUMENT);
    CHECK_EQUAL(free_one(POOL, 0), E_OWNER);
    CHECK_EQUAL(free_one(POOL, 0x100), E_OWNER);  // the kernel's first
    CHECK_EQUAL(free_one(POOL, 0xffffff), E_OWNER);
    handle_t pool = pool_make(SLOT_TEST, 4);
    frame_t frame = frame_get();
    CHECK_EQUAL(free_one(pool, frame), E_OWNER);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), OK);
    CHECK_EQUAL(free_one(POOL, frame), E_MAPPED);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK_EQUAL(free_one(POOL, frame), OK);
    CHECK_EQUAL(free_one(POOL, frame), E_OWNER);
    kept_take(POOL, 2, 0);
    list()[0] = kept[0];
    list()[1] = (struct map_item){0, 0x100 << 8};
    CHECK_EQUAL(pool_frames_free(POOL, 2, &out), E_OWNER);  // all or nothing
    kept_back(POOL, 2);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(frames_zero, "frames come zeroed, whoever used them before") {
    world_begin();
    for (uint32_t round = 0; round < 3; round++) {
        kept_take(POOL, 64, round == 1 ? FRAMES_RUN : round == 2 ? FRAMES_LOW : 0);
        kept_map(64, MAP_READ | MAP_WRITE);
        volatile uint32_t *word = (volatile uint32_t *)PAGE;
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < 64 * PAGE_SIZE / 4; i++) {
            wrong += word[i] != 0;
            word[i] = 0xdeadbeef;
        }
        CHECK_EQUAL(wrong, 0);
        kept_unmap(64);
        kept_back(POOL, 64);
    }
    world_end();
}

TEST(frames_run, "a run is neighbouring, and low where a device needs it") {
    world_begin();
    kept_take(POOL, 64, FRAMES_RUN);
    for (uint32_t i = 0; i < 64; i++) {
        CHECK_EQUAL(ITEM_FRAME(kept[i]), ITEM_FRAME(kept[0]) + i);
    }
    kept_back(POOL, 64);
    kept_take(POOL, 1, FRAMES_LOW);
    CHECK(ITEM_FRAME(kept[0]) < 896 * 256);
    kept_back(POOL, 1);
    world_end();
}

TEST(give, "frames_give moves unmapped frames with their contents, within both reservations") {
    struct pool_frames_give_out out;
    world_begin();
    handle_t pool = pool_make(SLOT_TEST, 2);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)PAGE = 77;
    list()[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &out), E_MAPPED);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    list()[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(POOL, 0, pool, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_give(POOL, LIST_MAX + 1, pool, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_give(POOL, 1, TASK, &out), E_TYPE);
    CHECK_EQUAL(pool_frames_give(POOL, 1, HANDLE(200), &out), E_HANDLE);
    CHECK_EQUAL(pool_frames_give(pool, 1, POOL, &out), E_OWNER);
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &out), OK);
    CHECK_EQUAL(pool_used(pool), 1);
    CHECK_EQUAL(free_one(POOL, frame), E_OWNER);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), E_OWNER);  // the task's own pool is POOL
    kept_take(POOL, 2, 0);
    list()[0] = kept[0];
    list()[1] = kept[1];
    CHECK_EQUAL(pool_frames_give(POOL, 2, pool, &out), E_MEMORY);
    CHECK_EQUAL(pool_used(pool), 1);
    list()[0] = kept[0];
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &out), OK);  // fits exactly
    list()[0] = kept[0];
    CHECK_EQUAL(pool_frames_give(pool, 1, POOL, &out), OK);
    kept_back(POOL, 2);
    list()[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(pool, 1, POOL, &out), OK);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), OK);
    CHECK_EQUAL(*(volatile uint32_t *)PAGE, 77);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK_EQUAL(pool_frame_zero(POOL, frame), OK);
    CHECK_EQUAL(pool_frame_zero(pool, frame), E_OWNER);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), OK);
    CHECK_EQUAL(*(volatile uint32_t *)PAGE, 0);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    frame_put(frame);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(copy, "frame_copy copies exactly the bytes asked for and zeroes the rest") {
    static const uint32_t ranges[][2] = {{0, 4096}, {0, 0}, {1, 2}, {3, 4093}, {4095, 4096},
                                         {2, 6}, {5, 9}, {100, 100}, {4, 4095}};
    world_begin();
    kept_take(POOL, 2, 0);
    frame_t to = ITEM_FRAME(kept[0]), from = ITEM_FRAME(kept[1]);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, POOL, 2, 1), E_ARGUMENT);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, POOL, 0, 4097), E_ARGUMENT);
    CHECK_EQUAL(pool_frame_copy(POOL, to, 0x100, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, 0x100, from, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, to, to, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, TASK, 0, 1), E_TYPE);
    CHECK_EQUAL(task_handle_give(TASK, POOL, SLOT_TEST, RIGHT_ALL & ~RIGHT_ACCESS, 0), OK);
    CHECK_EQUAL(pool_frame_copy(HANDLE(SLOT_TEST), to, from, POOL, 0, 1), E_RIGHT);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, HANDLE(SLOT_TEST), 0, 1), E_RIGHT);
    CHECK_EQUAL(pool_frame_zero(HANDLE(SLOT_TEST), to), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    kept_map(2, MAP_READ | MAP_WRITE);
    volatile uint8_t *target = (volatile uint8_t *)PAGE, *source = target + PAGE_SIZE;
    for (uint32_t i = 0; i < PAGE_SIZE; i++) {
        source[i] = (uint8_t)(i % 251 + 1);
    }
    for (uint32_t r = 0; r < ARRAY_LENGTH(ranges); r++) {
        for (uint32_t i = 0; i < PAGE_SIZE; i++) {
            target[i] = 0xff;
        }
        CHECK_EQUAL(pool_frame_copy(POOL, to, from, POOL, ranges[r][0], ranges[r][1]), OK);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < PAGE_SIZE; i++) {
            bool inside = i >= ranges[r][0] && i < ranges[r][1];
            wrong += target[i] != (inside ? (uint8_t)(i % 251 + 1) : 0);
        }
        CHECK_EQUAL(wrong, 0);
    }
    kept_unmap(2);
    kept_back(POOL, 2);
    world_end();
}

// --- allocation failure at every point -----------------------------------------------------------

static handle_t account;  // pool under test

static error_t make_task(void) {
    return pool_task_create(account, SLOT_TEST + 1, 5, 5, 50);
}
static error_t make_thread(void) {
    return task_thread_create(HANDLE(SLOT_TEST + 1), SLOT_TEST + 2, LAYOUT_BUFFER, 5);
}
static error_t make_map(void) {
    struct task_map_out out;
    for (uint32_t i = 0; i < 4; i++) {  // four pages, three gigabytes, four tables
        list()[i] = (struct map_item){(0x00400000u + i * 0x30000000u) | MAP_READ, kept[i].frame};
    }
    return task_map(HANDLE(SLOT_TEST + 1), 4, &out);
}
static error_t make_event(void) {
    return pool_event_create(account, SLOT_TEST + 3);
}
static error_t make_port(void) {
    return pool_port_create(account, SLOT_TEST + 4, 5);
}
static error_t make_timer(void) {
    return pool_timer_create(account, SLOT_TEST + 5);
}
static error_t make_pool(void) {
    return pool_create(account, SLOT_TEST + 6, 1, 0, 0);
}

static struct machine_info_out machine(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info;
}

// Try `make` with a reservation grown frame by frame until it succeeds: each failure is E_MEMORY
// and leaves everything as it was. The pool has grown when a new one of one frame more takes over.
static uint32_t frames_needed(error_t (*make)(void)) {
    for (uint32_t spare = 0;; spare++) {
        uint32_t used = pool_used(account);
        struct pool_info_out info;
        CHECK_EQUAL(pool_info(account, &info), OK);
        uint32_t block = info.reserved - info.used - info.split - spare;
        static struct map_item blocked[LIST_MAX];
        struct pool_frames_alloc_out taken;
        for (uint32_t have = 0; have < block; have += taken.done) {
            CHECK_EQUAL(pool_frames_alloc(account, block - have, 0, &taken), OK);
            for (uint32_t i = 0; i < taken.done; i++) {
                blocked[have + i] = list()[i];
            }
        }
        uint32_t objects = machine().objects, free = machine().frames_free;
        error_t error = make();
        bool same = machine().objects == objects && machine().frames_free == free &&
                    pool_used(account) == used + block;
        for (uint32_t gone = 0; gone < block; gone++) {
            CHECK_EQUAL(free_one(account, ITEM_FRAME(blocked[gone])), OK);
        }
        if (error == OK) {
            return spare;
        }
        CHECK_EQUAL(error, E_MEMORY);
        CHECK(same);
        CHECK(spare < 40);
    }
}

TEST(no_memory, "with too small a pool every creation fails with E_MEMORY and changes nothing") {
    struct task_destroy_out left;
    struct task_unmap_out out;
    struct pool_port_destroy_out waiting;
    world_begin();
    account = pool_make(SLOT_TEST, 60);
    kept_take(POOL, 4, 0);
    CHECK(frames_needed(make_task) >= 2);
    CHECK(frames_needed(make_thread) >= 3);
    CHECK(frames_needed(make_map) >= 5);
    (void)frames_needed(make_event);
    (void)frames_needed(make_port);
    (void)frames_needed(make_timer);
    CHECK(frames_needed(make_pool) >= 1);
    for (uint32_t i = 0; i < 4; i++) {
        list()[i] = (struct map_item){0x00400000u + i * 0x30000000u, 0};
    }
    CHECK_EQUAL(task_unmap(HANDLE(SLOT_TEST + 1), 4, &out), OK);
    do {
        CHECK_EQUAL(task_destroy(HANDLE(SLOT_TEST + 1), &left), OK);
    } while (left.left > 0);
    CHECK_EQUAL(event_destroy(HANDLE(SLOT_TEST + 3)), OK);
    CHECK_EQUAL(pool_port_destroy(account, HANDLE(SLOT_TEST + 4), &waiting), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(SLOT_TEST + 5)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(SLOT_TEST + 6)), OK);
    CHECK_EQUAL(pool_used(account), 0);
    CHECK_EQUAL(pool_destroy(account), OK);
    kept_back(POOL, 4);
    world_end();
}
