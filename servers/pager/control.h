// SPDX-License-Identifier: MIT
// What the operator decides: the policy and the frame limit of domains, now or at a certain fault; for
// one task, for one program now and to come, or for all others. Chooses nothing itself.
#pragma once
#include "resident.h"

// Of the domains of a program, a module's number, to come.
#define CONTROL_OTHERS BOOT_MODULES_MAX  // in its place: of programs for which nothing was decided
const struct policy_choice *control_choice(uint32_t program);
uint32_t control_limit(uint32_t program);

void control_init(void);
// "POLICY[:PARAMETER=NUMBER]..." for all domains whose program has no policy of its own,
// "PROGRAM/POLICY..." for those of one program (a module's name), "TASK/POLICY..." for one task until
// the next decision about it; "PROGRAM/" and "TASK/": as the others again. `text` is untrusted.
// E_NOT_FOUND: it names no policy, program or task; E_ARGUMENT: its parameters are wrong; then
// resident_complaint says how.
error_t control_policy_set(const field_text *text);
// The same for the frame limit of the domains that `name` names; empty: of all others. 0: no limit, or
// as the others. E_ARGUMENT: fewer than LIMIT_MIN; E_NOT_FOUND: there is no such program or task.
error_t control_limit_set(uint32_t frames, const field_name *name);
// Set the policy when fault number `fault` is served. E_LIMIT: too many plans; E_ARGUMENT: it is
// past. Else as above.
error_t control_policy_plan(uint32_t fault, const field_text *text);

extern uint32_t control_switches;  // changes of policy so far

void control_plans_run(uint32_t faults);
extern uint32_t control_next_plan;  // number of the fault, UINT32_MAX: none
static inline void control_fault_count(uint32_t faults) {
    if (__builtin_expect(faults >= control_next_plan, 0)) {
        control_plans_run(faults);
    }
}
