// SPDX-License-Identifier: MIT
// Files that commands write: they are there whole, or as they were before. What is written goes to a
// file beside the one that was named, which takes its place when it is complete. Devices, FIFOs and
// the standard output ("-") are written directly, and never removed.
#pragma once
#include <stdbool.h>
#include <stdio.h>

// One file at a time. NULL: errno says why not. If output_end() is never called, or SIGINT, SIGTERM
// or SIGHUP ends the program, nothing is left of it.
FILE *output_open(const char *path);

// Complete: closes it and puts it in its place. 0, or -1: errno says why not, and nothing is left.
__attribute__((warn_unused_result)) int output_end(FILE *file);

// The input, which is to be read, and the output are one file, by whatever names.
bool output_is_input(const char *input, const char *output);
