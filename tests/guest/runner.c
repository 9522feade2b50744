// SPDX-License-Identifier: MIT
// The guest's test runner: main() of a test program. The environment (what this is linked with)
// supplies test_print() and test_suite_end(); a test server without main() calls test_run() itself.
// The exit status is 0 only if all passed.
#include "../test.h"

int main(int count, char **argument) {
    if (count > 1 && argument[1][0] == '-') {
        test_list();
        return 0;
    }
    return test_run(count > 1 ? argument[1] : NULL, test_suite_end) == 0 ? 0 : 1;
}
