// SPDX-License-Identifier: MIT
// The policies against models written from their definitions in another way: no lists of slots, but
// arrival times and arrays that are searched. A million random references each; every victim must
// be the same page at the same reference.
#include <stdlib.h>

#include "sim_replay.h"
#include "test.h"

#define PAGES 160u
#define REFERENCES 250000u  // per run; four runs for each policy

// ---- models ----------------------------------------------------------------------------------

struct model {
    uint32_t frames, resident;
    uint32_t queue[PAGES];     // resident pages, oldest first
    uint32_t arrival[PAGES];   // when each page came, for those resident
    uint8_t present[PAGES], used[PAGES];
    uint32_t clock, hand;      // hand: arrival time that SIEVE looks at next
};

typedef uint32_t model_victim(struct model *m);

static uint32_t queue_remove(struct model *m, uint32_t place) {
    uint32_t page = m->queue[place];
    m->resident--;
    for (uint32_t i = place; i < m->resident; i++) {
        m->queue[i] = m->queue[i + 1];
    }
    m->present[page] = 0;
    return page;
}

static void queue_add(struct model *m, uint32_t page) {
    m->queue[m->resident++] = page;
    m->present[page] = 1;
}

// The page with the least arrival time from `from` on, or of all if there is none.
static uint32_t place_from(const struct model *m, uint32_t from) {
    uint32_t best = 0, found = 0;
    for (uint32_t i = 0; i < m->resident; i++) {
        uint32_t at = m->arrival[m->queue[i]];
        if (at >= from && (!found || at < m->arrival[m->queue[best]])) {
            best = i;
            found = 1;
        }
    }
    return found || from == 0 ? best : place_from(m, 0);
}

static uint32_t model_fifo(struct model *m) {
    return queue_remove(m, place_from(m, 0));
}

// FIFO with reinsertion.
static uint32_t model_clock(struct model *m) {
    for (;;) {
        uint32_t page = queue_remove(m, 0);
        if (!m->used[page]) {
            return page;
        }
        m->used[page] = 0;
        queue_add(m, page);
    }
}

// A hand that looked at the newest page starts again with the oldest, whatever comes meanwhile.
static uint32_t model_sieve(struct model *m) {
    for (;;) {
        uint32_t place = place_from(m, m->hand), page = m->queue[place];
        m->hand = m->arrival[page] == m->clock ? 0 : m->arrival[page] + 1;
        if (!m->used[page]) {
            return queue_remove(m, place);
        }
        m->used[page] = 0;
    }
}

// ---- comparison ------------------------------------------------------------------------------

struct victims {
    uint32_t *reference, *page;
    uint32_t count;
};

static void victim_note(void *context, uint32_t reference, uint32_t page) {
    struct victims *victims = context;
    victims->reference[victims->count] = reference;
    victims->page[victims->count++] = page;
}

// Replays on the model and compares victim by victim; returns the misses.
static uint32_t model_replay(const struct sim_trace *trace, uint32_t frames, uint8_t load_bit,
                             model_victim *victim, const struct victims *expected) {
    static struct model m;
    m = (struct model){.frames = frames};
    uint32_t misses = 0, evictions = 0;
    for (uint32_t i = 0; i < trace->length; i++) {
        uint32_t page = trace->page[i];
        if (m.present[page]) {
            m.used[page] = 1;
            continue;
        }
        misses++;
        if (m.resident == frames) {
            CHECK(evictions < expected->count);
            CHECK_EQUAL(victim(&m), expected->page[evictions]);
            CHECK_EQUAL(i, expected->reference[evictions]);
            evictions++;
        }
        m.used[page] = load_bit;
        m.arrival[page] = ++m.clock;
        queue_add(&m, page);
    }
    CHECK_EQUAL(evictions, expected->count);
    return misses;
}

// Skewed references, with loops and sweeps in between, as programs have them.
static struct sim_trace trace_make(uint64_t seed) {
    uint32_t *page = sim_allocate(REFERENCES, sizeof(uint32_t));
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    uint32_t sweep = 0, left = 0;
    for (uint32_t i = 0; i < REFERENCES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint32_t random = (uint32_t)(state >> 33);
        if (left == 0 && random % 700 == 0) {
            left = 50 + random / 700 % 150;
        }
        if (left > 0) {
            left--;
            page[i] = sweep++ % PAGES;
        } else {
            page[i] = random % (1 + random / 1024 % PAGES);
        }
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, REFERENCES);
    return trace;
}

static void compare(const char *name, model_victim *victim, uint8_t load_bit) {
    static const uint32_t frames[] = {3, 17, 40, 90};
    const struct policy_kind *kind = policy_find(name, 32);
    CHECK(kind != NULL);
    for (uint32_t run = 0; run < 4; run++) {
        struct sim_trace trace = trace_make(run + 1);
        struct victims victims = {sim_allocate(REFERENCES, 4), sim_allocate(REFERENCES, 4), 0};
        struct sim_result result = sim_replay(&trace, kind, frames[run], victim_note, &victims);
        CHECK_TEXT(result.line, "");
        CHECK_EQUAL(model_replay(&trace, frames[run], load_bit, victim, &victims), result.misses);
        CHECK(victims.count > REFERENCES / 100);
        free(victims.reference);
        free(victims.page);
        sim_trace_free(&trace);
    }
}

TEST(model_fifo, "a million references: fifo and a search for the earliest arrival never differ") {
    compare("fifo", model_fifo, 0);
}

TEST(model_clock, "a million references: clock and FIFO with reinsertion never differ") {
    compare("clock", model_clock, 0);
}

TEST(model_clock_r1, "a million references: the same with reference bit 1 on load") {
    compare("clock_r1", model_clock, 1);
}

TEST(model_sieve, "a million references: sieve and a search by arrival time never differ") {
    compare("sieve", model_sieve, 0);
}
