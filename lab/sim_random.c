// SPDX-License-Identifier: MIT
// A random choice among the resident pages: what a policy that knows nothing costs. Host only.
#include <stdlib.h>

#include "sim_replay.h"

#define ABSENT UINT32_MAX

struct random_memory {
    uint32_t *page, *place;  // page[0 .. count) are resident; place: of a page, or ABSENT
    uint8_t *dirty;          // by page
    uint32_t count, frames;
    uint64_t state;
    struct sim_result result;
};

// A uniform number below `limit`: a generator of Steele and others (splitmix64, 2014), scaled.
static uint32_t below(struct random_memory *memory, uint32_t limit) {
    uint64_t z = memory->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(((z ^ z >> 31) >> 32) * limit >> 32);
}

static void miss(struct random_memory *memory, uint32_t page) {
    uint32_t place = memory->count;
    memory->result.misses++;
    if (memory->count == memory->frames) {
        place = below(memory, memory->count);
        uint32_t victim = memory->page[place];
        memory->result.writebacks += memory->dirty[victim];
        memory->dirty[victim] = 0;
        memory->place[victim] = ABSENT;
    } else {
        memory->count++;
    }
    memory->page[place] = page;
    memory->place[page] = place;
}

static void references(struct random_memory *memory, const struct sim_block *block) {
    for (uint32_t i = 0; i < block->count; i++) {
        if (memory->place[block->page[i]] == ABSENT) {
            miss(memory, block->page[i]);
        }
        if (block->write != NULL) {
            memory->dirty[block->page[i]] |= block->write[i];
        }
    }
}

struct sim_result sim_replay_random(const struct sim_trace *trace, uint32_t frames,
                                    uint64_t seed) {
    struct random_memory memory = {.state = seed};
    struct sim_blocks blocks;
    struct sim_block block;
    memory.frames = frames < trace->footprint ? frames : trace->footprint;
    memory.page = sim_allocate(memory.frames, sizeof(uint32_t));
    memory.place = sim_allocate(trace->footprint, sizeof(uint32_t));
    memory.dirty = sim_allocate(trace->footprint, 1);
    for (uint32_t page = 0; page < trace->footprint; page++) {
        memory.place[page] = ABSENT;
    }
    sim_blocks_start(&blocks, trace);
    while (sim_blocks_next(&blocks, &block)) {
        references(&memory, &block);
    }
    sim_blocks_end(&blocks);
    free(memory.page);
    free(memory.place);
    free(memory.dirty);
    return memory.result;
}
