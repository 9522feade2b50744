// SPDX-License-Identifier: MIT
// The command seen with a policy that is wrong, which none of policies.def is. What it does
// is static, so its source is included.
#include "seen.c"

#include "test.h"

static uint32_t stranger(struct policy *policy, uint32_t incoming) {
    (void)policy;
    return incoming;
}

TEST(seen_complains, "a policy that chose no resident page is named, and the status is 1") {
    struct policy_operations operations = *policy_kinds[POLICY_INDEX_fifo].operations;
    struct policy_kind kind = {"strange", &operations, 0, 0, ""};
    for (int wrong = 0; wrong < 2; wrong++) {
        operations.victim = wrong ? stranger : operations.victim;
        host_start(policy_normal(&kind), 2, SCAN_SHARE);
        for (uint64_t page = 1; page <= 4; page++) {
            reference(&(struct format_reference){.page = page, .time = page}, true);
        }
        whole_run();
        CHECK_EQUAL(host.misses, 4);
        char line[160];
        CHECK_EQUAL(host_wrong(line, sizeof line), wrong);
        CHECK(!wrong || strncmp(line, "policy strange: victim", 22) == 0);
        host_end();
    }
}
