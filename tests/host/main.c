// SPDX-License-Identifier: MIT
// The host's test runner: `runner [NAME OR ITS BEGINNING]` runs tests, `runner --list` names them.
// Exit status 0: all passed (TAP says the same). Sanitizers watch over memory, so there is nothing
// to look after at the end of a suite.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"

void test_print(const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written < 0 && errno != EINTR) {
            _exit(2);  // nobody reads the result: there is nothing left to tell
        }
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
}

int main(int count, char **argument) {
    if (count > 1 && strcmp(argument[1], "--list") == 0) {
        test_list();
        return 0;
    }
    return test_run(count > 1 ? argument[1] : NULL, NULL) == 0 ? 0 : 1;
}
