// SPDX-License-Identifier: MIT
// Tells the trace which task has which name.
#pragma once
#include "init.h"

void trace_name(uint32_t number, const char *name);
// Those of init and of all servers that run.
void trace_names(void);
