// SPDX-License-Identifier: MIT
// What the kernel's pure parts (bitmap, frames, pools, kalloc, address spaces) need to run in a
// host process: memory that stands for RAM, and a panic that a test can expect.
#pragma once
#include "kernel/frame.h"
#include "kernel/kalloc.h"
#include "kernel/object.h"
#include "kernel/pool.h"
#include "tests/test.h"

#define HOST_FRAMES 1024u

// RAM of `count` frames, the first `kernel` of them the kernel's; the rest is the root pool's
// reservation. `low_end`: frames below are in reach of the kernel.
struct pool *machine_make(uint32_t count, uint32_t kernel, uint32_t low_end);
// The laws that join frame table, bitmap and pools, as check.c has them, without page tables.
void machine_check(void);
// Does the function end in a panic?
bool panics(void (*function)(void));

// A small generator of random numbers: the same on every host.
static inline uint32_t roll(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}
