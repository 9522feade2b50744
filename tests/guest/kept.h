// SPDX-License-Identifier: MIT
// Frames that a test holds, beside a list in the message buffer that names them: taken, mapped from
// KEPT_PAGE on, unmapped and given back, in as many calls as the kernel wants.
#pragma once
#include "world.h"

#define KEPT_PAGE 0x60000000u

extern struct map_item kept[LIST_MAX];  // page 0, frame and no flags

// The list that kernel objects read and write.
static inline struct map_item *list(void) {
    return message_buffer()->list;
}

// Take `count` frames of a pool into kept[], with flags FRAMES_RUN or FRAMES_LOW; give them back.
void kept_take(handle_t pool, uint32_t count, uint32_t flags);
void kept_back(handle_t pool, uint32_t count);
// Map kept[0 .. count) from KEPT_PAGE on, with rights MAP_...; unmap them.
void kept_map(uint32_t count, uint32_t rights);
void kept_unmap(uint32_t count);
// Give one frame back to a pool.
error_t free_one(handle_t pool, frame_t frame);
