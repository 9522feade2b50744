// SPDX-License-Identifier: MIT
// The memory that a workload uses: pages that can be told apart and know how often they were written,
// a generator of numbers, and the end of the program if a page has other contents than it should.
#pragma once
#include <stdint.h>

// Takes `pages` pages from calloc(). The same seed gives the same numbers.
void memory_open(uint32_t pages, uint32_t seed);
// One reference: reads a word of the page and compares it; writes it anew if `write`.
void memory_use(uint32_t page, int write);
// Compares every page; returns a digest of all contents.
uint32_t memory_close(void);

// A number below `limit` (at least 1).
uint32_t memory_random(uint32_t limit);
// Spreads ranks 0 .. pages - 1 over the pages: each gets a page of its own.
uint32_t memory_spread(uint32_t rank, uint32_t pages);
// A table of so many numbers, beside the pages.
uint32_t *memory_side(uint32_t numbers);

// Fills the pages with numbers and sorts them, as often as `steps` passes over a page allow; compares
// order and sum. memory_close() sees the pages as never written after it.
void memory_sort(uint32_t pages, uint32_t steps);
