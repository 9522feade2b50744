// SPDX-License-Identifier: MIT
// Replays what the pager's policies learned in a recorded run, decision by decision, and compares
// each victim with the one that was chosen there. Same source, same calls, same order: the victims
// must be the same. Knows nothing of files.
#pragma once
#include "policy.h"
#include "trace.h"

struct sim_run;  // the decisions of one run

struct sim_run *sim_run_new(void);
void sim_run_free(struct sim_run *run);

// Takes the next record of the trace; those that are no decisions of a policy are passed over.
void sim_run_add(struct sim_run *run, const struct trace_record *record);

// What came out for one domain.
struct sim_run_result {
    uint32_t task;                   // number of its task
    const struct policy_kind *kind;  // in charge at the end, NULL: unknown
    uint32_t admits, victims, switches;  // replayed
    uint32_t kept;                   // of the admits: victims that did not leave
    const char *problem;             // NULL: every victim was the same; else a sentence, about
    uint32_t page, chosen;           // ... the run's page, and the replay's victim (or as page)
};

// Replays all, and calls `report` for each domain in order of task numbers. Returns how many
// domains had a problem.
uint32_t sim_run_replay(const struct sim_run *run,
                        void (*report)(void *context, const struct sim_run_result *result),
                        void *context);
