// SPDX-License-Identifier: MIT
// What the runner needs in a program: TAP goes to the console through the C library under test, and
// every suite ends with the pager's own word that nothing is broken and no limit was exceeded.
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "stubs.h"

void test_print(const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written <= 0) {
            exit(2);  // nobody reads the result
        }
        text += written;
        length -= (size_t)written;
    }
}

void test_suite_end(void) {
    struct pager_stats_out stats;
    CHECK_EQUAL(pager_stats(HANDLE(SLOT_PAGER), 0, &stats), OK);
    CHECK_EQUAL(stats.violations, 0);
    CHECK(stats.limit == 0 || stats.resident <= stats.limit);
}
