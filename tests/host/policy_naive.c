// SPDX-License-Identifier: MIT
#include "policy_naive.h"

#include <stdlib.h>
#include <string.h>

#include "sim_replay.h"
#include "test.h"

enum { REFERENCES = 250000, RUNS = 4 };

uint32_t naive_frames;

void pages_insert(struct pages *pages, uint32_t place, uint32_t page) {
    CHECK(pages->count < 2 * NAIVE_PAGES && place <= pages->count);
    memmove(pages->at + place + 1, pages->at + place, (pages->count - place) * sizeof(page));
    pages->at[place] = page;
    pages->count++;
}

void pages_push(struct pages *pages, uint32_t page) {
    pages_insert(pages, pages->count, page);
}

uint32_t pages_cut(struct pages *pages, uint32_t place) {
    CHECK(place < pages->count);
    uint32_t page = pages->at[place];
    pages->count--;
    memmove(pages->at + place, pages->at + place + 1, (pages->count - place) * sizeof(page));
    return page;
}

uint32_t pages_shift(struct pages *pages) {
    return pages_cut(pages, 0);
}

uint32_t pages_find(const struct pages *pages, uint32_t page) {
    for (uint32_t i = 0; i < pages->count; i++) {
        if (pages->at[i] == page) {
            return i;
        }
    }
    return NAIVE_NONE;
}

int pages_remove(struct pages *pages, uint32_t page) {
    uint32_t place = pages_find(pages, page);
    if (place != NAIVE_NONE) {
        pages_cut(pages, place);
    }
    return place != NAIVE_NONE;
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

static uint32_t replay(const struct sim_trace *trace, const struct naive *model,
                       const struct victims *expected) {
    static uint8_t present[NAIVE_PAGES];
    uint32_t resident = 0, misses = 0, evictions = 0;
    uint32_t interval = naive_frames / 8 > 0 ? naive_frames / 8 : 1;
    memset(present, 0, sizeof(present));
    model->start();
    for (uint32_t i = 0; i < trace->length; i++) {
        uint32_t page = trace->page[i];
        if (present[page]) {
            model->hit(page);
            continue;
        }
        misses++;
        if (resident == naive_frames) {
            uint32_t victim = model->victim(page);
            CHECK(evictions < expected->count);
            CHECK_EQUAL(victim, expected->page[evictions]);
            CHECK_EQUAL(i, expected->reference[evictions]);
            present[victim] = 0;
            resident--;
            if (++evictions % interval == 0 && model->tick != NULL) {
                model->tick();
            }
        }
        model->come(page);
        present[page] = 1;
        resident++;
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
            page[i] = sweep++ % NAIVE_PAGES;
        } else {
            page[i] = random % (1 + random / 1024 % NAIVE_PAGES);
        }
    }
    struct sim_trace trace;
    sim_trace_number(&trace, page, REFERENCES);
    return trace;
}

void naive_compare(const char *name, struct naive model) {
    static const uint32_t frames[RUNS] = {3, 17, 40, 90};
    const struct policy_kind *kind = policy_find(name, 32);
    CHECK(kind != NULL);
    for (uint32_t run = 0; run < RUNS; run++) {
        struct sim_trace trace = trace_make(run + 1);
        struct victims victims = {sim_allocate(REFERENCES, 4), sim_allocate(REFERENCES, 4), 0};
        struct sim_result result = sim_replay(&trace, kind, frames[run], victim_note, &victims);
        CHECK_TEXT(result.line, "");
        naive_frames = frames[run];
        CHECK_EQUAL(replay(&trace, &model, &victims), result.misses);
        CHECK(victims.count > REFERENCES / 100);
        free(victims.reference);
        free(victims.page);
        sim_trace_free(&trace);
    }
}
