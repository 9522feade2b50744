// SPDX-License-Identifier: MIT
// Faults that are refused: what is wrong with an access, and the sentence that a person gets to
// read. Decides no more than the region does.
#pragma once
#include "demand.h"

// Labels of page faults, from the first on; an exception comes after them and is no access.
#define FAULT_PLACE(label) ((label) - LABEL_fault_read)
#define FAULT_COUNT FAULT_PLACE(LABEL_fault_exception)
// The right (MAP_) that the region must have.
extern const uint8_t refusal_right[FAULT_COUNT];

// Is the access of a page fault wrong? region: that of the page, NULL: there is none. A guard has
// no rights.
static inline int refusal_due(const struct region *region, uint32_t label) {
    return region == NULL || (region->rights & refusal_right[FAULT_PLACE(label)]) == 0;
}
// What is wrong with such an access.
const char *refusal_text(const struct region *region, const struct fault *fault);
// Keep a sentence about the fault as the domain's reason. why: how it goes on, or NULL.
void refusal_note(struct domain *domain, const struct fault *fault, const char *why);
