// SPDX-License-Identifier: MIT
// Threads take the next task, which is a row; or all rows of LRU, which one pass answers; each of
// them is an independent replay, so the order in which they end changes nothing.
#define _GNU_SOURCE
#include "sim_rows.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim_progress.h"

#define LRU_ROWS 4u  // from so many on one pass is worth it
#define THREADS_MAX 256u

struct work {
    const struct sim_trace *trace;
    struct sim_row *row;
    struct sim_rows_how how;
    uint32_t count, next;   // rows; the next one to be taken
    uint32_t lru;           // rows of LRU: the first of them stands for all
    bool *taken, *ready;
    uint32_t done, shown;
    pthread_mutex_t lock;
    pthread_mutex_t future_lock;
    struct sim_future future;
    void (*tell)(void *context, const struct sim_row *row);
    void *context;
};

static bool is_lru(const struct sim_row *row) {
    return row->choice->what == SIM_POLICY &&
           row->choice->policy.kind == &policy_kinds[POLICY_INDEX_lru];
}

// ---- one row ---------------------------------------------------------------------------------

static const struct sim_future *future_of(struct work *work) {
    pthread_mutex_lock(&work->future_lock);
    if (work->future.trace == NULL) {
        work->future = sim_future_make(work->trace);
    }
    pthread_mutex_unlock(&work->future_lock);
    return &work->future;
}

static void row_run(struct work *work, struct sim_row *row) {
    if (row->choice->what == SIM_MIN) {
        row->result = sim_future_replay(future_of(work), row->frames, SIM_WINDOW);
    } else if (row->choice->what == SIM_POLICY && work->how.checked) {
        row->result = sim_replay_choice(work->trace, row->choice->policy, row->frames, NULL, NULL);
    } else {
        row->result = sim_score(work->trace, row->choice, row->frames);
    }
}

static void row_ready(struct work *work, uint32_t at) {
    pthread_mutex_lock(&work->lock);
    work->ready[at] = true;
    work->done++;
    while (work->shown < work->count && work->ready[work->shown]) {
        work->tell(work->context, &work->row[work->shown++]);
    }
    sim_progress("rows done", work->done, work->count);
    pthread_mutex_unlock(&work->lock);
}

// ---- all rows of LRU -------------------------------------------------------------------------

// lru.c has the last word: one row is replayed with it, and if the pass counts otherwise, all are.
static void lru_run(struct work *work, uint32_t first) {
    uint32_t *frames = sim_allocate(work->lru, sizeof(*frames)), count = 0;
    uint32_t *misses = sim_allocate(work->lru, sizeof(*misses));
    for (uint32_t i = first; i < work->count; i++) {
        if (is_lru(&work->row[i])) {
            frames[count++] = work->row[i].frames;
        }
    }
    sim_replay_lru(work->trace, frames, count, misses);
    row_run(work, &work->row[first]);
    bool same = work->row[first].result.misses == misses[0];
    for (uint32_t i = first, n = 0; i < work->count; i++) {
        if (!is_lru(&work->row[i])) {
            continue;
        }
        if (same) {
            work->row[i].result = (struct sim_result){.misses = misses[n]};
        } else {
            row_run(work, &work->row[i]);
        }
        n++;
        row_ready(work, i);
    }
    free(frames);
    free(misses);
}

static void lru_find(struct work *work) {
    for (uint32_t i = 0; i < work->count; i++) {
        work->lru += is_lru(&work->row[i]);
    }
    if (work->lru < LRU_ROWS || work->trace->writes || work->how.checked) {
        work->lru = 0;
    }
}

// ---- threads ---------------------------------------------------------------------------------

// The next row that nobody has taken, with all others of LRU if it is one; count: there is none.
static uint32_t row_take(struct work *work) {
    pthread_mutex_lock(&work->lock);
    while (work->next < work->count && work->taken[work->next]) {
        work->next++;
    }
    uint32_t at = work->next;
    if (at < work->count) {
        bool lru = work->lru > 0 && is_lru(&work->row[at]);
        for (uint32_t i = at; i < work->count; i++) {
            work->taken[i] |= i == at || (lru && is_lru(&work->row[i]));
        }
    }
    pthread_mutex_unlock(&work->lock);
    return at;
}

static void *thread_run(void *context) {
    struct work *work = context;
    uint32_t at;
    while ((at = row_take(work)) < work->count) {
        if (work->lru > 0 && is_lru(&work->row[at])) {
            lru_run(work, at);
        } else {
            row_run(work, &work->row[at]);
            row_ready(work, at);
        }
    }
    return NULL;
}

static uint32_t thread_count(const struct work *work) {
    cpu_set_t set;
    uint32_t count = work->how.threads;
    if (count == 0) {
        count = sched_getaffinity(0, sizeof(set), &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
    }
    count = count < work->count ? count : work->count;
    return count < THREADS_MAX ? count : THREADS_MAX;
}

void sim_rows_run(const struct sim_trace *trace, struct sim_row *row, uint32_t count,
                  struct sim_rows_how how,
                  void (*done)(void *context, const struct sim_row *row), void *context) {
    struct work work = {.trace = trace, .row = row, .count = count, .how = how,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .future_lock = PTHREAD_MUTEX_INITIALIZER,
                        .tell = done, .context = context};
    pthread_t thread[THREADS_MAX];
    uint32_t started = 0, wanted = thread_count(&work);
    work.taken = sim_allocate(count, sizeof(bool));
    work.ready = sim_allocate(count, sizeof(bool));
    lru_find(&work);
    while (started + 1 < wanted &&
           pthread_create(&thread[started], NULL, thread_run, &work) == 0) {
        started++;  // with fewer threads than wanted it only takes longer
    }
    (void)thread_run(&work);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
    }
    sim_progress_end();
    if (work.future.trace != NULL) {
        sim_future_end(&work.future);
    }
    free(work.taken);
    free(work.ready);
}
