// SPDX-License-Identifier: MIT
// Finds the fast host of a policy. A table of policies.def without one does not link.
#include "sim_fast.h"

#define POLICY(name, operations, setting, text) fast_run_##operations,
static sim_fast_run *const runs[POLICY_COUNT] = {
#include "policies.def"
};
#undef POLICY

bool sim_fast(const struct sim_trace *trace, struct policy_choice choice, uint32_t frames,
              sim_victim_seen *seen, void *context, struct sim_result *result) {
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        if (choice.kind == &policy_kinds[i] && policy_incomplete(choice.kind->operations) == NULL) {
            return runs[i](trace, &choice, frames, seen, context, result);
        }
    }
    return false;
}
