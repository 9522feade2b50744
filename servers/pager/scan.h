// SPDX-License-Identifier: MIT
// Reads which pages of a domain were used, and which are changed, and tells its policy. Evicts nothing.
#pragma once
#include "resident.h"

// Read and clear the Accessed bits of a domain, read the Dirty bits, and tell its policy.
void scan_domain(struct domain *domain);
// The same before an eviction, if it is time (pace.h).
void scan_if_due(struct domain *domain);
