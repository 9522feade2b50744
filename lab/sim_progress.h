// SPDX-License-Identifier: MIT
// A line on standard error that tells how far long work is: after a second, then now and then.
#pragma once
#include <stdint.h>

// on: 1 always, 0 never, -1 if standard error is a terminal. Never before this was called.
void sim_progress_start(int on);
// Cheap; may be called by many threads. total 0: unknown.
void sim_progress(const char *what, uint64_t done, uint64_t total);
void sim_progress_end(void);  // wipes the line
