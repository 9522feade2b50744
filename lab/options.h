// SPDX-License-Identifier: MIT
// What the command lines of the laboratory's commands share: refusals in one line, and options that
// have a value.
#pragma once

// "quire-lab COMMAND: ..." on standard error; ends the program.
__attribute__((noreturn, format(printf, 3, 4))) void options_refuse(const char *command, int status,
                                                                    const char *format, ...);

// The value of option `name`, as --name VALUE or --name=VALUE; NULL: argument[*at] is not it.
const char *options_value(const char *command, int count, char **argument, int *at,
                          const char *name);
