// SPDX-License-Identifier: MIT
// Every policy's misses on lab/traces, scored against MIN, must be those of lab/traces/scores.csv, and
// on the shared traces those of policy_scores.csv. Rewritten by
// `./quire lab scores --write lab/traces lab/traces/scores.csv`, and
// `./quire lab scores --write ../shared/traces tests/host/policy_scores.csv`.
#include <stdio.h>
#include <string.h>

#include "lab_files.h"
#include "sim_scores.h"
#include "test.h"

#define TRACES SOURCE_ROOT "/../shared/traces"
#define SCORES SOURCE_ROOT "/tests/host/policy_scores.csv"
#define OWN_TRACES SOURCE_ROOT "/lab/traces"

static char text[700];

static int compare(const char *contents) {
    const char *path = file_make("scores.csv", contents, strlen(contents));
    int differ = sim_scores_compare(path, OWN_TRACES, NULL, text, sizeof(text));
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
    CHECK_EQUAL(sim_scores_compare("/nowhere", OWN_TRACES, NULL, text, sizeof(text)), -1);
    CHECK(strstr(text, "No such file") != NULL);
    CHECK_EQUAL(compare("trace,frames,policy,misses\nawk,x,fifo,3\n"), -1);
    CHECK(strstr(text, "line 2") != NULL);
    CHECK_EQUAL(compare("trace,frames,policy,misses\nnothing,9,fifo,3\n"), -1);
    CHECK(strstr(text, "No such file") != NULL);
    // All others have no row.
    CHECK_EQUAL(compare("trace,frames,policy,misses\nawk,19,fifo,248720\n"), SIM_CHOICES - 1);
    CHECK_EQUAL(compare("trace,frames,policy,misses\nawk,19,fifo,248719\n"), SIM_CHOICES);
    CHECK_TEXT(text, "awk,19,fifo: 248719 misses, now 248720");
    CHECK_EQUAL(compare("trace,frames,policy,misses\nawk,19,fofi,248720\n"), SIM_CHOICES + 1);
}

static void hold(const char *scores, const char *traces) {
    if (sim_scores_compare(scores, traces, NULL, text, sizeof(text)) != 0) {
        test_fail(__FILE__, __LINE__, text);
    }
}

TEST(scores_hold, "every policy's misses on lab/traces are those of lab/traces/scores.csv") {
    hold(OWN_TRACES "/scores.csv", OWN_TRACES);
}

TEST(scores_hold_shared, "every policy's misses on the shared traces are those of policy_scores.csv") {
    skip_without_traces();
    hold(SCORES, TRACES);
}
