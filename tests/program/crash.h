// SPDX-License-Identifier: MIT
// The program that ends itself in the way that it is told.
#pragma once
#include <string.h>
#include "../test.h"
#include "stubs.h"

// Runs `crash KIND` to its end.
static inline struct init_wait_out crash(const char *kind) {
    field_text line = {.length = 6, .bytes = "crash "};
    struct init_spawn_out task;
    struct init_wait_out end;
    memcpy(line.bytes + 6, kind, strlen(kind));
    line.length += (uint32_t)strlen(kind);
    CHECK_EQUAL(init_spawn(HANDLE(SLOT_INIT), line, &task), OK);
    CHECK_EQUAL(init_wait(HANDLE(SLOT_INIT), task.task, &end), OK);
    return end;
}
