// SPDX-License-Identifier: MIT
// What the curves show: which policies and sizes, and the misses, counted by the simulator with
// several threads, for each count stands alone.
#include "curve.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sim_replay.h"

#define FRAMES_MAX (1u << 28)
#define THREADS_MAX 16u

// ---- what to measure -------------------------------------------------------------------------

static const char *add_series(struct curve *curve, const char *text, struct policy_choice choice) {
    if (curve->series_count == CURVE_SERIES_MAX) {
        return "is one too many: 64 lines are enough";
    }
    struct curve_series *series = &curve->series[curve->series_count];
    if (strlen(text) >= sizeof(series->name)) {
        return "is too long";
    }
    for (uint32_t i = 0; i < curve->series_count; i++) {
        if (strcmp(curve->series[i].name, text) == 0) {
            return NULL;  // asked for twice: one line will do
        }
    }
    strcpy(series->name, text);
    series->choice = choice;
    curve->series_count++;
    return NULL;
}

const char *curve_add_policy(struct curve *curve, const char *text) {
    struct policy_choice choice = {0};
    if (strcmp(text, "all") == 0) {
        const char *wrong = NULL;
        for (uint32_t i = 0; i < POLICY_COUNT && wrong == NULL; i++) {
            wrong = add_series(curve, policy_kinds[i].name, policy_normal(&policy_kinds[i]));
        }
        return wrong != NULL ? wrong : add_series(curve, "min", choice);
    }
    if (strcmp(text, "min") != 0) {
        const char *wrong = policy_choose(&choice, text, (uint32_t)strlen(text) + 1);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return add_series(curve, text, choice);
}

const char *curve_add_frames(struct curve *curve, const char *text) {
    char *end = NULL;
    errno = 0;
    unsigned long long number = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    bool percent = end != NULL && *end == '%';
    if (end == NULL || end[percent] != 0 || errno != 0 || number == 0 || number > FRAMES_MAX) {
        return "is no number of frames, like 200, and no percentage, like 20%";
    }
    if (curve->amounts == CURVE_SIZES_MAX) {
        return "is one too many: 64 sizes are enough";
    }
    curve->amount[curve->amounts++] = (struct curve_amount){(uint32_t)number, percent};
    return NULL;
}

// ---- sizes -----------------------------------------------------------------------------------

// Keeps them in order, each once.
static void size_add(struct curve_chart *chart, uint64_t frames) {
    uint32_t size = frames == 0 ? 1 : frames > FRAMES_MAX ? FRAMES_MAX : (uint32_t)frames;
    uint32_t at = chart->sizes;
    while (at > 0 && chart->frames[at - 1] >= size) {
        at--;
    }
    if (at < chart->sizes && chart->frames[at] == size) {
        return;
    }
    memmove(&chart->frames[at + 1], &chart->frames[at], (chart->sizes - at) * sizeof(uint32_t));
    chart->frames[at] = size;
    chart->sizes++;
}

// Closer to each other where memory is small, as curves fall steeply there: by squares.
static void sizes_make(const struct curve *curve, struct curve_chart *chart) {
    uint64_t pages = chart->footprint;
    for (uint64_t k = 1; k <= CURVE_SIZES && curve->amounts == 0; k++) {
        size_add(chart, pages * k * k / (CURVE_SIZES * CURVE_SIZES));
    }
    for (uint32_t i = 0; i < curve->amounts; i++) {
        const struct curve_amount *amount = &curve->amount[i];
        size_add(chart, amount->percent ? pages * amount->number / 100 : amount->number);
    }
}

// ---- counting --------------------------------------------------------------------------------

struct work {
    struct curve *curve;
    struct curve_chart *chart;
    const struct sim_trace *trace;
    atomic_uint next;  // series * sizes + size
    pthread_mutex_t lock;
    uint32_t done;     // under the lock
};

static struct sim_result replay(const struct sim_trace *trace, const struct policy_choice *choice,
                                uint32_t frames) {
    struct sim_result result;
    return sim_fast(trace, *choice, frames, NULL, NULL, &result)
               ? result : sim_replay_choice(trace, *choice, frames, NULL, NULL);
}

static void count_one(struct work *work, uint32_t series, uint32_t size) {
    struct curve_chart *chart = work->chart;
    const struct curve_series *what = &work->curve->series[series];
    uint32_t frames = chart->frames[size];
    struct sim_result result = curve_is_min(what) ? sim_replay_min(work->trace, frames)
                                                  : replay(work->trace, &what->choice, frames);
    chart->misses[series][size] = result.misses;
    pthread_mutex_lock(&work->lock);
    if (result.violations > 0 && work->curve->line[0] == 0) {
        snprintf(work->curve->line, sizeof(work->curve->line), "%u frames: %.160s", frames,
                 result.line);
    }
    work->done++;
    if (work->curve->progress != NULL) {
        work->curve->progress(chart->name, work->done, work->curve->series_count * chart->sizes);
    }
    pthread_mutex_unlock(&work->lock);
}

static void *count_some(void *context) {
    struct work *work = context;
    uint32_t all = work->curve->series_count * work->chart->sizes, at;
    while ((at = atomic_fetch_add(&work->next, 1)) < all) {
        count_one(work, at / work->chart->sizes, at % work->chart->sizes);
    }
    return NULL;
}

void curve_measure(struct curve *curve, struct curve_chart *chart, const struct sim_trace *trace,
                   uint32_t threads) {
    struct work work = {.curve = curve, .chart = chart, .trace = trace};
    pthread_t thread[THREADS_MAX];
    uint32_t started = 0;
    chart->footprint = trace->footprint;
    chart->references = trace->length;
    sizes_make(curve, chart);
    pthread_mutex_init(&work.lock, NULL);
    while (started + 1 < threads && started < THREADS_MAX &&
           pthread_create(&thread[started], NULL, count_some, &work) == 0) {
        started++;
    }
    (void)count_some(&work);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
    }
    pthread_mutex_destroy(&work.lock);
}
