// SPDX-License-Identifier: MIT
// frame_check(): proves the laws of the frame table by a full walk of all page tables. Always
// there, in every build; `check=N` on the command line also runs it every N kernel entries.
#pragma once
#include "message.h"

struct space;

struct frame_check {
    uint32_t violations;
    frame_t frame;        // the first one that breaks a law
    enum law law;         // that it breaks first, 0: none
};

// Counts broken laws; changes nothing (map counts are counted down and up again).
struct frame_check frame_check(void);
// The sentence of abi/law.def.
const char *check_law_text(enum law law);
// Break a law on purpose, for tests; the same call again mends it. `frame` is an unmapped user frame;
// laws about entries are broken in `space`, whose pages LAYOUT_START and LAYOUT_CLOCK must be
// mapped, as the code of the running thread is.
error_t check_plant(uint32_t law, frame_t frame, const struct space *space);
