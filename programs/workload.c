// SPDX-License-Identifier: MIT
// workload KIND [PAGES [STEPS [SEED]]]: uses memory in one of several ways, so that replacement
// policies can be compared. Every page knows how often it was written; a page that comes back with
// other contents ends the program with status 1. The same arguments give the same references.
//   scan    a small hot part, and now and then a pass over all pages
//   loop    all pages in order, round and round
//   zipf    independent references, the k-th page with weight 1/k
//   phases  a working set that stays for a while, then moves
//   sort    merge sort of numbers that fill the pages
//   interp  a small stack machine: code in order with jumps back, a stack, objects that age
// It is plain C and knows nothing of pagers. The index of a real text is a program of its own.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload/memory.h"

#define PAGES_MAX (1u << 18)
#define STEPS_MAX 1000000000u

// ---- the kinds -------------------------------------------------------------------------------

static void scan_run(uint32_t pages, uint32_t steps) {
    uint32_t hot = pages / 8 + 1, left = steps;
    while (left > 0) {
        for (uint32_t i = 0; i < 16 * hot && left > 0; i++, left--) {
            memory_use(memory_random(hot), memory_random(4) == 0);
        }
        for (uint32_t page = hot; page < pages && left > 0; page++, left--) {
            memory_use(page, 0);
        }
    }
}

static void loop_run(uint32_t pages, uint32_t steps) {
    for (uint32_t i = 0; i < steps; i++) {
        memory_use(i % pages, i % 8 == 0);
    }
}

// The weight of rank k is 1/k, in units of 2^-24; ranks are spread over the pages.
static void zipf_run(uint32_t pages, uint32_t steps) {
    uint32_t *total = memory_side(pages), sum = 0;
    for (uint32_t k = 0; k < pages; k++) {
        sum += (1u << 24) / (k + 1);
        total[k] = sum;
    }
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t wanted = memory_random(sum), low = 0, high = pages - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (total[middle] > wanted) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        memory_use(memory_spread(low, pages), memory_random(4) == 0);
    }
}

// Three of four references go to the set of this phase, an eighth of all pages.
static void phases_run(uint32_t pages, uint32_t steps) {
    uint32_t set = pages / 8 + 1, length = set * 40, first = 0;
    for (uint32_t i = 0; i < steps; i++) {
        if (i % length == 0) {
            first = memory_random(pages);
        }
        uint32_t page = memory_random(4) > 0 ? first + memory_random(set) : memory_random(pages);
        memory_use(page % pages, memory_random(3) == 0);
    }
}

// Code in order with jumps back, the top of a stack, and objects: young ones are used most.
static void interp_run(uint32_t pages, uint32_t steps) {
    uint32_t code = pages / 8 + 1, stack = pages / 16 + 1;
    uint32_t heap = pages > code + stack ? pages - code - stack : 1;
    uint32_t at = 0, top = 0, youngest = 0;
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t kind = memory_random(8);
        if (kind < 3) {
            at = memory_random(24) == 0 ? memory_random(code) : (at + (i % 16 == 0)) % code;
            memory_use(at % pages, 0);
        } else if (kind < 5) {
            top = (top + memory_random(3) + stack - 1) % stack;
            memory_use((code + top) % pages, 1);
        } else {
            youngest += memory_random(64) == 0;
            uint32_t age = memory_random(1 + memory_random(heap));
            memory_use((code + stack + (youngest + heap - age) % heap) % pages, kind == 7);
        }
    }
}

static const struct kind {
    const char *name;
    void (*run)(uint32_t pages, uint32_t steps);
} kinds[] = {
    {"scan", scan_run}, {"loop", loop_run},     {"zipf", zipf_run},
    {"phases", phases_run}, {"sort", memory_sort}, {"interp", interp_run},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

// ---- command line ----------------------------------------------------------------------------

static const char usage[] =
    "usage: workload KIND [PAGES [STEPS [SEED]]]; the kinds are scan loop zipf phases sort interp\n";

static uint32_t number(const char *text, uint32_t most) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || value == 0 || value > most) {
        fprintf(stderr, "workload: '%s' is no number from 1 to %" PRIu32 "\n", text, most);
        exit(2);
    }
    return (uint32_t)value;
}

int main(int count, char **argument) {
    uint32_t pages = count > 2 ? number(argument[2], PAGES_MAX) : 512;
    uint32_t steps = count > 3 ? number(argument[3], STEPS_MAX) : 100000;
    uint32_t seed = count > 4 ? number(argument[4], UINT32_MAX) : 1;
    const struct kind *kind = kinds;
    while (count > 1 && kind < kinds + KINDS && strcmp(kind->name, argument[1]) != 0) {
        kind++;
    }
    if (count < 2 || count > 5 || kind == kinds + KINDS) {
        fputs(usage, stderr);
        return 2;
    }
    memory_open(pages, seed);
    kind->run(pages, steps);
    printf("workload: %s pages %" PRIu32 " steps %" PRIu32 " seed %" PRIu32 " digest %08" PRIx32
           "\n", kind->name, pages, steps, seed, memory_close());
    return 0;
}
