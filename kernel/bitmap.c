// SPDX-License-Identifier: MIT
#include "bitmap.h"

static uint32_t words_for(uint32_t bits) {
    return (bits + 31) / 32;
}

uint32_t bitmap_words(uint32_t length) {
    uint32_t total = 0;
    uint32_t words = words_for(length);
    while (words > 1) {
        total += words;
        words = words_for(words);
    }
    return total + 1;
}

void bitmap_init(struct bitmap *bitmap, uint32_t *storage, uint32_t length) {
    bitmap->length = length;
    bitmap->levels = 0;
    uint32_t words = words_for(length);
    for (;;) {
        uint32_t level = bitmap->levels++;
        bitmap->level[level] = storage;
        bitmap->words[level] = words;
        for (uint32_t i = 0; i < words; i++) {
            storage[i] = 0;
        }
        storage += words;
        if (words <= 1) {
            return;
        }
        words = words_for(words);
    }
}

bool bitmap_get(const struct bitmap *bitmap, uint32_t item) {
    return bitmap->level[0][item / 32] >> item % 32 & 1;
}

void bitmap_set(struct bitmap *bitmap, uint32_t item) {
    for (uint32_t level = 0; level < bitmap->levels; level++) {
        uint32_t *word = &bitmap->level[level][item / 32];
        uint32_t before = *word;
        *word = before | 1u << item % 32;
        if (before != 0) {
            return;
        }
        item /= 32;
    }
}

void bitmap_clear(struct bitmap *bitmap, uint32_t item) {
    bitmap_clear_bits(bitmap, item / 32, 1u << item % 32);
}

void bitmap_clear_bits(struct bitmap *bitmap, uint32_t place, uint32_t bits) {
    for (uint32_t level = 0; level < bitmap->levels; level++) {
        uint32_t *word = &bitmap->level[level][place];
        *word &= ~bits;
        if (*word != 0) {
            return;
        }
        bits = 1u << place % 32;
        place /= 32;
    }
}

uint32_t bitmap_lowest(const struct bitmap *bitmap) {
    uint32_t item = 0;
    for (uint32_t level = bitmap->levels; level-- > 0;) {
        uint32_t word = bitmap->level[level][item];
        if (word == 0) {
            return BITMAP_NONE;
        }
        item = item * 32 + (uint32_t)__builtin_ctz(word);
    }
    return item;
}

uint32_t bitmap_highest(const struct bitmap *bitmap) {
    uint32_t item = 0;
    for (uint32_t level = bitmap->levels; level-- > 0;) {
        uint32_t word = bitmap->level[level][item];
        if (word == 0) {
            return BITMAP_NONE;
        }
        item = item * 32 + 31 - (uint32_t)__builtin_clz(word);
    }
    return item;
}

uint32_t bitmap_run(const struct bitmap *bitmap, uint32_t count, uint32_t end, uint32_t steps) {
    uint32_t start = bitmap_lowest(bitmap);
    uint32_t have = 0;
    end = MIN_OF(end, bitmap->length);
    for (uint32_t item = start; item < end && steps > 0; item++, steps--) {
        have = bitmap_get(bitmap, item) ? have + 1 : 0;
        if (have == count) {
            return item + 1 - count;
        }
    }
    return BITMAP_NONE;
}

bool bitmap_check(const struct bitmap *bitmap) {
    for (uint32_t level = 0; level + 1 < bitmap->levels; level++) {
        for (uint32_t i = 0; i < bitmap->words[level]; i++) {
            bool above = bitmap->level[level + 1][i / 32] >> i % 32 & 1;
            if (above != (bitmap->level[level][i] != 0)) {
                return false;
            }
        }
    }
    return true;
}
