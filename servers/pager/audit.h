// SPDX-License-Identifier: MIT
// Walks all of the pager's structures and compares them with each other. Changes nothing.
#pragma once
#include <stdint.h>

// How many laws are broken: 0 if all is well.
uint32_t audit_count(void);
