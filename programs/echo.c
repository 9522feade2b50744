// SPDX-License-Identifier: MIT
// echo: repeats every line that is typed, with its number, until the end of input (Ctrl-D).
#include <stdio.h>
#include <string.h>

int main(void) {
    char line[100];
    unsigned number = 0;
    printf("type lines, Ctrl-D ends\n");
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        printf("line %u: %s\n", ++number, line);
    }
    printf("%u lines\n", number);
    return 0;
}
