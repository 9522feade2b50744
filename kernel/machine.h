// SPDX-License-Identifier: MIT
// The machine object: what only init may ask. Counters of the whole kernel.
#pragma once
#include "types.h"

extern uint64_t machine_entries;       // kernel entries of any kind
extern uint64_t machine_fast_entries;  // of them those that ran no C code
extern uint32_t machine_direct_entries;  // of all those straight from fast.asm to a kernel object
// Bring them up to date: adds what fast.asm has counted since.
void machine_count(void);
