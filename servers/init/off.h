// SPDX-License-Identifier: MIT
// The end of the system in good order.
#pragma once
#include "init.h"

// End all programs, check kernel and pager, let trace and output leave, end the machine. Broken
// invariants turn a good status into a bad one.
__attribute__((noreturn)) void system_off(uint32_t status);
