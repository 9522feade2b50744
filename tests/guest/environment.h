// SPDX-License-Identifier: MIT
// What a kernel test finds: it is loaded in init's place, with all of init's handles.
#pragma once
#include "../../libsys/ipc.h"
#include "../../libsys/stubs.h"
#include <stdbool.h>
#include "../test.h"

#define TASK HANDLE(SLOT_TASK)
#define THREAD HANDLE(SLOT_THREAD)
#define POOL HANDLE(SLOT_POOL)
#define MACHINE HANDLE(SLOT_MACHINE)
#define TRACE HANDLE(SLOT_TRACE)

// Put away what a test left that failed half way (world.c).
void world_clean(void);

// Give the serial line and the exit device back, for one that goes on as another program.
void environment_leave(void);

// A counter of machine_info.
uint32_t frames_free(void);
// What follows this word, or beginning of a word, on the kernel's command line; NULL: it has none.
const char *option_find(const char *word);
// Does the kernel's command line hold this word, or a word that begins so?
bool option_given(const char *word);
// Its number: seed=N.
uint32_t option_number(const char *word, uint32_t otherwise);
// A TAP comment: "# name value".
void note_number(const char *name, uint32_t value);
