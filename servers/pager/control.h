// SPDX-License-Identifier: MIT
// What the operator decides: the policy and the frame limit of all domains, now or at a certain
// fault. Chooses nothing itself.
#pragma once
#include "resident.h"

extern struct policy_choice control_choice;  // policy of domains to come
extern uint32_t control_limit;               // of domains to come

void control_init(void);
// `text` is untrusted. E_NOT_FOUND: it names no policy; E_ARGUMENT: its parameters are wrong; then
// resident_complaint says how.
error_t control_policy_set(const field_text *text);
// 0: no limit. E_ARGUMENT: fewer than LIMIT_MIN.
error_t control_limit_set(uint32_t frames);
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
