// SPDX-License-Identifier: MIT
// Memory for wired servers: frames of the server's own pool, mapped where the server wants them.
// Not for programs: those ask the pager.
#pragma once
#include "ipc.h"

// Take `pages` zeroed frames from HANDLE(SLOT_POOL) and map them for reading and writing from page
// address `at` on. flags: FRAMES_ANY, FRAMES_RUN (one physically contiguous run, of at most
// MEMORY_RUN_MAX pages), FRAMES_LOW. *first, unless NULL, becomes the number of the first frame.
// On an error nothing stays mapped and no frame is kept.
#define MEMORY_RUN_MAX 64u
__attribute__((warn_unused_result)) error_t memory_map(vaddr_t at, uint32_t pages, uint32_t flags,
                                                       frame_t *first);

// Unmap `pages` pages from `at` on and give their frames back to HANDLE(SLOT_POOL).
__attribute__((warn_unused_result)) error_t memory_unmap(vaddr_t at, uint32_t pages);
