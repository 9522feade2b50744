// SPDX-License-Identifier: MIT
// Miss-ratio curves: misses of some policies over numbers of frames, one chart for each trace, as a
// page, a picture or CSV.
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "policy.h"
#include "sim_trace.h"

#define CURVE_SERIES_MAX 64u
#define CURVE_SIZES_MAX 64u
#define CURVE_SIZES 24u  // if nobody says which

struct curve_series {
    char name[64];                // as it was asked for
    struct policy_choice choice;  // kind NULL: MIN
};

struct curve_amount {
    uint32_t number;
    bool percent;  // of the footprint
};

struct curve_chart {
    char name[128];
    uint32_t footprint, references;
    uint32_t frames[CURVE_SIZES_MAX], sizes;  // ascending, each once
    uint32_t misses[CURVE_SERIES_MAX][CURVE_SIZES_MAX];
};

struct curve {
    struct curve_series series[CURVE_SERIES_MAX];
    uint32_t series_count;
    struct curve_amount amount[CURVE_SIZES_MAX];
    uint32_t amounts;  // 0: CURVE_SIZES of them, spread over the footprint
    struct curve_chart *chart;
    uint32_t charts;
    char line[200];  // the first thing that a policy did wrong, or ""
};

// NULL, or what is wrong with the text: the end of a sentence that begins with it. "all" adds all.
const char *curve_add_policy(struct curve *curve, const char *text);
const char *curve_add_frames(struct curve *curve, const char *text);

// Fills the chart from a trace, on `threads` threads, 0: on all processors.
void curve_measure(struct curve *curve, struct curve_chart *chart, const struct sim_trace *trace,
                   uint32_t threads);

static inline bool curve_is_min(const struct curve_series *series) {
    return series->choice.kind == NULL;
}
static inline double curve_ratio(const struct curve_chart *chart, uint32_t series, uint32_t size) {
    return (double)chart->misses[series][size] / chart->references;
}

// The sentence under a chart's title: footprint, references, load bits.
void curve_describe(FILE *to, const struct curve *curve, const struct curve_chart *chart);

// One chart as an SVG element; `id` is a beginning for the names of its parts.
enum curve_kind { CURVE_LINEAR, CURVE_LOG, CURVE_PICTURE };
void curve_draw(FILE *to, const struct curve *curve, uint32_t chart, enum curve_kind kind);
// The sign of a series, as a small SVG element.
void curve_sign(FILE *to, uint32_t series, bool min);

void curve_csv(FILE *to, const struct curve *curve);
void curve_svg(FILE *to, const struct curve *curve);
void curve_html(FILE *to, const struct curve *curve);
