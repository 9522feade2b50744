// SPDX-License-Identifier: MIT
// Frames that the kernel's window does not reach, and past 4 GiB: counted, handed out first, mapped,
// copied, zeroed. Needs more than 1 GiB; touches a few of it.
#include "kept.h"

#define PAGE KEPT_PAGE
#define WINDOW_END (896u * 256u)  // in frames
#define PAST_4_GIB (1u << 20)

static uint32_t total(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info.frames_total;
}

static volatile uint32_t *word(uint32_t page, uint32_t at) {
    return (volatile uint32_t *)(PAGE + page * PAGE_SIZE) + at;
}

static uint32_t sample(uint32_t page, uint32_t at) {
    return 0x9e3779b9u * (page * 1024 + at + 1);
}

static void fill(uint32_t pages) {
    kept_map(pages, MAP_READ | MAP_WRITE);
    for (uint32_t page = 0; page < pages; page++) {
        for (uint32_t at = 0; at < PAGE_SIZE / 4; at++) {
            *word(page, at) = sample(page, at);
        }
    }
    kept_unmap(pages);
}

// Words of a kept page that are not those of sample page `of` before `end`, and 0 after.
static uint32_t wrong_words(uint32_t page, uint32_t of, uint32_t end) {
    uint32_t wrong = 0;
    kept_map(page + 1, MAP_READ);
    for (uint32_t at = 0; at < PAGE_SIZE / 4; at++) {
        wrong += *word(page, at) != (at < end ? sample(of, at) : 0);
    }
    kept_unmap(page + 1);
    return wrong;
}

TEST(high_first, "user frames come from the top of RAM, however far up that is; low ones on request") {
    if (total() < 2 * WINDOW_END) {
        SKIP("the machine has too little memory");
    }
    world_begin();
    kept_take(POOL, 40, 0);
    for (uint32_t i = 0; i < 40; i++) {
        CHECK(ITEM_FRAME(kept[i]) >= (total() > PAST_4_GIB ? PAST_4_GIB : WINDOW_END));
    }
    kept_back(POOL, 40);
    kept_take(POOL, 4, FRAMES_LOW);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(ITEM_FRAME(kept[i]) < WINDOW_END);
    }
    kept_back(POOL, 4);
    world_end();
}

TEST(high_refused, "frames past the end of RAM are nobody's") {
    struct pool_frames_free_out out;
    world_begin();
    frame_t frame = frame_get();
    for (uint32_t past = 1u << 23; past >= 1u << 21; past /= 2) {
        CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, past * 2 - 1), E_OWNER);
        CHECK_EQUAL(pool_frame_zero(POOL, past * 2 - 1), E_OWNER);
        CHECK_EQUAL(pool_frame_copy(POOL, past * 2 - 1, frame, POOL, 0, 4), E_OWNER);
        CHECK_EQUAL(pool_frame_copy(POOL, frame, past * 2 - 1, POOL, 0, 4), E_OWNER);
        list()[0] = (struct map_item){0, (past * 2 - 1) << 8};
        CHECK_EQUAL(pool_frames_free(POOL, 1, &out), E_OWNER);
    }
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, PAST_4_GIB - 1), E_OWNER);  // firmware's
    frame_put(frame);
    world_end();
}

TEST(high_zeroed, "high frames come zeroed, are zeroed on request, and when they are mapped so") {
    enum { PAGES = 32 };
    struct task_map_out out;
    world_begin();
    for (uint32_t round = 0; round < 2; round++) {
        kept_take(POOL, PAGES, 0);
        for (uint32_t page = 0; page < PAGES; page++) {
            CHECK_EQUAL(wrong_words(page, 0, 0), 0);
        }
        fill(PAGES);
        kept_back(POOL, PAGES);
    }
    kept_take(POOL, PAGES, 0);
    fill(PAGES);
    CHECK_EQUAL(pool_frame_zero(POOL, ITEM_FRAME(kept[1])), OK);
    CHECK_EQUAL(wrong_words(0, 0, 1024), 0);
    CHECK_EQUAL(wrong_words(1, 0, 0), 0);
    list()[0] = (struct map_item){PAGE | MAP_READ, kept[2].frame | FRAME_ZERO};
    list()[1] = (struct map_item){(PAGE + PAGE_SIZE) | MAP_READ, kept[3].frame};
    CHECK_EQUAL(task_map(TASK, 2, &out), OK);
    for (uint32_t at = 0; at < PAGE_SIZE / 4; at++) {
        CHECK(*word(0, at) == 0 && *word(1, at) == sample(3, at));
    }
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK_EQUAL(unmap_one(TASK, PAGE + PAGE_SIZE, NULL), OK);
    kept_back(POOL, PAGES);
    world_end();
}

// One temporary map serves all copies: an entry of an earlier one that is still cached would show
// here as the earlier page's words.
TEST(high_copied, "frames are copied between high and low memory, one after the other") {
    enum { PAGES = 8, LOW = 4 };
    world_begin();
    kept_take(POOL, LOW, FRAMES_LOW);
    struct map_item low[LOW];
    for (uint32_t i = 0; i < LOW; i++) {
        low[i] = kept[i];
    }
    kept_take(POOL, PAGES, 0);
    fill(PAGES);
    for (uint32_t i = 0; i < LOW; i++) {  // up and down through low memory
        CHECK_EQUAL(pool_frame_copy(POOL, ITEM_FRAME(low[i]), ITEM_FRAME(kept[i]), POOL, 0, 4096), OK);
    }
    for (uint32_t i = 0; i < LOW; i++) {
        CHECK_EQUAL(pool_frame_copy(POOL, ITEM_FRAME(kept[i]), ITEM_FRAME(low[LOW - 1 - i]), POOL, 0,
                                    2048), OK);
        CHECK_EQUAL(wrong_words(i, LOW - 1 - i, 512), 0);
    }
    for (uint32_t i = 0; i < LOW; i++) {  // and within high memory
        CHECK_EQUAL(pool_frame_copy(POOL, ITEM_FRAME(kept[i]), ITEM_FRAME(kept[LOW + i]), POOL, 0,
                                    4096), OK);
    }
    for (uint32_t i = 0; i < PAGES; i++) {
        CHECK_EQUAL(wrong_words(i, LOW + i % LOW, 1024), 0);
    }
    kept_back(POOL, PAGES);
    for (uint32_t i = 0; i < LOW; i++) {
        CHECK_EQUAL(free_one(POOL, ITEM_FRAME(low[i])), OK);
    }
    world_end();
}
