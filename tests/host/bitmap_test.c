// SPDX-License-Identifier: MIT
// The multi-level bitmap against a plain array, at lengths around its words and levels.
#include <stdlib.h>
#include <string.h>
#include "kernel_host.h"

static const uint32_t lengths[] = {1, 2, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 32768, 32769};
enum { LENGTH_MAX = 32769 };

static uint32_t storage[LENGTH_MAX];
static bool model[LENGTH_MAX];
static struct bitmap bitmap;

static void start(uint32_t length) {
    CHECK(bitmap_words(length) <= ARRAY_LENGTH(storage));
    memset(storage, 0xff, sizeof storage);
    memset(model, 0, sizeof model);
    bitmap_init(&bitmap, storage, length);
}

static void same(uint32_t length) {
    uint32_t lowest = BITMAP_NONE, highest = BITMAP_NONE;
    for (uint32_t i = 0; i < length; i++) {
        CHECK(bitmap_get(&bitmap, i) == model[i]);
        if (model[i]) {
            lowest = MIN_OF(lowest, i);
            highest = i;
        }
    }
    CHECK_EQUAL(bitmap_lowest(&bitmap), lowest);
    CHECK_EQUAL(bitmap_highest(&bitmap), highest);
    CHECK(bitmap_check(&bitmap));
}

TEST(bitmap_model, "set, clear, lowest and highest agree with a plain array at all lengths") {
    uint32_t state = 1;
    for (uint32_t l = 0; l < ARRAY_LENGTH(lengths); l++) {
        start(lengths[l]);
        same(lengths[l]);
        for (uint32_t round = 0; round < 30; round++) {
            for (uint32_t i = 0; i < 50; i++) {
                uint32_t item = roll(&state) % lengths[l];
                model[item] = roll(&state) % 3 != 0;
                (model[item] ? bitmap_set : bitmap_clear)(&bitmap, item);
            }
            same(lengths[l]);
        }
        for (uint32_t i = 0; i < lengths[l]; i++) {
            bitmap_clear(&bitmap, i);
        }
        memset(model, 0, sizeof model);
        same(lengths[l]);
    }
}

TEST(bitmap_words_used, "the words asked for are the words used, no more") {
    for (uint32_t l = 0; l < ARRAY_LENGTH(lengths); l++) {
        uint32_t words = bitmap_words(lengths[l]);
        uint32_t *exact = malloc(words * sizeof(uint32_t));  // the sanitizer watches its ends
        bitmap_init(&bitmap, exact, lengths[l]);
        for (uint32_t i = 0; i < lengths[l]; i++) {
            bitmap_set(&bitmap, i);
        }
        CHECK_EQUAL(bitmap_highest(&bitmap), lengths[l] - 1);
        uint32_t used = 0;
        for (uint32_t level = 0; level < bitmap.levels; level++) {
            used += bitmap.words[level];
        }
        free(exact);
        CHECK_EQUAL(used, words);
        for (uint32_t bits = lengths[l], part = 0; part != 1; bits = part) {
            part = bits / 32 + (bits % 32 != 0);
            used -= part;
        }
        CHECK_EQUAL(used, 0);  // a bit of a level for each word of the level below it
    }
}

static uint32_t run_by_hand(uint32_t length, uint32_t count, uint32_t end) {
    for (uint32_t i = 0; i + count <= MIN_OF(length, end); i++) {
        uint32_t have = 0;
        while (have < count && model[i + have]) {
            have++;
        }
        if (have == count) {
            return i;
        }
    }
    return BITMAP_NONE;
}

TEST(bitmap_runs, "the first run of neighbours is found, below the limit, within the steps given") {
    uint32_t state = 7;
    enum { LENGTH = 400 };
    for (uint32_t round = 0; round < 200; round++) {
        start(LENGTH);
        for (uint32_t i = 0; i < LENGTH; i++) {
            if (roll(&state) % 8 != 0) {
                model[i] = true;
                bitmap_set(&bitmap, i);
            }
        }
        uint32_t count = 1 + roll(&state) % 20, end = roll(&state) % (LENGTH + 50);
        CHECK_EQUAL(bitmap_run(&bitmap, count, end, LENGTH), run_by_hand(LENGTH, count, end));
    }
    start(LENGTH);
    bitmap_set(&bitmap, 5);
    bitmap_set(&bitmap, 300);
    bitmap_set(&bitmap, 301);
    CHECK_EQUAL(bitmap_run(&bitmap, 2, LENGTH, 200), BITMAP_NONE);
    CHECK_EQUAL(bitmap_run(&bitmap, 2, LENGTH, 300), 300);
}

TEST(bitmap_check_fails, "bitmap_check finds a level that does not match the one below") {
    start(32768);
    bitmap_set(&bitmap, 20000);
    for (uint32_t level = 0; level + 1 < bitmap.levels; level++) {
        bitmap.level[level + 1][0] ^= 1;
        CHECK(!bitmap_check(&bitmap));
        bitmap.level[level + 1][0] ^= 1;
        CHECK(bitmap_check(&bitmap));
    }
}
