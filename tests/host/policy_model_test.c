// SPDX-License-Identifier: MIT
// Policies with one queue against models written from their definitions in another way: no lists of
// slots, but arrival times and arrays that are searched, compared by naive_compare().
#include "policy_naive.h"
#include "test.h"

static struct model {
    uint32_t resident;
    uint32_t queue[NAIVE_PAGES];    // resident pages, oldest first
    uint32_t arrival[NAIVE_PAGES];  // when each page came, for those resident
    uint8_t used[NAIVE_PAGES], load_bit;
    uint32_t clock, hand;           // hand: arrival time that SIEVE looks at next
} model;

static uint32_t queue_remove(struct model *m, uint32_t place) {
    uint32_t page = m->queue[place];
    m->resident--;
    for (uint32_t i = place; i < m->resident; i++) {
        m->queue[i] = m->queue[i + 1];
    }
    return page;
}

static void queue_add(struct model *m, uint32_t page) {
    m->queue[m->resident++] = page;
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

static uint32_t model_fifo(uint32_t incoming) {
    (void)incoming;
    return queue_remove(&model, place_from(&model, 0));
}

// FIFO with reinsertion.
static uint32_t model_clock(uint32_t incoming) {
    (void)incoming;
    for (;;) {
        uint32_t page = queue_remove(&model, 0);
        if (!model.used[page]) {
            return page;
        }
        model.used[page] = 0;
        queue_add(&model, page);
    }
}

// A hand that looked at the newest page starts again with the oldest, whatever comes meanwhile.
static uint32_t model_sieve(uint32_t incoming) {
    struct model *m = &model;
    (void)incoming;
    for (;;) {
        uint32_t place = place_from(m, m->hand), page = m->queue[place];
        m->hand = m->arrival[page] == m->clock ? 0 : m->arrival[page] + 1;
        if (!m->used[page]) {
            return queue_remove(m, place);
        }
        m->used[page] = 0;
    }
}

static void start(void) {
    model = (struct model){.load_bit = 0};
}

static void start_used(void) {
    model = (struct model){.load_bit = 1};
}

static void hit(uint32_t page) {
    model.used[page] = 1;
}

static void come(uint32_t page) {
    model.used[page] = model.load_bit;
    model.arrival[page] = ++model.clock;
    queue_add(&model, page);
}

TEST(model_fifo, "a million references: fifo and a search for the earliest arrival never differ") {
    naive_compare("fifo", (struct naive){start, hit, model_fifo, come, NULL});
}

TEST(model_clock, "a million references: clock and FIFO with reinsertion never differ") {
    naive_compare("clock", (struct naive){start, hit, model_clock, come, NULL});
}

TEST(model_clock_r1, "a million references: the same with reference bit 1 on load") {
    naive_compare("clock_r1", (struct naive){start_used, hit, model_clock, come, NULL});
}

TEST(model_sieve, "a million references: sieve and a search by arrival time never differ") {
    naive_compare("sieve", (struct naive){start, hit, model_sieve, come, NULL});
}
