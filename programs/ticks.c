// SPDX-License-Identifier: MIT
// Measures, in time stamp ticks (under QEMU's -icount: guest instructions), when the first program's
// first line runs and what the first touch of a page costs through the real pager. The mean includes
// the zeroing of every frame; the median does not, for the kernel zeroes frames 64 at a time.
//   ticks [PAGES]        default 512, at most 4096
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES_DEFAULT = 512, PAGES_MAX = 4096 };

static uint64_t now(void) {
    return __builtin_ia32_rdtsc();
}

static int by_value(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

// Touch each page once; the page of the results is touched before.
static int measure(volatile char *memory, uint32_t *ticks, uint32_t pages) {
    for (uint32_t i = 0; i < pages; i++) {
        ticks[i] = 0;
    }
    for (uint32_t i = 0; i < pages; i++) {
        uint64_t before = now();
        memory[(size_t)i * PAGE] = 1;
        ticks[i] = (uint32_t)(now() - before);
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pages; i++) {
        sum += ticks[i];
    }
    qsort(ticks, pages, sizeof(*ticks), by_value);
    printf("ticks: first touch of %u pages: mean %u, median %u, p99 %u, most %u\n", pages,
           (uint32_t)(sum / pages), ticks[pages / 2], ticks[pages - 1 - pages / 100],
           ticks[pages - 1]);
    return 0;
}

int main(int count, char **argument) {
    uint64_t start = now();
    char *end = NULL;
    unsigned long pages = count > 1 ? strtoul(argument[1], &end, 10) : PAGES_DEFAULT;
    if (count > 2 || (end != NULL && *end != 0) || pages == 0 || pages > PAGES_MAX) {
        fprintf(stderr, "usage: ticks [PAGES]   (1 to %d)\n", PAGES_MAX);
        return 2;
    }
    printf("ticks: first line at %llu\n", (unsigned long long)start);
    uint32_t *ticks = malloc(pages * sizeof(*ticks));
    void *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);
    if (ticks == NULL || memory == MAP_FAILED) {
        fprintf(stderr, "ticks: error: no memory for %lu pages\n", pages);
        return 1;
    }
    return measure(memory, ticks, (uint32_t)pages);
}
