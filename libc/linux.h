// SPDX-License-Identifier: MIT
// The layer between musl and Quire: Linux system calls (i386) become messages. It runs in the
// program's own task and has no rights but the program's: pointers in arguments are used as they
// are, and a wrong one is the program's own fault.
// Not here: malloc (malloc.c asks the pager itself) and threads.
#pragma once
#include <stdint.h>

#include "ipc.h"

// In the order in which entry.asm pushes the registers.
struct linux_call {
    uint32_t number;
    uint32_t argument[6];
};

#define LINUX(number, function) long linux_##function(const struct linux_call *call);
#include "linux.def"
#undef LINUX

// entry.asm: what %gs:16 points to.
void linux_entry(void);
long linux_dispatch(const struct linux_call *call);

// The negative errno for an error of the system.
long linux_error(error_t error);

// Next number of a generator that is seeded from the boot line: runs repeat, secrets it makes not.
extern uint32_t linux_seed;
uint32_t linux_random_word(void);

// The boot module behind a file descriptor and its length, for mmap2; false: there is none.
struct linux_module {
    uint32_t file;
    uint32_t length;
};
int linux_module_of(uint32_t descriptor, struct linux_module *module);

__attribute__((noreturn)) void linux_exit(uint32_t status);
