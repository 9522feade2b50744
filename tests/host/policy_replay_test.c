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

// 0 frames: the trace does not say.
static void start_with(uint32_t policy, uint32_t frames) {
    run = sim_run_new();
    reports = 0;
    if (frames > 0) {
        record(EVENT_limit, frames, frames, frames);
    }
    record(EVENT_policy, policy, policy, 0);
}

static void start(uint32_t policy) {
    start_with(policy, 0);
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

TEST(replay_ghosts, "a ghost that returns is known: without the record of it the victim is another") {
    for (int left_out = 0; left_out < 2; left_out++) {
        start_with(POLICY_INDEX_2q, 4);
        for (uint32_t page = 1; page <= 4; page++) {
            record(EVENT_admit, page, page, POLICY_USED);
        }
        record(EVENT_evict, 1, 1, 0);
        record(EVENT_admit, 5, 5, POLICY_USED);
        record(EVENT_evict, 2, 2, 0);
        record(left_out ? EVENT_drop : EVENT_tick, 1, 1, 0);
        record(EVENT_admit, 1, 1, POLICY_USED);  // a ghost gets into Am, and A1in keeps one page
        record(EVENT_evict, 3, 3, 0);
        record(EVENT_evict, 4, 4, 0);
        record(EVENT_evict, 1, 1, 0);
        CHECK_EQUAL(replay(), left_out);
    }
}

TEST(replay_clean, "a page that the policy wanted written first is compared, and then not dirty") {
    for (uint32_t page = 7; page <= 8; page++) {
        start_with(POLICY_INDEX_wsclock, 2);
        record(EVENT_parameter, 0, 0, 0);
        record(EVENT_policy, POLICY_INDEX_wsclock, POLICY_INDEX_wsclock, 0);
        record(EVENT_admit, 7, 1, POLICY_USED);
        record(EVENT_admit, 8, 2, POLICY_USED);
        record(EVENT_dirty, 0, 1u << 7, 0);
        record(EVENT_tick, 0, 0, 0);
        record(EVENT_clean, page, 1, 0);
        record(EVENT_evict, 8, 2, 0);
        CHECK_EQUAL(replay(), page == 8);
    }
    CHECK_TEXT(last.problem, "another page was to be written first");
}

TEST(replay_parameters, "a policy is replayed with the parameters that it had, unknown ones are refused") {
    for (uint32_t bit = 0; bit < 2; bit++) {
        run = sim_run_new();
        record(EVENT_parameter, 0, bit, 0);
        record(EVENT_policy, POLICY_INDEX_clock, POLICY_INDEX_clock, 0);
        record(EVENT_admit, 1, 1, POLICY_USED);
        record(EVENT_admit, 2, 2, POLICY_USED);
        record(EVENT_evict, 1, 1, 0);
        record(EVENT_admit, 3, 1, POLICY_COLD);
        record(EVENT_evict, 3, 1, 0);
        CHECK_EQUAL(replay(), 0);
    }
    start(0);
    record(EVENT_parameter, POLICY_PARAMETERS, 1, 0);
    check_problem("the run used a parameter that this build does not know");
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

static int has_ghosts(void) {
    return host.c.kind->operations->ghosts > 0;
}

// Room for `page`, whose slot is `incoming`, or for none.
static void evict_recorded(uint32_t incoming, uint32_t page) {
    uint32_t evictions = host.evictions;
    while (host.evictions == evictions) {
        if (incoming != POLICY_NONE && has_ghosts()) {
            record(EVENT_incoming, page, incoming, 0);
        }
        host_evict(&host, incoming);
        record(host.evictions == evictions ? EVENT_clean : EVENT_evict, host.victim, 0, 0);
    }
}

static uint32_t take_recorded(uint32_t page) {
    uint32_t slot = checked_take(&host.c, host.ghost_of[page]);
    CHECK(slot != POLICY_NONE);
    host.ghost_hits += host.ghost_of[page] != POLICY_NONE;
    host.ghost_of[page] = POLICY_NONE;
    return slot;
}

static void admit_recorded(uint32_t page, enum policy_how how) {
    uint32_t slot = take_recorded(page);
    while (host.c.resident >= host.frames) {
        evict_recorded(slot, page);
    }
    host.slot_of[page] = slot;
    host.page_of[slot] = page;
    checked_admit(&host.c, slot, how);
    record(EVENT_admit, page, slot, how);
}

// It takes its time: others leave meanwhile, and perhaps it never comes.
static void read_recorded(uint32_t page, int comes) {
    uint32_t slot = take_recorded(page);
    record(EVENT_swap_in, page, 77, 0);
    while (host.c.resident >= host.frames) {
        evict_recorded(POLICY_NONE, 0);
    }
    if (comes) {
        host.slot_of[page] = slot;
        host.page_of[slot] = page;
        checked_admit(&host.c, slot, POLICY_USED);
        record(EVENT_admit, page, slot, POLICY_USED);
        return;
    }
    checked_drop(&host.c, slot);
    if (has_ghosts()) {
        record(EVENT_drop, page, slot, 0);
    }
}

static void frames_recorded(uint32_t frames) {
    record(EVENT_limit, host.frames, frames, frames);
    host.frames = frames;
    checked_frames_set(&host.c, frames);
    host_forget(&host);
    while (host.c.resident > frames) {
        evict_recorded(POLICY_NONE, 0);
    }
}

static void parameters_recorded(struct policy_choice *choice, uint32_t *seed) {
    const struct policy_parameter *parameter = choice->kind->operations->parameter;
    for (uint32_t i = 0; i < POLICY_PARAMETERS && parameter[i].name != NULL; i++) {
        uint64_t range = (uint64_t)parameter[i].most - parameter[i].least + 1;
        if (random_next(seed) % 2 == 0) {
            uint32_t below = range < 100 ? (uint32_t)range : 100;
            choice->parameter[i] = parameter[i].least + random_next(seed) % below;
        }
        record(EVENT_parameter, i, choice->parameter[i], 0);
    }
}

static void switch_recorded(uint32_t to, uint32_t *seed) {
    uint32_t from = (uint32_t)(host.c.kind - policy_kinds);
    struct policy_choice choice = policy_normal(&policy_kinds[to]);
    if (host.c.resident > 0) {
        parameters_recorded(&choice, seed);
        record(EVENT_policy, from, to, host.c.resident);
        CHECK(checked_switch(&host.c, choice));
        host_forget(&host);
    }
}

static void reap_recorded(void) {
    record(EVENT_reap, host.c.ghosts, 0, 0);
    for (uint32_t slot = checked_reap(&host.c); slot != POLICY_NONE;
         slot = checked_forget(&host.c)) {
        host.ghost_of[host.page_of[slot]] = POLICY_NONE;
    }
}

// Records one bit of a page, among 64.
static void bit_recorded(uint32_t kind, uint32_t page) {
    uint32_t low = page % 64 < 32 ? 1u << page % 32 : 0, high = page % 64 < 32 ? 0 : 1u << page % 32;
    record(kind, page & ~63u, low, high);
}

static void resident_recorded(uint32_t page, uint32_t what) {
    if (what < 10) {
        host_drop(&host, page);
        record(EVENT_drop, page, 0, 0);
    } else if (what < 100) {
        host.c.policy.slot[host.slot_of[page]].dirty = 1;
        bit_recorded(EVENT_dirty, page);
    } else {
        checked_touch(&host.c, host.slot_of[page]);
        bit_recorded(EVENT_accessed, page);
    }
}

static void step_recorded(uint32_t *seed) {
    uint32_t page = random_next(seed) % (1 + random_next(seed) % HOST_PAGES);
    uint32_t what = random_next(seed) % 400;
    if (what == 0) {
        switch_recorded(random_next(seed) % POLICY_COUNT, seed);
    } else if (what == 1) {
        frames_recorded(1 + random_next(seed) % HOST_FRAMES);
    } else if (what == 2) {
        reap_recorded();
    } else if (what < 8) {
        checked_tick(&host.c);
        record(EVENT_tick, 0, 0, 0);
    } else if (host.slot_of[page] != POLICY_NONE) {
        resident_recorded(page, what);
    } else if (host.ghost_of[page] != POLICY_NONE && what < 10) {
        host_drop(&host, page);
        record(EVENT_drop, page, 0, 0);
    } else if (what < 40) {
        read_recorded(page, what < 30);
    } else {
        admit_recorded(page, what < 60 ? POLICY_COLD : POLICY_USED);
    }
}

TEST(replay_repeats, "random runs with switches, drops, other limits: each victim is the same") {
    uint32_t ghost_hits = 0;
    for (uint32_t policy = 0; policy < POLICY_COUNT; policy++) {
        test_case(policy_kinds[policy].name);
        uint32_t seed = 300 + policy;
        start_with(policy, 30);
        host_start(&host, &policy_kinds[policy], 30);
        for (uint32_t i = 0; i < 20000; i++) {
            step_recorded(&seed);
        }
        CHECK_EQUAL(replay(), 0);
        CHECK_EQUAL(last.victims, host.evictions);
        CHECK(last.victims > 2000);
        CHECK(last.switches > 10);
        ghost_hits += host.ghost_hits;
    }
    CHECK(ghost_hits > 1000);
}
