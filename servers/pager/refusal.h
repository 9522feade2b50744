// SPDX-License-Identifier: MIT
// Faults that are refused: what is wrong with an access, and the sentence that a person gets to
// read. Decides no more than the region does.
#pragma once
#include "demand.h"

// What is wrong with the access, or NULL. region: that of the page, NULL: there is none.
const char *refusal_find(const struct region *region, const struct fault *fault);
// Keep a sentence about the fault as the domain's reason. why: how it goes on, or NULL.
void refusal_note(struct domain *domain, const struct fault *fault, const char *why);
