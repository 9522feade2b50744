// SPDX-License-Identifier: MIT
// Many replays of one trace, by all processors.
#pragma once
#include "sim_choice.h"

struct sim_row {
    const struct sim_choice *choice;
    uint32_t frames;
    struct sim_result result;
};

struct sim_rows_how {
    uint32_t threads;  // 0: one for each processor that we may use
    bool checked;      // policies through checked.h only
};

// Calls `done` for each row, in the order of the rows, as soon as it and those before are there.
void sim_rows_run(const struct sim_trace *trace, struct sim_row *row, uint32_t count,
                  struct sim_rows_how how,
                  void (*done)(void *context, const struct sim_row *row), void *context);
