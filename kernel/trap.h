// SPDX-License-Identifier: MIT
// Entry points that the assembly calls.
#pragma once
#include "thread.h"

#define BADGE_INIT 1u

extern uint32_t trap_check_interval;  // frame_check() every so many entries, 0: only when asked

void trap_check(void);
void trap_check_due(void);
void kernel_call(void);
void kernel_trap_user(void);
void kernel_trap_kernel(struct registers *registers);
