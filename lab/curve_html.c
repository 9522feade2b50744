// SPDX-License-Identifier: MIT
// The page of curves and the CSV: charts (curve_svg.c) with a legend, a read-out and a table. The
// page is complete without curve.js, which only points and reads out.
#include "curve.h"

#include <string.h>

#include "html.h"

// ---- words -----------------------------------------------------------------------------------

// 1,234,567
static void write_count(FILE *to, uint32_t number) {
    if (number >= 1000) {
        write_count(to, number / 1000);
        fprintf(to, ",%03u", number % 1000);
    } else {
        fprintf(to, "%u", number);
    }
}

// The place of a policy's parameter "load", or POLICY_PARAMETERS.
static uint32_t load_of(const struct policy_choice *choice) {
    const struct policy_parameter *parameter = choice->kind->operations->parameter;
    uint32_t i = 0;
    while (i < POLICY_PARAMETERS &&
           (parameter[i].name == NULL || strcmp(parameter[i].name, "load") != 0)) {
        i++;
    }
    return i;
}

static void describe_load(FILE *to, const struct curve *curve) {
    const char *between = "; 1 in ";
    fputs("reference bit on load 0", to);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        const struct curve_series *series = &curve->series[s];
        uint32_t load = curve_is_min(series) ? POLICY_PARAMETERS : load_of(&series->choice);
        if (load < POLICY_PARAMETERS && series->choice.parameter[load] != 0) {
            fputs(between, to);
            html_text(to, series->name);
            between = ", ";
        }
    }
}

void curve_describe(FILE *to, const struct curve *curve, const struct curve_chart *chart) {
    fputs("footprint ", to);
    write_count(to, chart->footprint);
    fprintf(to, " page%s (%.1f MiB), ", chart->footprint == 1 ? "" : "s", chart->footprint / 256.0);
    write_count(to, chart->references);
    fprintf(to, " reference%s, ", chart->references == 1 ? "" : "s");
    describe_load(to, curve);
}

// ---- parts of the page -----------------------------------------------------------------------

static void write_controls(FILE *to, const struct curve *curve) {
    fputs("<div class=\"controls\" hidden=\"hidden\" role=\"group\" aria-label=\"Scale and lines\">"
          "<span>frames:</span>"
          "<button type=\"button\" data-scale=\"linear\" aria-pressed=\"true\">linear</button>"
          "<button type=\"button\" data-scale=\"log\" aria-pressed=\"false\">logarithmic</button>"
          "<span>lines:</span>\n", to);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        fprintf(to, "<button type=\"button\" data-s=\"%u\" aria-pressed=\"true\">", s);
        curve_sign(to, s, curve_is_min(&curve->series[s]));
        html_text(to, curve->series[s].name);
        fputs("</button>\n", to);
    }
    fputs("<button type=\"button\" data-all=\"yes\">all</button>"
          "<button type=\"button\" data-all=\"no\">none</button></div>\n", to);
}

static void write_table(FILE *to, const struct curve *curve, const struct curve_chart *chart) {
    fputs("<details><summary>Table of misses</summary><div class=\"scroll\" tabindex=\"0\" "
          "role=\"region\" aria-label=\"Table of misses\"><table><thead><tr>"
          "<th scope=\"col\">frames</th>", to);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        fputs("<th scope=\"col\">", to);
        html_text(to, curve->series[s].name);
        fputs("</th>", to);
    }
    fputs("</tr></thead><tbody>\n", to);
    for (uint32_t i = 0; i < chart->sizes; i++) {
        fprintf(to, "<tr><th scope=\"row\">%u</th>", chart->frames[i]);
        for (uint32_t s = 0; s < curve->series_count; s++) {
            fprintf(to, "<td data-at=\"%u-%u\">%u</td>", s, i, chart->misses[s][i]);
        }
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div></details>\n", to);
}

static void write_chart(FILE *to, const struct curve *curve, uint32_t number) {
    const struct curve_chart *chart = &curve->chart[number];
    fputs("<section class=\"chart\"><h2>", to);
    html_text(to, chart->name);
    fputs("</h2>\n<p class=\"faint\">", to);
    curve_describe(to, curve, chart);
    fputs(".</p>\n<div class=\"plot\" tabindex=\"0\" role=\"application\" "
          "aria-roledescription=\"chart\" aria-label=\"Miss ratio over frames, ", to);
    html_text(to, chart->name);
    fputs(": left and right move along a line, up and down from line to line\">\n", to);
    curve_draw(to, curve, number, CURVE_LINEAR);
    curve_draw(to, curve, number, CURVE_LOG);
    fputs("</div>\n<output role=\"status\" aria-live=\"polite\" hidden=\"hidden\">"
          "Point at a line, or choose the chart with the Tab key and use the arrow keys."
          "</output>\n", to);
    write_table(to, curve, chart);
    fputs("</section>\n", to);
}

// ---- what the program knows ------------------------------------------------------------------

static void write_numbers(FILE *to, const uint32_t *number, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        fprintf(to, "%c%u", i == 0 ? '[' : ',', number[i]);
    }
    fputc(']', to);
}

static void write_data(FILE *to, const struct curve *curve) {
    int min = -1;
    fputs("<script id=\"data\" type=\"application/json\">{\"series\":[", to);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        fputs(s > 0 ? "," : "", to);
        html_json(to, curve->series[s].name);
        min = curve_is_min(&curve->series[s]) ? (int)s : min;
    }
    fprintf(to, "],\"min\":%d,\"charts\":[", min);
    for (uint32_t i = 0; i < curve->charts; i++) {
        const struct curve_chart *chart = &curve->chart[i];
        fputs(i > 0 ? ",\n{\"name\":" : "{\"name\":", to);
        html_json(to, chart->name);
        fprintf(to, ",\"footprint\":%u,\"references\":%u,\"frames\":", chart->footprint,
                chart->references);
        write_numbers(to, chart->frames, chart->sizes);
        fputs(",\"misses\":", to);
        for (uint32_t s = 0; s < curve->series_count; s++) {
            fputc(s == 0 ? '[' : ',', to);
            write_numbers(to, chart->misses[s], chart->sizes);
        }
        fputs("]}", to);
    }
    fputs("]}</script>\n", to);
}

void curve_html(FILE *to, const struct curve *curve) {
    char style[8192], title[200];
    snprintf(style, sizeof(style), "%s%s", asset_curve_svg_css, asset_curve_css);
    snprintf(title, sizeof(title), "Miss ratio over frames: %s%s", curve->chart[0].name,
             curve->charts > 1 ? " and others" : "");
    html_begin(to, title, style);
    fputs("<h1>", to);
    html_text(to, title);
    fputs("</h1>\n<p>A line for each policy; the shaded area lies below Belady's optimum, min: no "
          "policy gets there.</p>\n", to);
    write_controls(to, curve);
    for (uint32_t i = 0; i < curve->charts; i++) {
        write_chart(to, curve, i);
    }
    write_data(to, curve);
    html_end(to, asset_curve_js);
}

// ---- CSV -------------------------------------------------------------------------------------

// A comma or a quote in a name must not break it.
static void csv_field(FILE *to, const char *text) {
    if (strpbrk(text, ",\"\n") == NULL) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text != 0; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){*text, 0}, to);
    }
    fputc('"', to);
}

void curve_csv(FILE *to, const struct curve *curve) {
    fputs("trace,frames,policy,misses\n", to);
    for (uint32_t c = 0; c < curve->charts; c++) {
        const struct curve_chart *chart = &curve->chart[c];
        for (uint32_t s = 0; s < curve->series_count; s++) {
            for (uint32_t i = 0; i < chart->sizes; i++) {
                csv_field(to, chart->name);
                fprintf(to, ",%u,%s,%u\n", chart->frames[i], curve->series[s].name,
                        chart->misses[s][i]);
            }
        }
    }
}
