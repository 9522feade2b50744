// SPDX-License-Identifier: MIT
// From the boot loader's memory map to frame table, object table and root pool.
#pragma once
#include "multiboot.h"
#include "pool.h"
#include "space.h"

// Refuses the boot when there is too little memory.
struct pool *memory_init(const struct multiboot_info *info);
// Frames that there can be: what the CPU addresses, and a map item names.
extern uint32_t memory_frames_max;
extern pte_t memory_first_table[ENTRIES];  // the first 2 MiB of the kernel's window in 4 KiB
// Protect the kernel's own pages: text not writable, nothing else executable, no page at 0.
void memory_protect(void);
