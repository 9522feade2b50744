// SPDX-License-Identifier: MIT
// On a terminal the line is written over; elsewhere each is a line of its own.
#include "sim_progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    int on, terminal, shown;
    uint64_t next;  // no line before this time, in ms
} progress = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

void sim_progress_start(int on) {
    progress.terminal = isatty(STDERR_FILENO);
    progress.on = on < 0 ? progress.terminal : on;
    progress.next = on > 0 ? 0 : now() + 1000;
}

void sim_progress(const char *what, uint64_t done, uint64_t total) {
    if (!progress.on || pthread_mutex_trylock(&progress.lock) != 0) {
        return;
    }
    uint64_t time = now();
    if (time >= progress.next) {
        progress.next = time + 200 + 800u * (unsigned)!progress.terminal;
        progress.shown = 1;
        fputs(progress.terminal ? "\r\033[K" : "", stderr);
        fprintf(stderr, "quire-lab: %s: %" PRIu64, what, done);
        if (total > 0) {
            fprintf(stderr, " of %" PRIu64, total);
        }
        fputs(progress.terminal ? "" : "\n", stderr);
        fflush(stderr);
    }
    pthread_mutex_unlock(&progress.lock);
}

void sim_progress_end(void) {
    if (progress.shown && progress.terminal) {
        fputs("\r\033[K", stderr);
    }
    progress.shown = 0;
}
