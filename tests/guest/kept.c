// SPDX-License-Identifier: MIT
// Frames that a test holds: see kept.h.
#include "kept.h"

struct map_item kept[LIST_MAX];

void kept_take(handle_t pool, uint32_t count, uint32_t flags) {
    struct pool_frames_alloc_out out;
    for (uint32_t have = 0; have < count; have += out.done) {
        CHECK_EQUAL(pool_frames_alloc(pool, count - have, flags, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            kept[have + i] = (struct map_item){0, ITEM_FRAME(list()[i]) << 8};
        }
    }
}

void kept_back(handle_t pool, uint32_t count) {
    struct pool_frames_free_out out;
    for (uint32_t gone = 0; gone < count; gone += out.done) {
        for (uint32_t i = gone; i < count; i++) {
            list()[i - gone] = kept[i];
        }
        CHECK_EQUAL(pool_frames_free(pool, count - gone, &out), OK);
    }
}

error_t free_one(handle_t pool, frame_t frame) {
    struct pool_frames_free_out out;
    list()[0] = (struct map_item){0, frame << 8};
    return pool_frames_free(pool, 1, &out);
}

void kept_map(uint32_t count, uint32_t rights) {
    struct task_map_out out;
    for (uint32_t done = 0; done < count; done += out.done) {
        for (uint32_t i = done; i < count; i++) {
            list()[i - done] =
                (struct map_item){(KEPT_PAGE + i * PAGE_SIZE) | rights, kept[i].frame};
        }
        CHECK_EQUAL(task_map(TASK, count - done, &out), OK);
    }
}

void kept_unmap(uint32_t count) {
    struct task_unmap_out out;
    for (uint32_t done = 0; done < count; done += out.done) {
        for (uint32_t i = done; i < count; i++) {
            list()[i - done] = (struct map_item){KEPT_PAGE + i * PAGE_SIZE, 0};
        }
        CHECK_EQUAL(task_unmap(TASK, count - done, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            CHECK_EQUAL(ITEM_FRAME(list()[i]), ITEM_FRAME(kept[done + i]));
        }
    }
}
