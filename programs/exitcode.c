// SPDX-License-Identifier: MIT
// exitcode N: ends with status N. For tests of what the system says about a program's end.
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **argument) {
    char *end = NULL;
    long status = count == 2 ? strtol(argument[1], &end, 10) : -1;
    if (end == NULL || *end != 0 || status < 0 || status > 255) {
        fprintf(stderr, "usage: exitcode N (0 to 255)\n");
        return 2;
    }
    return (int)status;
}
