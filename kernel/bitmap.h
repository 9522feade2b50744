// SPDX-License-Identifier: MIT
// A multi-level bitmap: bit n of level 0 is item n; bit n of level k + 1 says whether word n of
// level k is not zero. Lowest, highest: O(levels). No ownership, no hardware: also built natively.
//   law: bit n of level k + 1 == (word n of level k != 0)         (bitmap_check)
#pragma once
#include <stdbool.h>
#include "start.h"
#include "types.h"

#define BITMAP_LEVELS 6
#define BITMAP_NONE UINT32_MAX

struct bitmap {
    uint32_t *level[BITMAP_LEVELS];
    uint32_t words[BITMAP_LEVELS];  // words of each level
    uint32_t levels;
    uint32_t length;  // items
};

// Words of storage that a bitmap of `length` items needs.
BOOT_TEXT uint32_t bitmap_words(uint32_t length);
// All bits clear; `storage` holds bitmap_words(length) words.
BOOT_TEXT void bitmap_init(struct bitmap *bitmap, uint32_t *storage, uint32_t length);
bool bitmap_get(const struct bitmap *bitmap, uint32_t item);
void bitmap_set(struct bitmap *bitmap, uint32_t item);
void bitmap_clear(struct bitmap *bitmap, uint32_t item);
// Clear several at once: `bits` of word `place` of level 0.
void bitmap_clear_bits(struct bitmap *bitmap, uint32_t place, uint32_t bits);
// Lowest or highest set item, BITMAP_NONE when all are clear.
uint32_t bitmap_lowest(const struct bitmap *bitmap);
uint32_t bitmap_highest(const struct bitmap *bitmap);
// First of `count` (1 to 512) neighbouring set items that all lie below `end`, from the bottom;
// looks at no more than `steps` items.
uint32_t bitmap_run(const struct bitmap *bitmap, uint32_t count, uint32_t end, uint32_t steps);
bool bitmap_check(const struct bitmap *bitmap);
