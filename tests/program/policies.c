// SPDX-License-Identifier: MIT
// Policies replaced live, a thousand times and each by each other, under a program that knows what
// each of its pages holds. The program is the first one, so it may replace them itself.
#include <stdint.h>

#include "../random.h"
#include "../test.h"
#include "stubs.h"

#define INIT HANDLE(SLOT_INIT)
#define PAGER HANDLE(SLOT_PAGER)
#define FRAMES 48u
#define PAGES 120u
#define SWAPS 1000u
#define WORDS (PAGE_SIZE / sizeof(uint32_t))

static const char *const policies[] = {
#define POLICY(name, ...) #name,
#include "../../servers/pager/policy/policies.def"
#undef POLICY
};
#define COUNT (sizeof policies / sizeof *policies)

// Some with parameters of their own.
static const char *const tuned[] = {"arc:p=8",          "car:p=20",       "2q:in=50:out=10",
                                    "lirs:hir=20",      "nru:reset=1",    "wsclock:tau=1",
                                    "s3fifo:small=40:ghost=20:move=1",    "clock:load=1"};
#define TUNED (sizeof tuned / sizeof *tuned)

static uint32_t memory[PAGES][WORDS];
static uint32_t version[PAGES];  // that a page's words tell, 0: it was never written
static uint32_t seed = 7;

static uint32_t word_of(uint32_t page) {
    return version[page] == 0 ? 0 : page << 20 ^ version[page] * 2654435761u;
}

// Pages differ in how often they are used; every third use writes.
static void touch(uint32_t times) {
    for (uint32_t i = 0; i < times; i++) {
        uint32_t page = random_next(&seed) % (1 + random_next(&seed) % PAGES);
        volatile uint32_t *words = memory[page];
        CHECK_EQUAL(words[0], word_of(page));
        CHECK_EQUAL(words[WORDS - 1], word_of(page));
        if (random_next(&seed) % 3 == 0) {
            version[page]++;
            words[0] = words[WORDS - 1] = word_of(page);
        }
    }
}

static struct pager_stats_out stats(void) {
    struct pager_stats_out out = {0};
    CHECK_EQUAL(pager_stats(PAGER, 0, &out), OK);
    return out;
}

static void use(const char *policy) {
    CHECK_EQUAL(init_policy(INIT, text_of(policy)), OK);
}

// All pages are what they should be, nobody was wrong, and memory was short all the time.
static void finish(uint32_t evictions_before, uint32_t evictions_least) {
    for (uint32_t page = 0; page < PAGES; page++) {
        CHECK_EQUAL(memory[page][0], word_of(page));
        CHECK_EQUAL(memory[page][WORDS - 1], word_of(page));
    }
    struct pager_stats_out end = stats();
    CHECK_EQUAL(end.violations, 0);
    CHECK(end.evictions - evictions_before > evictions_least);
    CHECK(end.resident <= FRAMES);
}

TEST(policies_named, "the pager tells the policy in charge with the parameters that it was given") {
    use("arc");
    CHECK_TEXT(stats().policy.bytes, "arc");
    use("arc:p=8");
    CHECK_TEXT(stats().policy.bytes, "arc:p=8");
    use("lirs_10");
    CHECK_TEXT(stats().policy.bytes, "lirs_10");
    use("lirs:hir=10");
    CHECK_TEXT(stats().policy.bytes, "lirs:hir=10");
    CHECK_EQUAL(init_policy(INIT, text_of("arc:q=8")), E_ARGUMENT);
    CHECK_EQUAL(init_policy(INIT, text_of("lirs:hir=100")), E_ARGUMENT);
    CHECK_EQUAL(init_policy(INIT, text_of("lru2")), E_NOT_FOUND);
    CHECK_TEXT(stats().policy.bytes, "lirs:hir=10");
}

TEST(policies_thousand_swaps, "a thousand live changes of policy lose no page and mix none up") {
    CHECK_EQUAL(init_frames(INIT, FRAMES, name_of("")), OK);
    uint32_t before = stats().evictions;
    for (uint32_t i = 0; i < SWAPS; i++) {
        uint32_t choice = random_next(&seed) % (COUNT + TUNED);
        use(choice < COUNT ? policies[choice] : tuned[choice - COUNT]);
        touch(16);
    }
    finish(before, SWAPS);
}

TEST(policies_each_pair, "every policy takes over from every other one, and loses no page") {
    CHECK_EQUAL(init_frames(INIT, FRAMES, name_of("")), OK);
    uint32_t before = stats().evictions;
    for (uint32_t from = 0; from < COUNT; from++) {
        for (uint32_t to = 0; to < COUNT; to++) {
            use(policies[from]);
            touch(12);
            use(policies[to]);
            touch(12);
        }
    }
    finish(before, COUNT * COUNT);
}

TEST(policies_limits_change, "policies take over while the limit goes up and down") {
    uint32_t before = stats().evictions;
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQUAL(init_frames(INIT, 12 + random_next(&seed) % (FRAMES - 12), name_of("")), OK);
        use(policies[random_next(&seed) % COUNT]);
        touch(30);
    }
    finish(before, 100);
}
