// SPDX-License-Identifier: MIT
// What the parts of the shell know of each other. A command gets its words, word[0] being its own
// name (count >= 1), prints what it has to say, and returns an exit status.
#pragma once
#include <stdbool.h>

#include "stubs.h"

#define STATUS_USAGE 2  // the command was not understood

// Say what went wrong with what, unless the error is OK; returns the status for it.
int shell_report(const char *what, error_t error);

// Say how a command is used; returns STATUS_USAGE.
int shell_usage(const char *sentence);

// Whether the text is a decimal number below 2^32 and nothing else.
bool shell_number(const char *text, uint32_t *number);

// Words as one text, separated by spaces; cut off at TEXT_BYTES.
field_text shell_text(int count, char **word);

// Run a command or a program; a program is waited for.
int shell_run(int count, char **word);
int shell_program(int count, char **word);
int shell_background(int count, char **word);

// The commands (docs/shell.md).
int shell_wait(int count, char **word);
int shell_kill(int count, char **word);
int shell_programs(int count, char **word);
int shell_tasks(int count, char **word);
int shell_time(int count, char **word);
int shell_stats(int count, char **word);
int shell_policy(int count, char **word);
int shell_frames(int count, char **word);
int shell_trace(int count, char **word);
int shell_memory(int count, char **word);
int shell_uptime(int count, char **word);
