// SPDX-License-Identifier: MIT
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_refuse(const char *command, int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "quire-lab %s: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(status);
}

const char *options_value(const char *command, int count, char **argument, int *at,
                          const char *name) {
    size_t length = strlen(name);
    if (strncmp(argument[*at], name, length) != 0) {
        return NULL;
    }
    if (argument[*at][length] == '=') {
        return argument[*at] + length + 1;
    }
    if (argument[*at][length] != 0) {
        return NULL;
    }
    if (*at + 1 >= count) {
        options_refuse(command, 2, "%s needs a value; see `quire-lab %s --help`", name, command);
    }
    return argument[++*at];
}
