// SPDX-License-Identifier: MIT
#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_WORDS 1024u

// One word of each page is used; what is in it follows from the page and how often it was written.
static struct {
    uint32_t *word;
    uint32_t *written;  // by page
    uint32_t pages, state;
} memory;

__attribute__((noreturn)) static void fail(const char *what, uint32_t page) {
    fprintf(stderr, "workload: page %" PRIu32 " %s\n", page, what);
    exit(1);
}

static void *room(uint32_t count, size_t size) {
    void *memory_at = calloc(count, size);
    if (memory_at == NULL) {
        fputs("workload: out of memory: take fewer pages, or a larger swap disk\n", stderr);
        exit(1);
    }
    return memory_at;
}

uint32_t memory_random(uint32_t limit) {
    memory.state ^= memory.state << 13;
    memory.state ^= memory.state >> 17;
    memory.state ^= memory.state << 5;
    return (uint32_t)((uint64_t)memory.state * limit >> 32);
}

uint32_t *memory_side(uint32_t numbers) {
    return room(numbers, sizeof(uint32_t));
}

static uint32_t divisor(uint32_t a, uint32_t b) {
    return b == 0 ? a : divisor(b, a % b);
}

// By a factor near the golden ratio that has no divisor with `pages` in common.
uint32_t memory_spread(uint32_t rank, uint32_t pages) {
    static uint32_t factor = 1, of = 1;
    if (of != pages) {
        of = pages;
        factor = (uint32_t)((uint64_t)pages * 618 / 1000) | 1;
        while (divisor(factor, pages) != 1) {
            factor++;
        }
    }
    return (uint32_t)((uint64_t)rank * factor % pages);
}

// ---- pages -----------------------------------------------------------------------------------

// The word of a page that counts its writes, and what is in it.
static uint32_t *place(uint32_t page) {
    return &memory.word[page * PAGE_WORDS + page * 7 % PAGE_WORDS];
}

static uint32_t contents(uint32_t page) {
    return (page + 1) * 2654435761u + memory.written[page];
}

void memory_open(uint32_t pages, uint32_t seed) {
    memory.pages = pages;
    memory.state = seed * 2654435769u | 1;
    memory.word = room(pages, PAGE_WORDS * sizeof(uint32_t));
    memory.written = room(pages, sizeof(uint32_t));
}

void memory_use(uint32_t page, int write) {
    uint32_t *word = place(page);
    if (memory.written[page] > 0 && *word != contents(page)) {
        fail("has other contents than were written", page);
    }
    if (write || memory.written[page] == 0) {
        memory.written[page]++;
        *word = contents(page);
    }
}

uint32_t memory_close(void) {
    uint32_t digest = 0;
    for (uint32_t page = 0; page < memory.pages; page++) {
        if (memory.written[page] > 0 && *place(page) != contents(page)) {
            fail("has other contents than were written", page);
        }
        digest = digest * 31 + memory.written[page];
    }
    return digest;
}

// ---- sort ------------------------------------------------------------------------------------

static void merge(const uint32_t *from, uint32_t *to, uint32_t first, uint32_t middle,
                  uint32_t end) {
    uint32_t left = first, right = middle;
    for (uint32_t i = first; i < end; i++) {
        int take_left = left < middle && (right >= end || from[left] <= from[right]);
        to[i] = take_left ? from[left++] : from[right++];
    }
}

// Merge sort from the bottom up: each pass reads one half of the pages in order and writes the other.
static uint32_t *sort(uint32_t *from, uint32_t *to, uint32_t words) {
    for (uint32_t run = 1; run < words; run *= 2) {
        for (uint32_t first = 0; first < words; first += 2 * run) {
            uint32_t middle = first + run < words ? first + run : words;
            uint32_t end = first + 2 * run < words ? first + 2 * run : words;
            merge(from, to, first, middle, end);
        }
        uint32_t *other = from;
        from = to;
        to = other;
    }
    return from;
}

void memory_sort(uint32_t pages, uint32_t steps) {
    uint32_t words = (pages + 1) / 2 * PAGE_WORDS / 2, half = pages / 2 * PAGE_WORDS;
    words = half > 0 ? (words < half ? words : half) : PAGE_WORDS / 2;
    half = half > 0 ? half : PAGE_WORDS / 2;
    for (uint32_t done = 0; done < steps; done += 24 * pages) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < words; i++) {
            memory.word[i] = memory_random(UINT32_MAX);
            sum += memory.word[i];
        }
        const uint32_t *sorted = sort(memory.word, memory.word + half, words);
        for (uint32_t i = 0; i < words; i++) {
            sum -= sorted[i];
            if (i > 0 && sorted[i - 1] > sorted[i]) {
                fail("is not sorted", i / PAGE_WORDS);
            }
        }
        if (sum != 0) {
            fail("has lost a number", 0);
        }
    }
}
