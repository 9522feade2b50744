// SPDX-License-Identifier: MIT
// The fast host: compiled once for each policy's file, which it includes, so that the compiler sees
// loop and policy as one. FAST_POLICY is the table's name; the build renames the table, for the
// policy is in the program a second time, behind checked.h.
//
// A policy's slot is here the page's number + 1: no map is needed. Answers are checked as far as
// that is cheap (the victim is resident, a ghost is one, the order at the end is complete); a
// policy that is caught is replayed by sim_replay.c, which says what is wrong. Makes the same calls
// in the same order as that.
#include FAST_FILE

#include <stdlib.h>

#include "sim_fast.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define OPERATIONS JOIN(fast_operations_, FAST_POLICY)

enum { FAST_ABSENT, FAST_RESIDENT, FAST_GHOST, FAST_RETURNING };
enum { FAST_FEW = 8, FAST_RUN = 4096 };  // after so many hits up to so many are looked at together

struct fast {
    struct policy policy;
    uint8_t *state;  // by page
    uint8_t *noted;  // by page: 1 while its last use in this run is in `run`, only if last_touch
    uint32_t *run;
    uint32_t frames, resident;
    uint32_t ghosts, ghosts_most;
    uint32_t interval, until;  // evictions between two ticks, and until the next
    struct sim_result result;
    sim_victim_seen *seen;
    void *context;
};

static bool fast_slot_is(const struct fast *fast, uint32_t slot, uint8_t state) {
    return slot != POLICY_NONE && slot < fast->policy.slots && fast->state[slot - 1] == state;
}

// As checked_forget() until there is no more.
static bool fast_forget_ghosts(struct fast *fast) {
    while (OPERATIONS.reap != NULL && fast->ghosts > 0) {
        bool must = fast->ghosts > fast->ghosts_most;
        uint32_t slot = OPERATIONS.reap(&fast->policy, must);
        if (slot == POLICY_NONE) {
            return !must;
        }
        if (fast_slot_is(fast, slot, FAST_RETURNING)) {  // the page that is coming is a new one now
            fast->policy.slot[slot] = (struct policy_slot){0};
        } else if (fast_slot_is(fast, slot, FAST_GHOST)) {
            fast->ghosts--;
        } else {
            return false;
        }
        fast->state[slot - 1] = FAST_ABSENT;
    }
    return true;
}

static bool fast_evict(struct fast *fast, uint32_t incoming, uint32_t reference) {
    uint32_t answer = OPERATIONS.victim(&fast->policy, incoming), slot = POLICY_SLOT(answer);
    bool ghost = (answer & POLICY_GHOST) != 0, clean = (answer & POLICY_CLEAN) != 0;
    if (!fast_slot_is(fast, slot, FAST_RESIDENT) || (ghost && (clean || OPERATIONS.ghosts == 0))) {
        return false;
    }
    struct policy_slot *record = &fast->policy.slot[slot];
    bool dirty = record->dirty;
    fast->result.writebacks += dirty;
    record->dirty = 0;
    if (clean) {
        fast->result.cleans++;
        return dirty;
    }
    fast->resident--;
    fast->state[slot - 1] = ghost ? FAST_GHOST : FAST_ABSENT;
    fast->ghosts += ghost;
    if (OPERATIONS.ghosts != 0 && !fast_forget_ghosts(fast)) {
        return false;
    }
    if (OPERATIONS.tick != NULL && --fast->until == 0) {
        fast->until = fast->interval;
        OPERATIONS.tick(&fast->policy);
    }
    if (fast->seen != NULL) {
        fast->seen(fast->context, reference, slot - 1);
    }
    return true;
}

static inline bool fast_miss(struct fast *fast, uint32_t page, uint32_t reference) {
    uint32_t slot = page + 1;
    struct policy_slot *record = &fast->policy.slot[slot];
    fast->result.misses++;
    if (OPERATIONS.ghosts != 0 && fast->state[page] == FAST_GHOST) {
        fast->state[page] = FAST_RETURNING;
        fast->ghosts--;
    } else {
        *record = (struct policy_slot){0};
    }
    while (fast->resident >= fast->frames) {
        if (!fast_evict(fast, slot, reference)) {
            return false;
        }
    }
    fast->state[page] = FAST_RESIDENT;
    fast->resident++;
    record->ref = 0;
    OPERATIONS.admit(&fast->policy, slot, POLICY_USED);
    return true;
}

__attribute__((noinline, flatten)) static bool fast_miss_called(struct fast *fast, uint32_t page,
                                                  uint32_t reference) {
    return fast_miss(fast, page, reference);
}

static inline void fast_hit(struct fast *fast, struct policy_slot *record, uint32_t page) {
    if (OPERATIONS.touch != NULL) {
        record[page].ref = 1;
        OPERATIONS.touch(&fast->policy, page + 1);
    } else if (!OPERATIONS.blind) {
        record[page].ref = 1;
    }
}

// The hits from `at` on, up to the next miss, for a policy that has last_touch; returns how many. The
// last use of each page is found backwards and told forwards, without a branch that depends on which
// pages are used again: a processor cannot guess that, and relinking a page a moment after it was
// relinked has to wait for that.
static inline uint32_t fast_run_of_hits(struct fast *fast, const struct sim_block *block,
                                        uint32_t at, const uint8_t *write) {
    const uint32_t *page = block->page + at;
    struct policy_slot *record = fast->policy.slot + 1;
    const uint8_t *state = fast->state;
    uint8_t *noted = fast->noted;
    uint32_t *run = fast->run, last = 0, hits = 0;
    uint32_t most = block->count - at < FAST_RUN ? block->count - at : FAST_RUN;
    for (; hits < most && state[page[hits]] == FAST_RESIDENT; hits++) {
        if (write != NULL && write[at + hits]) {
            record[page[hits]].dirty = 1;
        }
    }
    for (uint32_t i = hits; i-- > 0;) {
        run[last] = page[i];
        last += !noted[page[i]];
        noted[page[i]] = 1;
    }
    while (last-- > 0) {
        noted[run[last]] = 0;
        fast_hit(fast, record, run[last]);
    }
    return hits;
}

// A hit is one store for policies that keep no order, and nothing for those that are blind, too.
static inline __attribute__((always_inline)) bool fast_references(struct fast *fast,
                                                             const struct sim_block *block,
                                                             const uint8_t *write) {
    const uint8_t *state = fast->state;
    struct policy_slot *record = fast->policy.slot + 1;
    const uint32_t *pages = block->page;
    for (uint32_t i = 0, hits = 0, count = block->count; i < count; i++) {
        if (OPERATIONS.last_touch && hits == FAST_FEW) {
            i += fast_run_of_hits(fast, block, i, write);
            hits = 0;
            if (i == count) {
                break;
            }
        }
        uint32_t page = pages[i];
        if (__builtin_expect(state[page] == FAST_RESIDENT, 1)) {
            fast_hit(fast, record, page);
            hits++;
        } else if (!fast_miss_called(fast, page, block->first + i)) {
            return false;
        } else {
            hits = 0;
        }
        if (write != NULL && write[i]) {
            record[page].dirty = 1;
        }
    }
    return true;
}

// Are the residents all in the order, each once? They are taken out of `state` for that.
static bool fast_order_complete(struct fast *fast) {
    uint32_t limit = fast->resident + 1, wrong = 0;
    uint32_t *out = sim_allocate(limit, sizeof(*out));
    uint32_t count = OPERATIONS.order(&fast->policy, out, limit);
    for (uint32_t i = 0; i < count && i < limit; i++) {
        if (!fast_slot_is(fast, out[i], FAST_RESIDENT)) {
            wrong++;
        } else {
            fast->state[out[i] - 1] = FAST_ABSENT;
        }
    }
    free(out);
    return wrong == 0 && count == fast->resident;
}

static void fast_start(struct fast *fast, const struct sim_trace *trace,
                  const struct policy_choice *choice, uint32_t frames) {
    fast->policy.slots = trace->footprint + 1;
    fast->policy.slot = sim_allocate(fast->policy.slots, sizeof(struct policy_slot));
    fast->policy.frames = frames;
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        fast->policy.parameter[i] = choice->parameter[i];
    }
    fast->state = sim_allocate(trace->footprint, 1);
    if (OPERATIONS.last_touch) {
        fast->noted = sim_allocate(trace->footprint, 1);
        fast->run = sim_allocate(FAST_RUN, sizeof(*fast->run));
    }
    fast->frames = frames < trace->footprint ? frames : trace->footprint;
    fast->ghosts_most = (uint32_t)((uint64_t)frames * OPERATIONS.ghosts / 100);
    fast->interval = fast->until = frames / 8 > 0 ? frames / 8 : 1;
    OPERATIONS.init(&fast->policy);
}

bool JOIN(fast_run_, FAST_POLICY)(const struct sim_trace *trace,
                                  const struct policy_choice *choice, uint32_t frames,
                                  sim_victim_seen *seen, void *context,
                                  struct sim_result *result) {
    struct fast fast = {.seen = seen, .context = context};
    struct sim_blocks blocks;
    struct sim_block block;
    bool right = true;
    fast_start(&fast, trace, choice, frames);
    sim_blocks_start(&blocks, trace);
    while (right && sim_blocks_next(&blocks, &block)) {
        right = block.write != NULL ? fast_references(&fast, &block, block.write)
                                    : fast_references(&fast, &block, NULL);
    }
    sim_blocks_end(&blocks);
    right = right && fast_order_complete(&fast);
    free(fast.policy.slot);
    free(fast.state);
    free(fast.noted);
    free(fast.run);
    *result = fast.result;
    return right;
}
