// SPDX-License-Identifier: MIT
// Belady's MIN with mandatory insertion: the victim is the resident page whose next use is farthest
// away (Belady, A study of replacement algorithms for a virtual-storage computer, 1966). Host only:
// no pager knows the future.
//
// No page is ever looked at: a resident page is the time of its next use, so the reference at time
// t is a hit if t is in the set. Times within a window are a tree of bitmaps, later ones a heap;
// times that have passed stay in the bitmap, for no later one is smaller. Pages that are never used
// again are only counted.
#include <stdlib.h>
#include <unistd.h>

#include "sim_replay.h"

// ---- the future ------------------------------------------------------------------------------

// Backwards over the references [first, first + count): seen[page] is 1 + the page's last use,
// which was later, 0: none. May write over the words.
static void distances(const uint32_t *page, uint32_t *distance, uint32_t first, uint32_t count,
                      uint32_t *seen) {
    for (uint32_t i = count; i-- > 0;) {
        uint32_t at = page[i] & ~SIM_WRITE, now = first + i + 1;
        distance[i] = seen[at] == 0 ? 0 : seen[at] - now;
        seen[at] = now;
    }
}

static void distances_file(struct sim_future *future, uint32_t *seen) {
    const struct sim_trace *trace = future->trace;
    uint32_t *word = sim_allocate(SIM_FILE_WORDS, sizeof(*word));
    future->file = sim_file_make();
    for (uint32_t left = trace->length, count; left > 0; left -= count) {
        count = left % SIM_FILE_WORDS > 0 ? left % SIM_FILE_WORDS : SIM_FILE_WORDS;
        sim_file_read(trace->file, left - count, word, count);
        distances(word, word, left - count, count, seen);
        sim_file_write(future->file, left - count, word, count);
    }
    free(word);
}

struct sim_future sim_future_make(const struct sim_trace *trace) {
    struct sim_future future = {.trace = trace, .file = -1};
    uint32_t *seen = sim_allocate(trace->footprint, sizeof(*seen));
    if (trace->page != NULL) {
        future.distance = sim_allocate(trace->length, sizeof(uint32_t));
        distances(trace->page, future.distance, 0, trace->length, seen);
    } else {
        distances_file(&future, seen);
    }
    free(seen);
    return future;
}

void sim_future_end(struct sim_future *future) {
    if (future->file >= 0) {
        close(future->file);
    }
    free(future->distance);
    *future = (struct sim_future){.file = -1};
}

// ---- a set of numbers ------------------------------------------------------------------------

// Bit n of level k + 1 tells whether word n of level k is not 0.
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

static inline bool set_has(const struct set *set, uint32_t member) {
    return set->level[0][member / 64] >> member % 64 & 1;
}

static inline void set_insert(struct set *set, uint32_t member) {
    for (uint32_t k = 0; k < set->levels; k++, member /= 64) {
        uint64_t *word = &set->level[k][member / 64], before = *word;
        *word = before | UINT64_C(1) << member % 64;
        if (before != 0) {
            return;
        }
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

// ---- a heap of later times -------------------------------------------------------------------

struct far {
    uint64_t time;
    bool dirty;
};

struct heap {
    struct far *at;
    uint32_t count, capacity;
};

static void heap_push(struct heap *heap, struct far far) {
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? 1024 : heap->capacity * 2;
        heap->at = realloc(heap->at, heap->capacity * sizeof(*heap->at));
        if (heap->at == NULL) {
            (void)sim_allocate(SIZE_MAX, 1);  // says so and ends
        }
    }
    uint32_t place = heap->count++;
    for (; place > 0 && heap->at[(place - 1) / 2].time < far.time; place = (place - 1) / 2) {
        heap->at[place] = heap->at[(place - 1) / 2];
    }
    heap->at[place] = far;
}

// The latest.
static struct far heap_pop(struct heap *heap) {
    struct far top = heap->at[0], last = heap->at[--heap->count];
    uint32_t place = 0, child;
    while ((child = 2 * place + 1) < heap->count) {
        child += child + 1 < heap->count && heap->at[child + 1].time > heap->at[child].time;
        if (heap->at[child].time <= last.time) {
            break;
        }
        heap->at[place] = heap->at[child];
        place = child;
    }
    heap->at[place] = last;
    return top;
}

// ---- replay ----------------------------------------------------------------------------------

// resident = those in the set whose time has not passed + far.count + never[0] + never[1]
struct min {
    struct set near, dirty;  // times from `start` on, below start + window; dirty: a part of near
    struct heap far;
    uint64_t start;
    uint32_t window;
    uint32_t never[2];  // pages never used again, by dirty
    uint32_t resident, frames;
    bool writes;
    struct sim_result result;
};

static inline void resident_add(struct min *min, uint64_t time, bool dirty) {
    if (time < min->start + min->window) {
        set_insert(&min->near, (uint32_t)(time - min->start));
        if (dirty) {
            set_insert(&min->dirty, (uint32_t)(time - min->start));
        }
    } else {
        heap_push(&min->far, (struct far){time, dirty});
    }
}

// Of the pages that are never used again clean ones leave first.
__attribute__((noinline)) static void evict(struct min *min) {
    bool dirty = false;
    if (min->never[0] + min->never[1] > 0) {
        dirty = min->never[0] == 0;
        min->never[dirty]--;
    } else if (min->far.count > 0) {
        dirty = heap_pop(&min->far).dirty;
    } else {
        uint32_t time = set_greatest(&min->near);
        set_remove(&min->near, time);
        if (min->writes) {
            dirty = set_has(&min->dirty, time);
            set_remove(&min->dirty, time);
        }
    }
    min->result.writebacks += dirty;
    min->resident--;
}

// All times in the bitmap have passed: it begins anew.
static void window_move(struct min *min, uint64_t start) {
    struct heap old = min->far;
    set_end(&min->near);
    set_end(&min->dirty);
    set_start(&min->near, min->window);
    set_start(&min->dirty, min->writes ? min->window : 1);
    min->start = start;
    min->far = (struct heap){0};
    for (uint32_t i = 0; i < old.count; i++) {
        resident_add(min, old.at[i].time, old.at[i].dirty);
    }
    free(old.at);
}

static inline void reference(struct min *min, uint64_t now, uint32_t distance, bool write) {
    uint32_t time = (uint32_t)(now - min->start);
    bool dirty = write;
    if (set_has(&min->near, time)) {
        dirty |= min->writes && set_has(&min->dirty, time);
    } else {
        min->result.misses++;
        if (min->resident == min->frames) {
            evict(min);
        }
        min->resident++;
    }
    if (distance == 0) {
        min->never[dirty]++;
    } else {
        resident_add(min, now + distance, dirty);
    }
}

static void block_replay(struct min *min, const uint32_t *distance, const struct sim_block *block) {
    for (uint32_t i = 0; i < block->count; i++) {
        uint64_t now = (uint64_t)block->first + i;
        if (now == min->start + min->window) {
            window_move(min, now);
        }
        reference(min, now, distance[i], block->write != NULL && block->write[i]);
    }
}

static uint32_t window_of(uint32_t length, uint32_t window) {
    return length < window ? length : window;
}

struct sim_result sim_future_replay(const struct sim_future *future, uint32_t frames,
                                    uint32_t window) {
    const struct sim_trace *trace = future->trace;
    struct min min = {.frames = frames, .writes = trace->writes,
                      .window = window_of(trace->length, window)};
    struct sim_blocks blocks;
    struct sim_block block;
    uint32_t *word = future->distance == NULL ? sim_allocate(SIM_FILE_WORDS, 4) : NULL;
    set_start(&min.near, min.window);
    set_start(&min.dirty, min.writes ? min.window : 1);
    sim_blocks_start(&blocks, trace);
    while (sim_blocks_next(&blocks, &block)) {
        if (word != NULL) {
            sim_file_read(future->file, block.first, word, block.count);
        }
        block_replay(&min, word != NULL ? word : future->distance, &block);
    }
    sim_blocks_end(&blocks);
    set_end(&min.near);
    set_end(&min.dirty);
    free(min.far.at);
    free(word);
    return min.result;
}

struct sim_result sim_replay_min(const struct sim_trace *trace, uint32_t frames) {
    struct sim_future future = sim_future_make(trace);
    struct sim_result result = sim_future_replay(&future, frames, SIM_WINDOW);
    sim_future_end(&future);
    return result;
}
