// SPDX-License-Identifier: MIT
// sleep MS: ends after so many milliseconds. It waits by watching the clock: that takes no message.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int count, char **argument) {
    char *end = NULL;
    long ms = count == 2 ? strtol(argument[1], &end, 10) : -1;
    if (end == NULL || *end != 0 || ms < 0) {
        fprintf(stderr, "usage: sleep MS (milliseconds)\n");
        return 2;
    }
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    return nanosleep(&time, NULL) == 0 ? 0 : 1;
}
