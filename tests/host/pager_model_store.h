// SPDX-License-Identifier: MIT
// The store of the pager's model: what its two halves share, and nobody else needs.
#pragma once
#include "pager_model.h"

struct model_frame {
    uint32_t word[MODEL_WORDS];
    uint16_t maps;
    uint8_t taken, self;  // self: mapped into the pager
    uint8_t reads, writes;  // transfers that work on it
    uint8_t pinned;
};

// One of the pool's frames; fails the test for any other number.
struct model_frame *model_frame(frame_t number);

// A store of so many pages without contents, and a ring without requests.
void model_store_start(uint32_t pages);
void model_store_stop(void);
