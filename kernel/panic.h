// SPDX-License-Identifier: MIT
// The end: a defect of the kernel's own. Registers, backtrace, then the machine stops (under QEMU
// with a failing exit status).
#pragma once
#include "start.h"
#include "types.h"

struct registers;

#define ASSERT(condition)                                             \
    do {                                                              \
        if (__builtin_expect(!(condition), 0)) {                      \
            panic(__FILE__, __LINE__, "broken assertion: " #condition); \
        }                                                             \
    } while (0)

__attribute__((noreturn)) void panic(const char *file, uint32_t line, const char *reason);
// A trap that the kernel itself caused.
__attribute__((noreturn)) void panic_trap(const struct registers *registers, uint32_t cr2);
// The machine cannot be started: one line that says what to do; not a defect.
BOOT_TEXT __attribute__((noreturn)) void boot_refuse(const char *reason);
// The same, with what was found behind the reason.
BOOT_TEXT __attribute__((noreturn)) void boot_refuse_because(const char *reason,
                                                             const char *detail);
