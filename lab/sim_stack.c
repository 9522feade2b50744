// SPDX-License-Identifier: MIT
// LRU for many numbers of frames by one pass: a reference hits with F frames if fewer than F other
// pages were used since the page's last use, its stack distance (Mattson and others, Evaluation
// techniques for storage hierarchies, 1970). One bit stands for each page, at the time of its last
// use; a tree of counters over words of 64 bits counts those that are later.
#include <stdlib.h>

#include "sim_replay.h"

// Bit t of `bit` is set for the page whose last use was at t; page_at[t] is that page. Times run up
// to `words` * 64, then all are numbered anew in their order. tree[k] counts the bits of words
// k - (k & -k) .. k - 1 (Fenwick, A new data structure for cumulative frequency tables, 1994).
struct stack {
    uint64_t *bit;
    uint32_t *tree, *page_at, *last;  // last: of a page, 1 + time, 0: never
    uint64_t *distance;               // hits by stack distance, at most `footprint`
    uint32_t words, now, footprint;
};

static void tree_add(struct stack *s, uint32_t word, uint32_t change) {
    for (uint32_t k = word + 1; k <= s->words; k += k & -k) {
        s->tree[k] += change;
    }
}

// Bits in the words before this one.
static uint32_t tree_before(const struct stack *s, uint32_t word) {
    uint32_t sum = 0;
    for (uint32_t k = word; k > 0; k &= k - 1) {
        sum += s->tree[k];
    }
    return sum;
}

static void mark(struct stack *s, uint32_t page) {
    s->bit[s->now / 64] |= UINT64_C(1) << s->now % 64;
    tree_add(s, s->now / 64, 1);
    s->page_at[s->now] = page;
    s->last[page] = ++s->now;
}

// There are four times as many times as pages, so this is rare.
static void renumber(struct stack *s) {
    uint32_t count = 0;
    for (uint32_t word = 0; word < s->words; word++) {
        for (uint64_t bits = s->bit[word]; bits != 0; bits &= bits - 1) {
            s->page_at[count++] = s->page_at[word * 64 + (uint32_t)__builtin_ctzll(bits)];
        }
        s->bit[word] = 0;
        s->tree[word + 1] = 0;
    }
    s->now = 0;
    for (uint32_t i = 0; i < count; i++) {
        mark(s, s->page_at[i]);
    }
}

// How many pages were used since then, the page itself included; takes its bit away.
static uint32_t distance_take(struct stack *s, uint32_t time, uint32_t pages) {
    uint32_t word = time / 64;
    uint64_t below = s->bit[word] & ((UINT64_C(1) << time % 64) - 1);
    uint32_t older = tree_before(s, word) + (uint32_t)__builtin_popcountll(below);
    s->bit[word] &= ~(UINT64_C(1) << time % 64);
    tree_add(s, word, UINT32_MAX);
    return pages - older;
}

static void references(struct stack *s, const struct sim_block *block, uint32_t *pages) {
    for (uint32_t i = 0; i < block->count; i++) {
        uint32_t page = block->page[i];
        if (s->last[page] == s->now && s->now > 0) {
            s->distance[1]++;  // the page used last
            continue;
        }
        if (s->now == s->words * 64) {
            renumber(s);
        }
        if (s->last[page] != 0) {
            s->distance[distance_take(s, s->last[page] - 1, *pages)]++;
        } else {
            (*pages)++;
        }
        mark(s, page);
    }
}

static void misses_write(const struct stack *s, uint32_t length, const uint32_t *frames,
                         uint32_t count, uint32_t *misses) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hits = 0;
        for (uint32_t d = 1; d <= s->footprint && d <= frames[i]; d++) {
            hits += s->distance[d];
        }
        misses[i] = (uint32_t)(length - hits);
    }
}

void sim_replay_lru(const struct sim_trace *trace, const uint32_t *frames, uint32_t count,
                    uint32_t *misses) {
    struct stack s = {.footprint = trace->footprint, .words = trace->footprint / 16 + 16};
    struct sim_blocks blocks;
    struct sim_block block;
    uint32_t pages = 0;
    s.bit = sim_allocate(s.words, sizeof(uint64_t));
    s.tree = sim_allocate((size_t)s.words + 1, sizeof(uint32_t));
    s.page_at = sim_allocate((size_t)s.words * 64, sizeof(uint32_t));
    s.last = sim_allocate(trace->footprint, sizeof(uint32_t));
    s.distance = sim_allocate((size_t)trace->footprint + 1, sizeof(uint64_t));
    sim_blocks_start(&blocks, trace);
    while (sim_blocks_next(&blocks, &block)) {
        references(&s, &block, &pages);
    }
    sim_blocks_end(&blocks);
    misses_write(&s, trace->length, frames, count, misses);
    free(s.bit);
    free(s.tree);
    free(s.page_at);
    free(s.last);
    free(s.distance);
}
