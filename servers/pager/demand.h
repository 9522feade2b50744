// SPDX-License-Identifier: MIT
// Faults: a page is demanded, found or made, and the answer maps it. A fault that has to wait for
// the store is kept and simply served again when something has changed; nothing else is remembered
// about it.
#pragma once
#include "control.h"

struct fault {
    uint32_t label;  // LABEL_fault_read ... LABEL_fault_exception
    uint32_t number; // of the task
    token_t token;
    uint32_t address;  // exception: its vector
    uint32_t eip;
};

enum answer_kind { ANSWER_MAP, ANSWER_ERROR, ANSWER_LATER };
struct answer {
    enum answer_kind kind;
    error_t error;
    struct map_item item;
};

void demand_init(void);
// Try to answer; domain: the fault's, NULL: there is none.
void demand_attempt(struct domain *domain, const struct fault *fault, struct answer *answer);
// Keep it, since the answer was ANSWER_LATER; there may be too many.
void demand_wait(struct domain *domain, const struct fault *fault, struct answer *answer);
// The kernel could not carry out an ANSWER_MAP: say what now. The same answer may be tried again, or
// is changed into ANSWER_ERROR, or (nobody waits any more) ANSWER_LATER.
void demand_amend(const struct fault *fault, struct answer *answer, error_t error);
// Take finished transfers back, and serve the faults again that waited for them or for room.
void demand_continue(void);
// The task is gone: forget the faults of it that wait.
void demand_forget(uint32_t number);

extern uint32_t demand_faults;   // served so far, over all domains
extern uint32_t demand_waiting;  // faults that wait

// A fault has come.
static inline void demand_serve(const struct fault *fault, struct answer *answer) {
    struct domain *domain = domain_find(fault->number);
    if (domain != NULL) {
        domain->counters.faults++;
    }
    control_fault_count(++demand_faults);
    demand_attempt(domain, fault, answer);
    if (answer->kind == ANSWER_LATER) {
        demand_wait(domain, fault, answer);
    }
}
