// SPDX-License-Identifier: MIT
// Replaying a recorded run: what does not fit is refused in words, a changed victim is noticed, and
// a run that was recorded from the wrapper itself is repeated victim by victim.
#include "policy_host.h"
#include "sim_run.h"

#define TASK 20u

static struct host host;
static struct sim_run *run;
static struct sim_run_result last;
static uint32_t reports;

static void note(void *context, const struct sim_run_result *result) {
    (void)context;
    last = *result;
    reports++;
}

static void record_for(uint32_t task, uint32_t kind, uint32_t word0, uint32_t word1,
                       uint32_t word2) {
    struct trace_record record = {.kind = (uint16_t)kind, .peer = (uint16_t)task,
                                  .word = {word0, word1, word2}};
    sim_run_add(run, &record);
}

static void record(uint32_t kind, uint32_t word0, uint32_t word1, uint32_t word2) {
    record_for(TASK, kind, word0, word1, word2);
}

static void start(uint32_t policy) {
    run = sim_run_new();
    reports = 0;
    record(EVENT_policy, policy, policy, 0);
}

static uint32_t replay(void) {
    uint32_t problems = sim_run_replay(run, note, NULL);
    sim_run_free(run);
    return problems;
}

static void check_problem(const char *text) {
    CHECK_EQUAL(replay(), 1);
    CHECK(last.problem != NULL);
    CHECK_TEXT(last.problem, text);
}

TEST(replay_rejects, "records that do not fit end the replay of their domain in words") {
    start(POLICY_COUNT);
    check_problem("the run used a policy that this build does not know");
    start(0);
    record(EVENT_policy, 0, 77, 5);
    check_problem("the run used a policy that this build does not know");
    start(0);
    record(EVENT_evict, 5, 1, 0);
    check_problem("the page left without ever coming: the trace has gaps");
    start(0);
    record(EVENT_drop, 5, 1, 0);
    check_problem("the page left without ever coming: the trace has gaps");
    start(0);
    record(EVENT_admit, 1u << 20, 1, 0);
    check_problem("there is no such page");
    start(0);
    record(EVENT_evict, 0xffffffff, 1, 0);
    check_problem("there is no such page");
    start(0);
    record(EVENT_admit, 5, 1, 99);
    check_problem("the page cannot be admitted");
    start(0);
    record(EVENT_admit, 5, 1, POLICY_USED);
    record(EVENT_policy, 0, 1, 2);
    check_problem("at a change of policy other numbers of pages were resident");
    run = sim_run_new();
    record(EVENT_admit, 5, 1, POLICY_USED);
    check_problem("the trace does not begin with the domain: record from the start");
}

TEST(replay_other_victim, "a victim that the policy would not choose is noticed, with both pages") {
    start(POLICY_INDEX_fifo);
    record(EVENT_admit, 5, 1, POLICY_USED);
    record(EVENT_admit, 6, 2, POLICY_USED);
    record(EVENT_evict, 6, 2, 0);
    check_problem("another page was the victim");
    CHECK_EQUAL(last.page, 6);
    CHECK_EQUAL(last.chosen, 5);
}

TEST(replay_missing_use, "a use that the record leaves out shows in a victim") {
    for (int left_out = 0; left_out < 2; left_out++) {
        start(POLICY_INDEX_clock);
        record(EVENT_admit, 64, 1, POLICY_USED);
        record(EVENT_admit, 127, 2, POLICY_USED);
        record(EVENT_accessed, 64, 1, left_out ? 1u << 31 : 0);
        record(EVENT_accessed, 0xfffffff0, 0xffffffff, 0xffffffff);  // pages that do not exist
        record(EVENT_evict, 127, 2, 0);
        CHECK_EQUAL(replay(), left_out);
    }
}

TEST(replay_kept, "a victim that could not leave counts as chosen and admitted again") {
    start(POLICY_INDEX_fifo);
    record(EVENT_admit, 1, 1, POLICY_USED);
    record(EVENT_admit, 2, 2, POLICY_USED);
    record(EVENT_admit, 1, 1, POLICY_USED);
    record(EVENT_evict, 2, 2, 0);
    record(EVENT_evict, 1, 1, 0);
    CHECK_EQUAL(replay(), 0);
    CHECK_EQUAL(last.victims, 3);
}

TEST(replay_domains, "domains are replayed apart, and a number can serve a second domain") {
    start(POLICY_INDEX_fifo);
    record_for(30, EVENT_policy, POLICY_INDEX_sieve, POLICY_INDEX_sieve, 0);
    record_for(30, EVENT_admit, 7, 1, POLICY_USED);
    record(EVENT_admit, 7, 1, POLICY_USED);
    record(EVENT_policy, POLICY_INDEX_clock, POLICY_INDEX_clock, 0);
    record(EVENT_admit, 8, 1, POLICY_USED);
    record(EVENT_evict, 8, 1, 0);
    record_for(30, EVENT_evict, 7, 1, 0);
    CHECK_EQUAL(replay(), 0);
    CHECK_EQUAL(reports, 2);
    CHECK_EQUAL(last.task, 30);
    CHECK_EQUAL(last.victims, 1);
}

// ---- runs ------------------------------------------------------------------------------------

static void evict_recorded(uint32_t incoming) {
    host_evict(&host, incoming);
    record(EVENT_evict, host.victim, 0, 0);
}

static void admit_recorded(uint32_t page, enum policy_how how) {
    while (host.c.resident >= host.frames) {
        evict_recorded(POLICY_NONE);
    }
    host_admit(&host, page, how);
    record(EVENT_admit, page, host.slot_of[page], how);
}

static void frames_recorded(uint32_t frames) {
    record(EVENT_limit, host.frames, frames, 0);
    host.frames = frames;
    checked_frames_set(&host.c, frames);
    while (host.c.resident > frames) {
        evict_recorded(POLICY_NONE);
    }
}

// The records do not tell yet which ghosts came back, or when a scan was complete.
static bool is_told(uint32_t policy) {
    const struct policy_operations *operations = policy_kinds[policy].operations;
    return operations->ghosts == 0 && operations->tick == NULL;
}

static void switch_recorded(uint32_t to) {
    uint32_t from = (uint32_t)(host.c.kind - policy_kinds);
    if (is_told(to) && (from != to || host.c.resident > 0)) {
        record(EVENT_policy, from, to, host.c.resident);
        CHECK(checked_switch(&host.c, policy_normal(&policy_kinds[to])));
    }
}

static void step_recorded(uint32_t *seed) {
    uint32_t page = random_next(seed) % (1 + random_next(seed) % HOST_PAGES);
    uint32_t what = random_next(seed) % 400;
    if (what == 0) {
        switch_recorded(random_next(seed) % POLICY_COUNT);
    } else if (what == 1) {
        frames_recorded(1 + random_next(seed) % HOST_FRAMES);
    } else if (host.slot_of[page] == POLICY_NONE) {
        admit_recorded(page, what < 20 ? POLICY_COLD : POLICY_USED);
    } else if (what < 10) {
        host_drop(&host, page);
        record(EVENT_drop, page, 0, 0);
    } else {
        checked_touch(&host.c, host.slot_of[page]);
        record(EVENT_accessed, page & ~63u, page % 64 < 32 ? 1u << page % 32 : 0,
               page % 64 < 32 ? 0 : 1u << page % 32);
    }
}

TEST(replay_repeats, "random runs with switches, drops, other limits: each victim is the same") {
    for (uint32_t policy = 0; policy < POLICY_COUNT; policy++) {
        if (!is_told(policy)) {
            continue;
        }
        test_case(policy_kinds[policy].name);
        uint32_t seed = 300 + policy;
        start(policy);
        host_start(&host, &policy_kinds[policy], 30);
        for (uint32_t i = 0; i < 20000; i++) {
            step_recorded(&seed);
        }
        CHECK_EQUAL(replay(), 0);
        CHECK_EQUAL(last.victims, host.evictions);
        CHECK(last.victims > 2000);
        CHECK(last.switches > 10);
    }
}
