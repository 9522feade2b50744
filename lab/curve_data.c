// SPDX-License-Identifier: MIT
// What the curves show: which policies and sizes, and the misses, counted by the simulator.
#include "curve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_rows.h"

#define FRAMES_MAX (1u << 28)

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

struct counting {
    struct curve *curve;
    struct curve_chart *chart;
    uint32_t done;  // rows: all sizes of the first series, then of the next
};

static void count_row(void *context, const struct sim_row *row) {
    struct counting *counting = context;
    struct curve_chart *chart = counting->chart;
    uint32_t at = counting->done++;
    chart->misses[at / chart->sizes][at % chart->sizes] = row->result.misses;
    if (row->result.violations > 0 && counting->curve->line[0] == 0) {
        snprintf(counting->curve->line, sizeof(counting->curve->line), "%u frames: %.160s",
                 row->frames, row->result.line);
    }
}

void curve_measure(struct curve *curve, struct curve_chart *chart, const struct sim_trace *trace,
                   uint32_t threads) {
    struct counting counting = {curve, chart, 0};
    struct sim_choice *choice = sim_allocate(curve->series_count, sizeof(*choice));
    chart->footprint = trace->footprint;
    chart->references = trace->length;
    sizes_make(curve, chart);
    uint32_t count = curve->series_count * chart->sizes;
    struct sim_row *row = sim_allocate(count, sizeof(*row));
    for (uint32_t i = 0; i < curve->series_count; i++) {
        choice[i].what = curve_is_min(&curve->series[i]) ? SIM_MIN : SIM_POLICY;
        choice[i].policy = curve->series[i].choice;
    }
    for (uint32_t i = 0; i < count; i++) {
        row[i].choice = &choice[i / chart->sizes];
        row[i].frames = chart->frames[i % chart->sizes];
    }
    sim_rows_run(trace, row, count, (struct sim_rows_how){.threads = threads}, count_row,
                 &counting);
    free(row);
    free(choice);
}
