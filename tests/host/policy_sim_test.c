// SPDX-License-Identifier: MIT
// The simulator: numbers of pages, closed forms, MIN as a bound, and the counts of an independent
// implementation (oracle.csv beside the project, where it is present).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_replay.h"
#include "test.h"

static const struct policy_kind *kind_of(enum policy_index index) {
    return &policy_kinds[index];
}

static uint32_t misses_of(const struct sim_trace *trace, const struct policy_kind *kind,
                          uint32_t frames) {
    struct sim_result result = sim_replay(trace, kind, frames, NULL, NULL);
    CHECK_TEXT(result.line, "");
    CHECK_EQUAL(result.violations, 0);
    return result.misses;
}

static struct sim_trace trace_of(const uint32_t *page, uint32_t length) {
    uint32_t *copy = sim_allocate(length, 4);
    memcpy(copy, page, length * sizeof(*page));
    struct sim_trace trace;
    sim_trace_number(&trace, copy, length);
    return trace;
}

// ---- reading ---------------------------------------------------------------------------------

TEST(sim_trace_numbers, "many scattered page numbers keep their identity") {
    enum { PAGES = 20000 };
    uint32_t *page = sim_allocate(2 * PAGES, 4);
    for (uint32_t i = 0; i < PAGES; i++) {
        page[i] = page[2 * PAGES - 1 - i] = i * 0x9e3779b1u;  // odd factor: all different
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, 2 * PAGES);
    CHECK_EQUAL(trace.footprint, PAGES);
    for (uint32_t i = 0; i < PAGES; i++) {
        CHECK(trace.page[i] == i && trace.page[2 * PAGES - 1 - i] == i);
    }
    sim_trace_free(&trace);
}

// ---- closed forms ----------------------------------------------------------------------------

static struct sim_trace loop_make(uint32_t pages, uint32_t length) {
    uint32_t *page = sim_allocate(length, 4);
    for (uint32_t i = 0; i < length; i++) {
        page[i] = i % pages;
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, length);
    return trace;
}

TEST(sim_belady_anomaly, "Belady's example: FIFO has 9 faults with 3 frames and 10 with 4") {
    static const uint32_t page[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    struct sim_trace trace = trace_of(page, 12);
    CHECK_EQUAL(misses_of(&trace, kind_of(POLICY_INDEX_fifo), 3), 9);
    CHECK_EQUAL(misses_of(&trace, kind_of(POLICY_INDEX_fifo), 4), 10);
    CHECK_EQUAL(sim_replay_min(&trace, 3).misses, 7);
    CHECK_EQUAL(sim_replay_min(&trace, 4).misses, 6);
    sim_trace_free(&trace);
}

TEST(sim_loop_fifo, "a loop longer than memory: FIFO and CLOCK miss at every reference") {
    for (uint32_t pages = 2; pages < 20; pages++) {
        struct sim_trace trace = loop_make(pages, 500);
        for (uint32_t frames = 1; frames < pages; frames++) {
            CHECK_EQUAL(misses_of(&trace, kind_of(POLICY_INDEX_fifo), frames), 500);
            CHECK_EQUAL(misses_of(&trace, kind_of(POLICY_INDEX_clock), frames), 500);
            CHECK_EQUAL(misses_of(&trace, kind_of(POLICY_INDEX_clock_r1), frames), 500);
        }
        sim_trace_free(&trace);
    }
}

TEST(sim_loop_min, "a loop: MIN misses P + (L - P)(P - F)/(P - 1) times") {
    for (uint32_t pages = 2; pages < 40; pages++) {
        uint32_t length = pages + (pages - 1) * 30;
        struct sim_trace trace = loop_make(pages, length);
        for (uint32_t frames = 1; frames < pages; frames++) {
            CHECK_EQUAL(sim_replay_min(&trace, frames).misses,
                        pages + (length - pages) / (pages - 1) * (pages - frames));
        }
        sim_trace_free(&trace);
    }
}

TEST(sim_enough_frames, "with a frame for every page each page misses once, under all") {
    struct sim_trace trace = loop_make(33, 3300);
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        test_case(policy_kinds[i].name);
        CHECK_EQUAL(misses_of(&trace, &policy_kinds[i], 33), 33);
        CHECK_EQUAL(misses_of(&trace, &policy_kinds[i], 1u << 28), 33);
    }
    CHECK_EQUAL(sim_replay_min(&trace, 33).misses, 33);
    CHECK_EQUAL(sim_replay_min(&trace, 1u << 28).misses, 33);
    sim_trace_free(&trace);
}

TEST(sim_single_reference, "a trace of one reference has one miss") {
    uint32_t page = 0xffffffff;
    struct sim_trace trace = trace_of(&page, 1);
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        CHECK_EQUAL(misses_of(&trace, &policy_kinds[i], 1), 1);
    }
    CHECK_EQUAL(sim_replay_min(&trace, 1).misses, 1);
    sim_trace_free(&trace);
}

TEST(sim_never_below_min, "1 to 20 frames: policy >= MIN >= footprint, MIN never grows") {
    uint32_t state = 3;
    uint32_t *page = sim_allocate(3000, 4);
    for (uint32_t i = 0; i < 3000; i++) {
        state = state * 1664525 + 1013904223;
        page[i] = (state >> 16) % (1 + (state >> 8) % 40);
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, 3000);
    for (uint32_t frames = 1, before = UINT32_MAX; frames <= 20; frames++) {
        uint32_t min = sim_replay_min(&trace, frames).misses;
        CHECK(min >= trace.footprint && min <= before);
        before = min;
        for (uint32_t i = 0; i < POLICY_COUNT; i++) {
            test_case(policy_kinds[i].name);
            CHECK(misses_of(&trace, &policy_kinds[i], frames) >= min);
        }
    }
    sim_trace_free(&trace);
}

// All ways to choose victims, tried: the truth for short traces.
static uint32_t best_of(const struct sim_trace *trace, uint32_t at, uint32_t resident,
                        uint32_t frames) {
    while (at < trace->length && (resident >> trace->page[at] & 1)) {
        at++;
    }
    if (at == trace->length) {
        return 0;
    }
    uint32_t with = resident | 1u << trace->page[at], best = UINT32_MAX;
    if ((uint32_t)__builtin_popcount(with) <= frames) {
        return 1 + best_of(trace, at + 1, with, frames);
    }
    for (uint32_t left = resident; left != 0; left &= left - 1) {
        uint32_t found = 1 + best_of(trace, at + 1, with & ~(left & -left), frames);
        best = found < best ? found : best;
    }
    return best;
}

TEST(sim_min_exhaustive, "MIN equals the best of all choices of victims, on short traces") {
    uint32_t state = 11;
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t page[14];
        for (uint32_t i = 0; i < 14; i++) {
            state = state * 1664525 + 1013904223;
            page[i] = (state >> 20) % 6;
        }
        struct sim_trace trace = trace_of(page, 14);
        for (uint32_t frames = 1; frames <= 4; frames++) {
            CHECK_EQUAL(sim_replay_min(&trace, frames).misses, best_of(&trace, 0, 0, frames));
        }
        sim_trace_free(&trace);
    }
}

// ---- the oracle ------------------------------------------------------------------------------

#define TRACES SOURCE_ROOT "/../shared/traces"

// How far a policy may be from the oracle. ARC: the paper's p is a real number, and the oracle
// rounds it in another place. LIRS: the oracle's limit of the stack is another one than ours, so
// its counts are no yardstick for it; policy_scores.csv keeps ours.
static int64_t slack_of(const char *name) {
    return strcmp(name, "lirs") == 0 ? INT64_MAX : strcmp(name, "arc") == 0 ? 5 : 0;
}

static int64_t misses_by_name(const struct sim_trace *trace, const char *name, uint32_t frames) {
    if (strcmp(name, "belady") == 0) {
        return sim_replay_min(trace, frames).misses;
    }
    const struct policy_kind *kind = policy_find(name, 32);
    CHECK(kind != NULL);
    return misses_of(trace, kind, frames);
}

// `rows`: how many the oracle has for this trace.
static void oracle_compare(const char *wanted_trace, uint32_t rows) {
    FILE *oracle = fopen(TRACES "/oracle.csv", "r");
    if (oracle == NULL) {
        SKIP("there is no ../shared/traces/oracle.csv beside the project");
    }
    struct sim_trace trace;
    char path[400], error[600], line[200], name[64], policy[64];
    snprintf(path, sizeof(path), TRACES "/%s.u32.xz", wanted_trace);
    if (sim_trace_load(path, &trace, error, sizeof(error)) != 0) {
        test_fail(__FILE__, __LINE__, error);
    }
    uint32_t frames, misses, compared = 0;
    while (fgets(line, sizeof(line), oracle) != NULL) {
        if (sscanf(line, "%63[^,],%u,%63[^,],%u", name, &frames, policy, &misses) == 4 &&
            strcmp(name, wanted_trace) == 0) {
            test_case(line);
            int64_t distance = llabs(misses_by_name(&trace, policy, frames) - (int64_t)misses);
            CHECK(distance <= slack_of(policy));
            compared++;
        }
    }
    test_case(NULL);
    fclose(oracle);
    sim_trace_free(&trace);
    CHECK_EQUAL(compared, rows);
}

TEST(sim_oracle_gzip, "misses on the trace gzip-raw are those of an independent implementation") {
    oracle_compare("gzip-raw", 54);
}

TEST(sim_oracle_loop, "misses on the trace loop1001 are those of an independent implementation") {
    oracle_compare("loop1001", 66);
}

TEST(sim_oracle_sort, "misses on the trace sort are those of an independent implementation") {
    oracle_compare("sort", 55);
}

TEST(sim_oracle_zipf, "misses on the trace zipf09 are those of an independent implementation") {
    oracle_compare("zipf09", 55);
}
