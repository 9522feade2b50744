// SPDX-License-Identifier: MIT
// Where the trace file goes: a virtio console (chunks of 64 KiB by DMA) or a debug port (bytes).
// Never waits: when the device is behind there is no place to write to until output_poll() finds
// some again.
#pragma once
#include <stdbool.h>
#include "types.h"

enum { OUTPUT_CONSOLE = 1, OUTPUT_DEBUG_PORT = 2 };

// Set up the device behind HANDLE(SLOT_PORTS).
__attribute__((warn_unused_result)) error_t output_open(uint32_t kind);

// A place for `size` bytes, which count as written; NULL: the device is behind.
// A chunk that has become full is sent first.
void *output_place(uint32_t size);

// Send what is in the chunk. Call it when nothing more is at hand.
void output_push(void);

// Look which chunks the device has finished with. True: all that was written has left.
bool output_poll(void);
