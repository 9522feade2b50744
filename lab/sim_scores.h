// SPDX-License-Identifier: MIT
// A file of known misses, trace,frames,policy,misses for every policy, and whether they still hold.
#pragma once
#include <stdio.h>

#include "sim_choice.h"

// Reads `folder`/TRACE.u32.xz for each trace of the file `scores` and replays everything that the
// simulator has with each number of frames that the file has for that trace. Writes the file that
// would be right to `right` (may be NULL). Returns the number of rows that differ, are missing or
// too much, and the first of them in `difference`; -1: a sentence is there instead.
int sim_scores_compare(const char *scores, const char *folder, FILE *right, char *difference,
                       size_t size);
