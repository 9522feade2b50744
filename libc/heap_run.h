// SPDX-License-Identifier: MIT
// Runs of pages under the heap: taking, giving back, splitting, joining. Private to the heap.
#pragma once
#include "heap.h"

// A run of exactly `pages` pages whose start is a multiple of `alignment` (a power of two, at
// least a page), or NULL. dirty_pages is 0 if all of it is known to be zeros.
struct span *run_take(struct heap *heap, uint32_t pages, size_t alignment);
void run_give(struct heap *heap, struct span *span);
// Lengthen or shorten a run in use without moving it. False: there is no room behind it.
bool run_resize(struct heap *heap, struct span *span, uint32_t pages);
// Let the source forget all free pages that may hold something.
void run_purge(struct heap *heap);

static inline uint32_t run_bin(uint32_t pages) {
    return pages < HEAP_BINS ? pages : HEAP_BINS - 1;
}
