// SPDX-License-Identifier: MIT
// What sim_fast.c is, for each table of policies.def.
#pragma once
#include "sim_replay.h"

typedef bool sim_fast_run(const struct sim_trace *trace, const struct policy_choice *choice,
                          uint32_t frames, sim_victim_seen *seen, void *context,
                          struct sim_result *result);

#define POLICY(name, operations, setting, text) extern sim_fast_run fast_run_##operations;
#include "policies.def"
#undef POLICY
