// SPDX-License-Identifier: MIT
// Lines that init prints, and the end of the system. Every line goes to the kernel's log; to the
// serial line it goes through the console server while that lives, else directly.
#pragma once
#include "text.h"

// The console server runs, or no longer does.
void report_console(int alive);

// Print "quire: ", all strings up to NULL, and a newline.
__attribute__((sentinel)) void report(const char *first, ...);
// The same, to the kernel's log alone.
__attribute__((sentinel)) void report_log(const char *first, ...);

// "quire: error: ..." with all strings up to NULL, then the end with status 2.
__attribute__((sentinel, noreturn)) void fatal(const char *first, ...);

// If there is an error: "quire: error: cannot WHAT: its sentence", then the end.
void must(error_t error, const char *what);

// Let all output leave, print "quire: off status=S", end the virtual machine.
__attribute__((noreturn)) void report_off(uint32_t status);
