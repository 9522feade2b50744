// SPDX-License-Identifier: MIT
// The end of a program: accounts, last lines, freeing, and who waits for it.
#pragma once
#include "program.h"

#define STATUS_FAULT 139u   // as a Unix shell tells of a segmentation fault
#define STATUS_KILLED 137u  // and of a kill

// CPU time that a task has used; 0 when it is gone.
uint64_t task_cycles(handle_t task);

// Free the task and all that pager, console and tracer keep of it, and the place in the table.
void program_release(struct program *program);
