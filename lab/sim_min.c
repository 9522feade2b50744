// SPDX-License-Identifier: MIT
// Belady's MIN with mandatory insertion: the victim is the resident page whose next use is farthest
// away (Belady, A study of replacement algorithms for a virtual-storage computer, 1966). Host only:
// no pager knows the future.
#include <stdlib.h>

#include "sim_replay.h"

// A set of numbers below a limit, as a tree of bitmaps: bit n of level k + 1 tells whether word n
// of level k is not 0. Insert, remove and greatest member touch one word per level.
#define SET_LEVELS 6
struct set {
    uint64_t *level[SET_LEVELS];
    uint32_t levels;
};

static void set_start(struct set *set, uint32_t limit) {
    uint64_t words = limit;
    set->levels = 0;
    do {
        words = (words + 63) / 64;
        set->level[set->levels++] = sim_allocate(words, sizeof(uint64_t));
    } while (words > 1);
}

static void set_end(struct set *set) {
    for (uint32_t k = 0; k < set->levels; k++) {
        free(set->level[k]);
    }
}

static void set_insert(struct set *set, uint32_t member) {
    for (uint32_t k = 0; k < set->levels; k++, member /= 64) {
        set->level[k][member / 64] |= UINT64_C(1) << member % 64;
    }
}

static void set_remove(struct set *set, uint32_t member) {
    for (uint32_t k = 0; k < set->levels; k++, member /= 64) {
        set->level[k][member / 64] &= ~(UINT64_C(1) << member % 64);
        if (set->level[k][member / 64] != 0) {
            return;
        }
    }
}

// The set must not be empty.
static uint32_t set_greatest(const struct set *set) {
    uint32_t at = 0;
    for (uint32_t k = set->levels; k > 0; k--) {
        at = at * 64 + 63 - (uint32_t)__builtin_clzll(set->level[k - 1][at]);
    }
    return at;
}

// next[i]: when the page of reference i is used again; length + page if never, so that all values
// differ and each names its page.
static uint32_t *next_uses(const struct sim_trace *trace) {
    uint32_t *next = sim_allocate(trace->length, 4);
    uint32_t *seen = sim_allocate(trace->footprint, 4);
    for (uint32_t page = 0; page < trace->footprint; page++) {
        seen[page] = trace->length + page;
    }
    for (uint32_t i = trace->length; i-- > 0;) {
        next[i] = seen[trace->page[i]];
        seen[trace->page[i]] = i;
    }
    free(seen);
    return next;
}

struct sim_result sim_replay_min(const struct sim_trace *trace, uint32_t frames) {
    struct sim_result result = {0};
    struct set resident;  // each resident page, as the time of its next use
    set_start(&resident, trace->length + trace->footprint);
    uint32_t *next = next_uses(trace);
    unsigned char *present = sim_allocate(trace->footprint, 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < trace->length; i++) {
        uint32_t page = trace->page[i];
        if (present[page]) {
            set_remove(&resident, i);
        } else {
            result.misses++;
            present[page] = 1;
            count++;
            if (count > frames) {
                uint32_t farthest = set_greatest(&resident);
                set_remove(&resident, farthest);
                uint32_t victim = farthest < trace->length ? trace->page[farthest]
                                                           : farthest - trace->length;
                present[victim] = 0;
                count--;
            }
        }
        set_insert(&resident, next[i]);
    }
    free(present);
    free(next);
    set_end(&resident);
    return result;
}
