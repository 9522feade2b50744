// SPDX-License-Identifier: MIT
// FPU and SSE state: saved when a thread that used it is left, restored at its first use (#NM), so
// that no task ever sees another's.
#pragma once
#include "start.h"
#include "thread.h"

BOOT_TEXT void fpu_init(void);
// The CPU leaves `thread` (NULL: none).
void fpu_leave(struct thread *thread);
// #NM: give the current thread its state. E_MEMORY: its pool cannot pay for the save area.
error_t fpu_enter(struct thread *thread);
void fpu_forget(struct thread *thread);
