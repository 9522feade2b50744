// SPDX-License-Identifier: MIT
// Every policy's misses on the shared traces, scored against MIN, must be those of
// policy_scores.csv. `./quire lab scores --write ../shared/traces tests/host/policy_scores.csv`
// rewrites that file.
#include <stdio.h>
#include <string.h>

#include "lab_files.h"
#include "sim_scores.h"
#include "test.h"

#define TRACES SOURCE_ROOT "/../shared/traces"
#define SCORES SOURCE_ROOT "/tests/host/policy_scores.csv"

static char text[700];

static int compare(const char *contents) {
    const char *path = file_make("scores.csv", contents, strlen(contents));
    int differ = sim_scores_compare(path, TRACES, NULL, text, sizeof(text));
    file_end(path);
    return differ;
}

static void skip_without_traces(void) {
    FILE *file = fopen(TRACES "/loop1001.u32.xz", "rb");
    if (file == NULL) {
        SKIP("there are no traces in ../shared/traces beside the project");
    }
    fclose(file);
}

TEST(scores_reject, "a count that is another, a policy too much or too few is noticed and named") {
    CHECK_EQUAL(sim_scores_compare("/nowhere", TRACES, NULL, text, sizeof(text)), -1);
    CHECK(strstr(text, "No such file") != NULL);
    CHECK_EQUAL(compare("trace,frames,policy,misses\nloop1001,x,fifo,3\n"), -1);
    CHECK(strstr(text, "line 2") != NULL);
    skip_without_traces();
    CHECK_EQUAL(compare("trace,frames,policy,misses\nnothing,9,fifo,3\n"), -1);
    CHECK(strstr(text, "No such file") != NULL);
    // All others have no row.
    CHECK_EQUAL(compare("trace,frames,policy,misses\nloop1001,800,fifo,1001000\n"),
                SIM_CHOICES - 1);
    CHECK_EQUAL(compare("trace,frames,policy,misses\nloop1001,800,fifo,1000999\n"), SIM_CHOICES);
    CHECK_TEXT(text, "loop1001,800,fifo: 1000999 misses, now 1001000");
    CHECK_EQUAL(compare("trace,frames,policy,misses\nloop1001,800,fofi,1001000\n"),
                SIM_CHOICES + 1);
}

TEST(scores_hold, "every policy's misses on the shared traces are those of policy_scores.csv") {
    skip_without_traces();
    int differ = sim_scores_compare(SCORES, TRACES, NULL, text, sizeof(text));
    if (differ != 0) {
        test_fail(__FILE__, __LINE__, text);
    }
}
