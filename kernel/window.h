// SPDX-License-Identifier: MIT
// How the kernel reaches the contents of frames: low frames through the window at 3 GiB, frames
// above it through temporary maps. Frames are never touched otherwise.
#pragma once
#include "frame.h"
#include "layout.h"
#include "start.h"

#define WINDOW_FRAMES (896u * 256u)  // 896 MiB in 2 MiB pages

#ifdef __i386__
#define WINDOW_BASE LAYOUT_KERNEL
#else
extern char window_memory[];  // tests of the kernel's pure parts, built natively
#define WINDOW_BASE window_memory
#endif

static inline void *window_address(frame_t frame) {
    return (void *)((uintptr_t)WINDOW_BASE + ((uintptr_t)frame << PAGE_SHIFT));
}
static inline frame_t window_frame(const void *address) {
    return (frame_t)(((uintptr_t)address - (uintptr_t)WINDOW_BASE) >> PAGE_SHIFT);
}

// Fill a frame with zeros.
void window_zero(frame_t frame);
// Copy bytes first..end (0 <= first <= end <= 4096) and zero the rest of `to`.
void window_copy(frame_t to, frame_t from, uint32_t first, uint32_t end);
// Prepare the temporary maps; called once.
BOOT_TEXT void window_init(void);
