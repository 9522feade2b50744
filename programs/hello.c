// SPDX-License-Identifier: MIT
// The smallest useful program: says hello and repeats its arguments, one a line.
#include <stdio.h>

int main(int count, char **argument) {
    puts("hello, world");
    for (int i = 1; i < count; i++) {
        printf("argument %d: %s\n", i, argument[i]);
    }
    return 0;
}
