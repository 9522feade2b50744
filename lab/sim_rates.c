// SPDX-License-Identifier: MIT
// The command rates: references per second of each replay, and its ratio to a plain loop that does
// nothing but FIFO, measured in turn on the same trace, so that machines can be compared. The goal
// is three times libCacheSim's ratio where that was measured (680 M/s for the loop, one core).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab.h"
#include "sim_choice.h"

static const char usage[] =
    "usage: quire-lab rates [--rounds N] FRAMES TRACE\n"
    "Prints policy,rate,ratio,goal,libcachesim: millions of references per second (the best of N\n"
    "rounds, normally 5), the ratio to a plain FIFO loop, the ratio aimed at, libCacheSim's.\n";

// Millions of references per second of libCacheSim aa0fc409 on the trace cc1 with 648 frames.
static const struct anchor {
    const char *policy;
    double rate, goal;  // goal 0: there is none
} anchors[] = {
    {"fifo", 88, 0.39}, {"sieve", 82, 0.36}, {"clock", 64, 0.28}, {"lru", 78, 0.30},
    {"arc", 63, 0.24}, {"2q", 40, 0.17}, {"s3fifo", 31, 0.14}, {"lirs", 30, 0.13},
    {"min", 27, 0.06}, {"lfu", 16, 0},
};
#define LOOP_RATE 680.0

// Of this thread: others that share the processor do not count, but for the cache that they take.
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// The yardstick: an array of frames, a byte for each page.
__attribute__((noinline)) static uint32_t plain_fifo(const struct sim_trace *trace, uint32_t frames,
                                                     uint32_t *ring, uint8_t *present) {
    uint32_t misses = 0, at = 0;
    for (uint32_t i = 0; i < trace->length; i++) {
        uint32_t page = trace->page[i];
        if (present[page]) {
            continue;
        }
        if (misses >= frames) {
            present[ring[at]] = 0;
        }
        ring[at] = page;
        at = at + 1 == frames ? 0 : at + 1;
        present[page] = 1;
        misses++;
    }
    return misses;
}

static double plain_time(const struct sim_trace *trace, uint32_t frames, uint32_t *misses) {
    uint32_t *ring = sim_allocate(frames, sizeof(*ring));
    uint8_t *present = sim_allocate(trace->footprint, 1);
    double start = now();
    *misses = plain_fifo(trace, frames, ring, present);
    double took = now() - start;
    free(ring);
    free(present);
    return took;
}

static double score_time(const struct sim_trace *trace, const struct sim_choice *choice,
                         uint32_t frames) {
    double start = now();
    (void)sim_score(trace, choice, frames);
    return now() - start;
}

static void print_rate(const char *name, double rate, double loop) {
    printf("%s,%.1f,%.3f", name, rate, rate / loop);
    for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++) {
        if (strcmp(anchors[i].policy, name) == 0) {
            printf(anchors[i].goal > 0 ? ",%.2f" : ",", anchors[i].goal);
            printf(",%.3f\n", anchors[i].rate / LOOP_RATE);
            return;
        }
    }
    puts(",,");
}

static void measure(const struct sim_trace *trace, uint32_t frames, uint32_t rounds) {
    double best[SIM_CHOICES], loop = 1e30, took;
    uint32_t misses;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < SIM_CHOICES; i++) {
            struct sim_choice choice = sim_choice_at(i);
            took = plain_time(trace, frames, &misses);
            loop = took < loop ? took : loop;
            took = score_time(trace, &choice, frames);
            best[i] = round == 0 || took < best[i] ? took : best[i];
        }
    }
    double millions = trace->length / 1e6;
    puts("policy,rate,ratio,goal,libcachesim");
    print_rate("plain-fifo", millions / loop, millions / loop);
    for (uint32_t i = 0; i < SIM_CHOICES; i++) {
        print_rate(sim_choice_at(i).name, millions / best[i], millions / loop);
    }
}

static int refuse(const char *what) {
    fprintf(stderr, "quire-lab rates: %s\n", what);
    return 2;
}

int sim_rates_main(int count, char **argument) {
    struct sim_trace trace;
    char error[600];
    uint32_t rounds = 5, frames = 0;
    if (count > 1 && (strcmp(argument[1], "-h") == 0 || strcmp(argument[1], "--help") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (count == 5 && strcmp(argument[1], "--rounds") == 0) {
        rounds = (uint32_t)strtoul(argument[2], NULL, 10);
        argument += 2;
        count -= 2;
    }
    frames = count == 3 ? (uint32_t)strtoul(argument[1], NULL, 10) : 0;
    if (frames == 0 || frames > 1u << 28 || rounds == 0) {
        return refuse("say FRAMES (at least 1) and TRACE; --help says more");
    }
    if (sim_trace_load(argument[2], &trace, error, sizeof(error)) != 0) {
        return refuse(error);
    }
    measure(&trace, frames, rounds);
    sim_trace_free(&trace);
    return 0;
}
