// SPDX-License-Identifier: MIT
// Replays a trace and counts misses: under a policy of the pager's, by the same source and through
// the same checks as there, or under Belady's MIN, which knows the future.
#pragma once
#include "checked.h"
#include "sim_trace.h"

struct sim_result {
    uint32_t misses;     // the first reference of each page included
    uint32_t violations; // so many times the policy was caught; the counts are FIFO's from then on
    char line[160];      // the first of them, or ""
};

// Called for each eviction, in order, with the pages (numbered as in the trace).
typedef void sim_victim_seen(void *context, uint32_t reference, uint32_t page);

// frames >= 1; seen may be NULL.
struct sim_result sim_replay(const struct sim_trace *trace, const struct policy_kind *kind,
                             uint32_t frames, sim_victim_seen *seen, void *context);

// The least number of misses that any policy can have which must bring in each page missed.
struct sim_result sim_replay_min(const struct sim_trace *trace, uint32_t frames);
