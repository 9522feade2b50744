// SPDX-License-Identifier: MIT
// frame_check(): proves the laws of the frame table by a full walk of all page tables. Always
// there, in every build; `check=N` on the command line also runs it every N kernel entries.
#pragma once
#include "types.h"

struct frame_check {
    uint32_t violations;
    frame_t frame;        // the first one that breaks a law
    const char *law;
};

// Counts broken laws; changes nothing (map counts are counted down and up again).
struct frame_check frame_check(void);
// Break a law on purpose, for tests: kind 0 to CHECK_PLANTS - 1; the same call again undoes it.
#define CHECK_PLANTS 6u
error_t check_plant(uint32_t kind, frame_t frame, uint32_t *undo);
