// SPDX-License-Identifier: MIT
// Draws one chart as SVG. Series differ in colour, dashes and signs at once, and each has its name
// at its end; curve_svg.css has the colours.
#include "curve.h"

#include <math.h>
#include <string.h>

#include "html.h"

// Of the picture, in its own units; the plot lies inside the margins.
#define WIDTH 900.0
#define HEIGHT 470.0
#define LEFT 66.0
#define RIGHT 152.0
#define TOP 12.0
#define BOTTOM 62.0
#define HEAD 64.0  // above a chart that stands alone
#define LABEL 15.0 // from one name to the next

#define COLOURS 7u
#define DASHES 4u
#define SIGNS 8u

static const char *const sign[SIGNS] = {
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",       // circle
    "M-3.5 -3.5h7v7h-7z",                        // square
    "M0 -4.5L4.2 3.5H-4.2z",                     // triangle
    "M0 -5L5 0L0 5L-5 0z",                       // diamond
    "M0 4.5L4.2 -3.5H-4.2z",                     // triangle on its point
    "M-3.5 -3.5L3.5 3.5M-3.5 3.5L3.5 -3.5",      // cross
    "M-4.5 0H4.5M0 -4.5V4.5",                    // plus
    "M-4.5 0H4.5M-2.2 -4L2.2 4M-2.2 4L2.2 -4",   // star
};

struct plot {
    FILE *to;
    const struct curve *curve;
    const struct curve_chart *chart;
    uint32_t number;  // of the chart
    enum curve_kind kind;
    double left_value, right_value;  // frames at the edges
    double top, step;                // ratios: of the upper edge, between two lines
};

static void style_write(FILE *to, uint32_t series, bool min) {
    if (min) {
        fputs("min", to);
    } else {
        fprintf(to, "k%u d%u", series % COLOURS, series / COLOURS % DASHES);
    }
}

void curve_sign(FILE *to, uint32_t series, bool min) {
    fputs("<svg width=\"34\" height=\"12\" viewBox=\"-17 -6 34 12\" aria-hidden=\"true\">"
          "<g class=\"", to);
    style_write(to, series, min);
    fputs("\"><path class=\"curve\" d=\"M-17 0H17\"/>", to);
    if (!min) {
        fprintf(to, "<path class=\"sign\" d=\"%s\"/>", sign[series % SIGNS]);
    }
    fputs("</g></svg>", to);
}

// ---- scales ----------------------------------------------------------------------------------

static double plot_right(void) {
    return WIDTH - RIGHT;
}

static double plot_bottom(void) {
    return HEIGHT - BOTTOM;
}

static double x_of(const struct plot *plot, double frames) {
    double from = plot->left_value, to = plot->right_value, share;
    if (plot->kind == CURVE_LOG) {
        share = log(frames / from) / log(to / from);
    } else {
        share = (frames - from) / (to - from);
    }
    return LEFT + share * (plot_right() - LEFT);
}

static double y_of(const struct plot *plot, double ratio) {
    return plot_bottom() - ratio / plot->top * (plot_bottom() - TOP);
}

// 1, 2 or 5 times a power of ten: at least a `parts`th of `range`.
static double round_step(double range, double parts) {
    double power = pow(10, floor(log10(range / parts)));
    double times = range / parts / power;
    return power * (times <= 1.0001 ? 1 : times <= 2.0001 ? 2 : times <= 5.0001 ? 5 : 10);
}

static void scales_make(struct plot *plot) {
    const struct curve_chart *chart = plot->chart;
    double most = 0;
    for (uint32_t s = 0; s < plot->curve->series_count; s++) {
        for (uint32_t i = 0; i < chart->sizes; i++) {
            most = fmax(most, curve_ratio(chart, s, i));
        }
    }
    plot->step = round_step(most, 5);
    plot->top = ceil(most / plot->step - 1e-9) * plot->step;
    double first = chart->frames[0], last = chart->frames[chart->sizes - 1];
    plot->left_value = plot->kind == CURVE_LOG ? first : 0;
    plot->right_value = last > plot->left_value ? last : last + 1;
}

// ---- axes ------------------------------------------------------------------------------------

static void text_at(FILE *to, double x, double y, const char *class, const char *text) {
    fprintf(to, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    html_text(to, text);
    fputs("</text>\n", to);
}

static void y_axis(const struct plot *plot) {
    for (double ratio = 0; ratio <= plot->top * 1.0001; ratio += plot->step) {
        char text[32];
        double y = y_of(plot, ratio);
        snprintf(text, sizeof(text), "%.4g %%", ratio * 100);
        fprintf(plot->to, "<path class=\"%s\" d=\"M%.1f %.1fH%.1f\"/>\n",
                ratio == 0 ? "axis" : "grid", LEFT, y, plot_right());
        text_at(plot->to, LEFT - 8, y + 4, "tick left", text);
    }
    fprintf(plot->to, "<text class=\"name\" transform=\"translate(16 %.1f) rotate(-90)\">"
                      "miss ratio: misses in 100 references</text>\n", (TOP + plot_bottom()) / 2);
}

static void x_tick(const struct plot *plot, double frames) {
    char text[32];
    double x = x_of(plot, frames);
    fprintf(plot->to, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>\n", x, plot_bottom());
    snprintf(text, sizeof(text), "%.0f", frames);
    text_at(plot->to, x, plot_bottom() + 19, "tick", text);
    double percent = 100 * frames / plot->chart->footprint;
    snprintf(text, sizeof(text), percent < 10 ? "%.2g %%" : "%.3g %%", percent);
    text_at(plot->to, x, plot_bottom() + 34, "tick small", text);
}

static void x_axis(const struct plot *plot) {
    if (plot->kind == CURVE_LOG) {
        double before = -100;
        for (double power = 1; power <= plot->right_value; power *= 10) {
            static const double times[] = {1, 2, 5};
            for (uint32_t i = 0; i < 3; i++) {
                double frames = times[i] * power;
                if (frames >= plot->left_value && frames <= plot->right_value &&
                    x_of(plot, frames) - before > 46) {
                    x_tick(plot, frames);
                    before = x_of(plot, frames);
                }
            }
        }
    } else {
        double step = fmax(1, round_step(plot->right_value, 8));
        for (double frames = 0; frames <= plot->right_value * 1.0001; frames += step) {
            x_tick(plot, frames);
        }
    }
    char text[96];
    snprintf(text, sizeof(text), "frames of 4 KiB%s, and in percent of the footprint of %u pages",
             plot->kind == CURVE_LOG ? " (logarithmic)" : "", plot->chart->footprint);
    text_at(plot->to, (LEFT + plot_right()) / 2, plot_bottom() + 54, "name", text);
}

// ---- lines -----------------------------------------------------------------------------------

static void point_write(const struct plot *plot, uint32_t series, uint32_t i) {
    fprintf(plot->to, "%.1f,%.1f ", x_of(plot, plot->chart->frames[i]),
            y_of(plot, curve_ratio(plot->chart, series, i)));
}

static void floor_draw(const struct plot *plot) {
    uint32_t last = plot->chart->sizes - 1;
    for (uint32_t s = 0; s < plot->curve->series_count; s++) {
        if (curve_is_min(&plot->curve->series[s])) {
            fprintf(plot->to, "<polygon class=\"floor\" points=\"%.1f,%.1f ",
                    x_of(plot, plot->chart->frames[0]), plot_bottom());
            for (uint32_t i = 0; i <= last; i++) {
                point_write(plot, s, i);
            }
            fprintf(plot->to, "%.1f,%.1f\"/>\n", x_of(plot, plot->chart->frames[last]),
                    plot_bottom());
        }
    }
}

// Signs on some of the points, on others than the neighbours' so that few lie on each other.
static void signs_draw(const struct plot *plot, uint32_t series) {
    uint32_t every = plot->chart->sizes > 8 ? 4 : 1;
    for (uint32_t i = series % every; i < plot->chart->sizes; i += every) {
        fprintf(plot->to, "<path class=\"sign\" transform=\"translate(%.1f %.1f)\" d=\"%s\"/>",
                x_of(plot, plot->chart->frames[i]), y_of(plot, curve_ratio(plot->chart, series, i)),
                sign[series % SIGNS]);
    }
}

static void line_draw(const struct plot *plot, uint32_t series) {
    bool min = curve_is_min(&plot->curve->series[series]);
    fprintf(plot->to, "<g class=\"line ");
    style_write(plot->to, series, min);
    fprintf(plot->to, "\" data-s=\"%u\"><polyline class=\"curve\" points=\"", series);
    for (uint32_t i = 0; i < plot->chart->sizes; i++) {
        point_write(plot, series, i);
    }
    fputs("\"/>", plot->to);
    if (!min) {
        signs_draw(plot, series);
    }
    fputs("</g>\n", plot->to);
}

// MIN first: no line may lie hidden under the thick one.
static void lines_draw(const struct plot *plot) {
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t s = 0; s < plot->curve->series_count; s++) {
            if (curve_is_min(&plot->curve->series[s]) == (pass == 0)) {
                line_draw(plot, s);
            }
        }
    }
}

// ---- names at the ends -----------------------------------------------------------------------

struct label {
    uint32_t series;
    double wish, y;
};

// Higher lines first; of those that end together, the one that came from higher.
static bool label_above(const struct plot *plot, uint32_t a, uint32_t b) {
    for (uint32_t i = plot->chart->sizes; i-- > 0;) {
        uint32_t one = plot->chart->misses[a][i], other = plot->chart->misses[b][i];
        if (one != other) {
            return one > other;
        }
    }
    return a < b;
}

static uint32_t labels_sort(const struct plot *plot, struct label *label) {
    uint32_t count = 0;
    for (uint32_t s = 0; s < plot->curve->series_count; s++) {
        double y = y_of(plot, curve_ratio(plot->chart, s, plot->chart->sizes - 1));
        uint32_t at = count++;
        for (; at > 0 && label_above(plot, s, label[at - 1].series); at--) {
            label[at] = label[at - 1];
        }
        label[at] = (struct label){s, y, y};
    }
    return count;
}

// None overlaps: pushed down by the one above, then the whole up from the lower edge.
static void labels_spread(struct label *label, uint32_t count, double pitch) {
    for (uint32_t i = 1; i < count; i++) {
        label[i].y = fmax(label[i].y, label[i - 1].y + pitch);
    }
    double most = plot_bottom();
    for (uint32_t i = count; i-- > 0;) {
        label[i].y = fmin(label[i].y, most);
        most = label[i].y - pitch;
    }
}

static void labels_draw(const struct plot *plot) {
    struct label label[CURVE_SERIES_MAX];
    uint32_t count = labels_sort(plot, label);
    double room = plot_bottom() - TOP, x = plot_right();
    labels_spread(label, count, fmin(LABEL, room / count));
    for (uint32_t i = 0; i < count; i++) {
        bool min = curve_is_min(&plot->curve->series[label[i].series]);
        fputs("<g class=\"label ", plot->to);
        style_write(plot->to, label[i].series, min);
        fprintf(plot->to, "\" data-s=\"%u\"><path class=\"lead\" d=\"M%.1f %.1fL%.1f %.1fh4\"/>",
                label[i].series, x + 3, label[i].wish, x + 26, label[i].y);
        fprintf(plot->to, "<path class=\"%s\" transform=\"translate(%.1f %.1f)\" d=\"%s\"/>",
                min ? "curve" : "sign", x + 37, label[i].y,
                min ? "M-5 0H5" : sign[label[i].series % SIGNS]);
        fprintf(plot->to, "<text x=\"%.1f\" y=\"%.1f\">", x + 46, label[i].y + 4.2);
        html_text(plot->to, plot->curve->series[label[i].series].name);
        fputs("</text></g>\n", plot->to);
    }
}

// ---- the chart -------------------------------------------------------------------------------

static void head_draw(const struct plot *plot) {
    fprintf(plot->to, "<text class=\"title\" x=\"%.0f\" y=\"-38\">", 14.0);
    html_text(plot->to, plot->chart->name);
    fprintf(plot->to, "</text>\n<text class=\"small\" x=\"%.0f\" y=\"-16\">", 14.0);
    curve_describe(plot->to, plot->curve, plot->chart);
    fputs("</text>\n", plot->to);
}

void curve_draw(FILE *to, const struct curve *curve, uint32_t chart, enum curve_kind kind) {
    struct plot plot = {.to = to, .curve = curve, .chart = &curve->chart[chart], .number = chart,
                        .kind = kind};
    scales_make(&plot);
    if (kind == CURVE_PICTURE) {
        fprintf(to, "<g transform=\"translate(0 %.0f)\">\n", HEAD + chart * (HEIGHT + HEAD));
        head_draw(&plot);
    } else {
        fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                    "data-scale=\"%s\" aria-hidden=\"true\"%s>\n", WIDTH, HEIGHT,
                kind == CURVE_LOG ? "log" : "linear",
                kind == CURVE_LOG ? " hidden=\"hidden\"" : "");
    }
    y_axis(&plot);
    x_axis(&plot);
    floor_draw(&plot);
    lines_draw(&plot);
    labels_draw(&plot);
    fputs(kind == CURVE_PICTURE ? "</g>\n" : "</svg>\n", to);
}

void curve_svg(FILE *to, const struct curve *curve) {
    double height = curve->charts * (HEIGHT + HEAD);
    fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"title desc\">\n"
                "<title id=\"title\">Miss ratio over frames: ", WIDTH, height, WIDTH, height);
    for (uint32_t i = 0; i < curve->charts; i++) {
        fputs(i > 0 ? ", " : "", to);
        html_text(to, curve->chart[i].name);
    }
    fputs("</title>\n<desc id=\"desc\">", to);
    for (uint32_t i = 0; i < curve->charts; i++) {
        html_text(to, curve->chart[i].name);
        fputs(": ", to);
        curve_describe(to, curve, &curve->chart[i]);
        fputs(". ", to);
    }
    fputs("A line for each of:", to);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        fprintf(to, "%s %s", s > 0 ? "," : "", curve->series[s].name);
    }
    fprintf(to, ".</desc>\n<style>%s</style>\n"
                "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", asset_curve_svg_css);
    for (uint32_t i = 0; i < curve->charts; i++) {
        curve_draw(to, curve, i, CURVE_PICTURE);
    }
    fputs("</svg>\n", to);
}
