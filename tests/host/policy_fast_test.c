// SPDX-License-Identifier: MIT
// The fast host makes the same victims as the one behind checked.h; other ways to the same count
// (LRU's stack, MIN's window, traces in files, many threads) count the same.
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "sim_rows.h"
#include "test.h"

#define LENGTH 60000u
#define PAGES 300u

// Zipf-like with loops; a third of the references write.
static struct sim_trace trace_make(uint32_t seed, bool writes) {
    uint32_t *page = sim_allocate(LENGTH, sizeof(*page));
    uint8_t *write = sim_allocate(LENGTH, 1);
    for (uint32_t i = 0; i < LENGTH; i++) {
        uint32_t range = 1 + random_next(&seed) % PAGES;
        page[i] = i % 5000 < 1000 ? i % 137 : random_next(&seed) % range;
        write[i] = random_next(&seed) % 3 == 0;
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, LENGTH);
    trace.writes = writes;
    trace.write = writes ? write : NULL;
    if (!writes) {
        free(write);
    }
    return trace;
}

// The same in a file.
static struct sim_trace trace_file(const struct sim_trace *trace) {
    struct sim_trace filed = *trace;
    uint32_t *word = sim_allocate(trace->length, sizeof(*word));
    for (uint32_t i = 0; i < trace->length; i++) {
        word[i] = trace->page[i] | (trace->write != NULL && trace->write[i] ? SIM_WRITE : 0);
    }
    filed.page = NULL;
    filed.write = NULL;
    filed.file = sim_file_make();
    sim_file_write(filed.file, 0, word, trace->length);
    free(word);
    return filed;
}

static void check_same(struct sim_result a, struct sim_result b) {
    CHECK_TEXT(a.line, "");
    CHECK_TEXT(b.line, "");
    CHECK_EQUAL(a.misses, b.misses);
    CHECK_EQUAL(a.writebacks, b.writebacks);
    CHECK_EQUAL(a.cleans, b.cleans);
}

// ---- victims ---------------------------------------------------------------------------------

struct victims {
    uint32_t count, at[LENGTH][2];
};

static void victim_note(void *context, uint32_t reference, uint32_t page) {
    struct victims *victims = context;
    victims->at[victims->count][0] = reference;
    victims->at[victims->count++][1] = page;
}

static void compare_victims(const struct sim_trace *trace, struct policy_choice choice,
                            uint32_t frames) {
    static struct victims fast, checked;
    struct sim_result result;
    fast.count = checked.count = 0;
    CHECK(sim_fast(trace, choice, frames, victim_note, &fast, &result));
    check_same(result, sim_replay_choice(trace, choice, frames, victim_note, &checked));
    CHECK_EQUAL(fast.count, checked.count);
    CHECK(memcmp(fast.at, checked.at, fast.count * sizeof(fast.at[0])) == 0);
}

TEST(fast_victims, "every policy, 1 to 400 frames, with and without writes: the same victims") {
    static const uint32_t frames[] = {1, 2, 3, 5, 8, 13, 40, 100, 200, 290, 299, 300, 400};
    for (int writes = 0; writes < 2; writes++) {
        struct sim_trace trace = trace_make(7 + (uint32_t)writes, writes);
        for (uint32_t i = 0; i < POLICY_COUNT; i++) {
            test_case(policy_kinds[i].name);
            for (size_t f = 0; f < sizeof(frames) / sizeof(frames[0]); f++) {
                compare_victims(&trace, policy_normal(&policy_kinds[i]), frames[f]);
            }
        }
        sim_trace_free(&trace);
    }
}

TEST(fast_parameters, "parameters reach a policy in the fast host as in the other") {
    static const char *const texts[] = {"arc:p=8", "2q:in=50:out=10", "lirs:hir=30", "clock:load=1",
                                        "s3fifo:small=0:move=1", "wsclock:tau=1", "nru:reset=1"};
    struct sim_trace trace = trace_make(4, true);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sim_choice choice;
        test_case(texts[i]);
        CHECK(sim_choose(&choice, texts[i]) == NULL);
        compare_victims(&trace, choice.policy, 50);
    }
    sim_trace_free(&trace);
}

// ---- what is wrong ---------------------------------------------------------------------------

TEST(sim_choose_rejects, "names and parameters that do not exist are refused in words") {
    static const char *const cases[][2] = {
        {"", "names no policy"}, {"random2", "names no policy"}, {"min:", "names no policy"},
        {"random:", "names no parameter of random, which has only seed"},
        {"random:sed=1", "names no parameter of random, which has only seed"},
        {"random:seed=", "gives random a seed that is no number"},
        {"random:seed=-1", "gives random a seed that is no number"},
        {"random:seed=1x", "gives random a seed that is no number"},
        {"arc:q=8", "names no parameter of this policy"},
        {"a-name-that-is-longer-than-sixty-four-letters-and-so-is-no-policy-at-all",
         "is too long"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sim_choice choice;
        const char *problem = sim_choose(&choice, cases[i][0]);
        CHECK(problem != NULL);
        CHECK_TEXT(problem, cases[i][1]);
    }
}

TEST(fast_unknown, "a policy that is not in policies.def is replayed by the checked host") {
    static struct policy_kind other;
    other = policy_kinds[0];
    struct sim_trace trace = trace_make(2, false);
    struct sim_choice choice = {.policy = policy_normal(&other)};
    struct sim_result result;
    CHECK(!sim_fast(&trace, choice.policy, 10, NULL, NULL, &result));
    check_same(sim_score(&trace, &choice, 10), sim_replay(&trace, &other, 10, NULL, NULL));
    sim_trace_free(&trace);
}

// ---- writes ----------------------------------------------------------------------------------

static struct sim_trace written(const char *pages) {
    uint32_t length = (uint32_t)strlen(pages), *page = sim_allocate(length, sizeof(*page));
    uint8_t *write = sim_allocate(length, 1);
    for (uint32_t i = 0; i < length; i++) {
        page[i] = (uint32_t)pages[i] | 0x20;  // "A" writes page "a"
        write[i] = (pages[i] & 0x20) == 0;
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, length);
    trace.write = write;
    trace.writes = true;
    return trace;
}

TEST(sim_writebacks, "a page is written back once for each stay in which it was written to") {
    static const struct {
        const char *pages, *policy;
        uint32_t frames, writebacks, cleans;
    } cases[] = {
        {"abc", "fifo", 1, 0, 0},      {"Abc", "fifo", 1, 1, 0},   {"ABC", "fifo", 1, 2, 0},
        {"AAAab", "fifo", 1, 1, 0},    {"AbaC", "fifo", 1, 1, 0},  {"aAbBc", "lru", 1, 2, 0},
        {"AbcbAc", "min", 2, 1, 0},    {"AB", "min", 2, 0, 0},     {"ABC", "min", 1, 2, 0},
        {"AbCdE", "random", 1, 2, 0},  {"AbA", "fifo", 2, 0, 0},   {"ABabab", "lru", 1, 2, 0},
        {"ABcd", "wsclock:tau=0", 2, 2, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sim_trace trace = written(cases[i].pages), filed = trace_file(&trace);
        struct sim_choice choice;
        test_case(cases[i].pages);
        CHECK(sim_choose(&choice, cases[i].policy) == NULL);
        struct sim_result result = sim_score(&trace, &choice, cases[i].frames);
        CHECK_EQUAL(result.writebacks, cases[i].writebacks);
        check_same(result, sim_score(&filed, &choice, cases[i].frames));
        sim_trace_free(&trace);
        sim_trace_free(&filed);
    }
}

TEST(sim_cleans, "a policy that has pages written first: WSClock does, and each is counted") {
    struct sim_trace trace = trace_make(21, true);
    struct sim_choice choice;
    CHECK(sim_choose(&choice, "wsclock:tau=1") == NULL);
    struct sim_result result = sim_score(&trace, &choice, 60);
    CHECK(result.cleans > 100 && result.cleans < result.writebacks);
    sim_trace_free(&trace);
}

// ---- the yardsticks --------------------------------------------------------------------------

TEST(sim_random, "random: the seed decides, all victims are equally likely") {
    struct sim_trace trace = trace_make(9, false);
    uint32_t one = sim_replay_random(&trace, 50, 1).misses;
    CHECK_EQUAL(sim_replay_random(&trace, 50, 1).misses, one);
    CHECK(sim_replay_random(&trace, 50, 2).misses != one);
    sim_trace_free(&trace);
    // Pages 0 and 1 in two frames: when page 2 comes, page 0 stays with a chance of one half.
    uint32_t stayed = 0;
    for (uint32_t seed = 0; seed < 4000; seed++) {
        uint32_t *copy = sim_allocate(4, sizeof(*copy));
        memcpy(copy, (uint32_t[]){0, 1, 2, 0}, 16);
        sim_trace_number(&trace, copy, 4);
        stayed += sim_replay_random(&trace, 2, seed).misses == 3;
        sim_trace_free(&trace);
    }
    CHECK(stayed > 1850 && stayed < 2150);  // 2000 expected, 4.7 standard deviations
}

TEST(sim_min_window, "MIN counts the same however far its window reaches") {
    for (int writes = 0; writes < 2; writes++) {
        struct sim_trace trace = trace_make(17, writes), filed = trace_file(&trace);
        struct sim_future near = sim_future_make(&trace), far = sim_future_make(&filed);
        for (uint32_t frames = 1; frames <= 320; frames += 29) {
            struct sim_result wanted = sim_future_replay(&near, frames, SIM_WINDOW);
            check_same(wanted, sim_future_replay(&near, frames, 64));
            check_same(wanted, sim_future_replay(&near, frames, 4096));
            check_same(wanted, sim_future_replay(&far, frames, 128));
        }
        sim_future_end(&near);
        sim_future_end(&far);
        sim_trace_free(&trace);
        sim_trace_free(&filed);
    }
}

TEST(sim_lru_stack, "one pass of stack distances counts as lru.c does, for all sizes") {
    struct sim_trace trace = trace_make(23, false), filed = trace_file(&trace);
    uint32_t frames[320], misses[320], again[320];
    for (uint32_t i = 0; i < 320; i++) {
        frames[i] = i + 1;
    }
    sim_replay_lru(&trace, frames, 320, misses);
    sim_replay_lru(&filed, frames, 320, again);
    for (uint32_t i = 0; i < 320; i++) {
        struct sim_result result = sim_replay(&trace, &policy_kinds[POLICY_INDEX_lru], frames[i],
                                              NULL, NULL);
        CHECK_EQUAL(misses[i], result.misses);
        CHECK_EQUAL(again[i], result.misses);
    }
    sim_trace_free(&trace);
    sim_trace_free(&filed);
}

TEST(sim_file_traces, "a trace in a file gives every policy the counts that it has in memory") {
    struct sim_trace trace = trace_make(31, true), filed = trace_file(&trace);
    for (uint32_t i = 0; i < SIM_CHOICES; i++) {
        struct sim_choice choice = sim_choice_at(i);
        test_case(choice.name);
        check_same(sim_score(&trace, &choice, 77), sim_score(&filed, &choice, 77));
    }
    sim_trace_free(&trace);
    sim_trace_free(&filed);
}

// ---- threads ---------------------------------------------------------------------------------

struct seen {
    const struct sim_row *first;
    uint32_t count;
};

static void row_seen(void *context, const struct sim_row *row) {
    struct seen *seen = context;
    CHECK_EQUAL(row - seen->first, seen->count);
    seen->count++;
}

TEST(sim_rows_order, "rows come in their order and with the same counts, whatever the threads") {
    enum { SIZES = 7 };
    struct sim_trace trace = trace_make(41, false);
    struct sim_choice choice[SIM_CHOICES];
    static struct sim_row row[SIM_CHOICES * SIZES];
    uint32_t wanted[SIM_CHOICES * SIZES];
    for (uint32_t threads = 1; threads <= 9; threads += 4) {
        for (uint32_t i = 0; i < SIM_CHOICES * SIZES; i++) {
            choice[i / SIZES] = sim_choice_at(i / SIZES);
            row[i] = (struct sim_row){.choice = &choice[i / SIZES], .frames = 1 + i % SIZES * 40};
        }
        struct seen seen = {.first = row};
        struct sim_rows_how how = {.threads = threads, .checked = threads == 5};
        sim_rows_run(&trace, row, SIM_CHOICES * SIZES, how, row_seen, &seen);
        CHECK_EQUAL(seen.count, SIM_CHOICES * SIZES);
        for (uint32_t i = 0; i < SIM_CHOICES * SIZES; i++) {
            test_case(row[i].choice->name);
            wanted[i] = threads == 1 ? row[i].result.misses : wanted[i];
            CHECK_EQUAL(row[i].result.misses, wanted[i]);
        }
    }
    sim_trace_free(&trace);
}
