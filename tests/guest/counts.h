// SPDX-License-Identifier: MIT
// Kernel entries that took a short way, as the kernel counts them.
#pragma once
#include "world.h"

struct counts {  // without any C code; messages to objects without the dispatch
    uint32_t fast, direct;
};

static inline struct counts counts(handle_t machine) {
    struct machine_info_out info = {0};
    return machine_info(machine, &info) == OK ? (struct counts){info.fast_low, info.direct}
                                              : (struct counts){0};
}

// What was counted since, without the reading.
static inline struct counts counts_since(handle_t machine, struct counts before) {
    struct counts now = counts(machine), own = counts(machine);
    return (struct counts){now.fast - before.fast - (own.fast - now.fast),
                           now.direct - before.direct - (own.direct - now.direct)};
}

// 1, or 0 under a kernel that checks itself.
static inline uint32_t fast_kernel(void) {
    struct counts before = counts(MACHINE);
    CHECK_EQUAL(task_ping(TASK), OK);
    return counts_since(MACHINE, before).fast;
}
