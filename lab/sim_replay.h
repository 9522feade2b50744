// SPDX-License-Identifier: MIT
// Replays a trace and counts misses: under a policy of the pager's, by the same source as there; or
// under one of the simulator's own yardsticks: Belady's MIN, which knows the future, and a random
// choice.
#pragma once
#include "checked.h"
#include "sim_trace.h"

struct sim_result {
    uint32_t misses;      // the first reference of each page included
    uint32_t writebacks;  // dirty pages that were evicted, or written first as the policy asked;
                          // those that are dirty at the end are not counted
    uint32_t cleans;      // of these, those that were written first
    uint32_t violations;  // so many times the policy was caught; the counts are FIFO's from then on
    char line[160];       // the first of them, or ""
};

// Called for each eviction, in order, with the pages (numbered as in the trace).
typedef void sim_victim_seen(void *context, uint32_t reference, uint32_t page);

// Through the checks of checked.h, as the pager does. frames >= 1; seen may be NULL.
struct sim_result sim_replay(const struct sim_trace *trace, const struct policy_kind *kind,
                             uint32_t frames, sim_victim_seen *seen, void *context);
struct sim_result sim_replay_choice(const struct sim_trace *trace, struct policy_choice choice,
                                    uint32_t frames, sim_victim_seen *seen, void *context);

// The same result by a faster host: the policy's source is compiled into the loop over references.
// False: the policy was caught at a mistake, or is none of policies.def; ask sim_replay_choice().
bool sim_fast(const struct sim_trace *trace, struct policy_choice choice, uint32_t frames,
              sim_victim_seen *seen, void *context, struct sim_result *result);

// Each victim is equally likely; the seed decides.
struct sim_result sim_replay_random(const struct sim_trace *trace, uint32_t frames, uint64_t seed);

// The least number of misses that any policy can have which must bring in each page missed.
struct sim_result sim_replay_min(const struct sim_trace *trace, uint32_t frames);

// What MIN must know of a trace, for many numbers of frames.
struct sim_future {
    const struct sim_trace *trace;
    uint32_t *distance;  // from each reference to the next of its page, 0: there is none
    int file;            // or all of them here, when the trace is in a file
};
struct sim_future sim_future_make(const struct sim_trace *trace);
void sim_future_end(struct sim_future *future);
// window: references that are looked ahead with a bitmap; beyond it a heap. A power of two.
#define SIM_WINDOW (1u << 26)
struct sim_result sim_future_replay(const struct sim_future *future, uint32_t frames,
                                    uint32_t window);

// LRU's misses with each of many numbers of frames by one pass (misses only).
void sim_replay_lru(const struct sim_trace *trace, const uint32_t *frames, uint32_t count,
                    uint32_t *misses);
