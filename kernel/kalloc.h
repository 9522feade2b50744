// SPDX-License-Identifier: MIT
// Memory for kernel objects, charged to a pool: size classes of 32 to 2048 bytes in slabs of one
// frame. There is no other heap.
#pragma once
#include "pool.h"

// Zeroed memory, aligned to 16 bytes; NULL: the pool is exhausted. bytes: 1 to 2016.
void *kalloc(struct pool *pool, uint32_t bytes);
void kfree(struct pool *pool, void *memory);
// Fill what is freed, so that a use of it shows (with check=N, and in tests).
extern bool kalloc_poison;
// A whole zeroed frame of `type` in the kernel's window; NULL: exhausted.
void *kalloc_page(struct pool *pool, enum frame_type type);
void kfree_page(struct pool *pool, void *page);
