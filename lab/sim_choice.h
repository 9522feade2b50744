// SPDX-License-Identifier: MIT
// What the simulator can replay a trace under: the policies of policies.def with their parameters,
// and its own yardsticks.
#pragma once
#include "sim_replay.h"

#define SIM_NAME_BYTES 64u

struct sim_choice {
    enum { SIM_POLICY, SIM_MIN, SIM_RANDOM } what;
    struct policy_choice policy;  // SIM_POLICY
    uint64_t seed;                // SIM_RANDOM
    char name[SIM_NAME_BYTES];    // as it was given: "arc:p=8"
};

// The policies in the order of policies.def, then the yardsticks.
#define SIM_CHOICES (POLICY_COUNT + 2u)
struct sim_choice sim_choice_at(uint32_t index);
const char *sim_choice_text(uint32_t index);

// Reads "NAME[:PARAMETER=NUMBER]...". NULL, or the end of a sentence that begins with the text.
const char *sim_choose(struct sim_choice *choice, const char *text);

// "fifo, clock, ..., random"
void sim_choice_names(char *names, size_t size);

// By the fast host; if the policy was caught there, once more through checked.h.
struct sim_result sim_score(const struct sim_trace *trace, const struct sim_choice *choice,
                            uint32_t frames);
