// SPDX-License-Identifier: MIT
// Miss-ratio curves: what is refused, sizes and counts, and the form of page, picture and CSV.
#include <stdlib.h>
#include <string.h>

#include "curve.h"
#include "html.h"
#include "markup.h"
#include "sim_replay.h"
#include "test.h"

// A loop over some pages, and one page that is used again and again.
static struct sim_trace trace_make(uint32_t pages, uint32_t length) {
    uint32_t *page = sim_allocate(length, sizeof(*page));
    struct sim_trace trace;
    for (uint32_t i = 0; i < length; i++) {
        page[i] = i % 3 == 0 ? 7 : 1000 + i % (pages - 1);
    }
    sim_trace_number(&trace, page, length);
    return trace;
}

static struct curve *curve_new(const char *const *policy) {
    struct curve *curve = sim_allocate(1, sizeof(*curve));
    for (; *policy != NULL; policy++) {
        CHECK(curve_add_policy(curve, *policy) == NULL);
    }
    return curve;
}

// As many charts, of one trace.
static void curve_fill(struct curve *curve, uint32_t charts, const char *name, uint32_t threads) {
    struct sim_trace trace = trace_make(98, 2000);
    curve->charts = charts;
    curve->chart = sim_allocate(charts, sizeof(*curve->chart));
    for (uint32_t i = 0; i < charts; i++) {
        snprintf(curve->chart[i].name, sizeof(curve->chart[i].name), "%s", name);
        curve_measure(curve, &curve->chart[i], &trace, threads);
    }
    CHECK_TEXT(curve->line, "");
    sim_trace_free(&trace);
}

static void curve_end(struct curve *curve) {
    free(curve->chart);
    free(curve);
}

static char *written(void (*write)(FILE *to, const struct curve *curve),
                     const struct curve *curve) {
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    write(to, curve);
    fclose(to);
    return text;
}

static uint32_t count_of(const char *text, const char *what) {
    uint32_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text++) {
        count++;
    }
    return count;
}

TEST(curve_rejects, "unknown policies, bad parameters and sizes that are none are refused") {
    struct curve *curve = sim_allocate(1, sizeof(*curve));
    static const char *const policies[] = {"", "best", "arc:p", "arc:q=8", "sieve:p=1",
                                           "clock:load=2"};
    static const char *const sizes[] = {"", "0", "0%", "-1", "x", "3x", "3%%", "1e3", "268435457",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        test_case(policies[i]);
        CHECK(curve_add_policy(curve, policies[i]) != NULL);
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_case(sizes[i]);
        CHECK(curve_add_frames(curve, sizes[i]) != NULL);
    }
    test_case(NULL);
    CHECK(curve->series_count == 0 && curve->amounts == 0);
    for (uint32_t i = 0; i < CURVE_SIZES_MAX; i++) {
        CHECK(curve_add_frames(curve, "5") == NULL);
    }
    CHECK(strstr(curve_add_frames(curve, "5"), "one too many") != NULL);
    free(curve);
}

TEST(curve_sizes, "sizes ascend, each once; without any they are spread over the footprint") {
    struct curve *curve = curve_new((const char *const[]){"min", NULL});
    curve_fill(curve, 1, "t", 1);
    const struct curve_chart *chart = &curve->chart[0];
    CHECK(chart->sizes > 20 && chart->sizes <= CURVE_SIZES);
    CHECK(chart->frames[0] == 1 && chart->frames[chart->sizes - 1] == chart->footprint);
    for (uint32_t i = 1; i < chart->sizes; i++) {
        CHECK(chart->frames[i - 1] < chart->frames[i]);
    }
    curve_end(curve);
    static const char *const sizes[] = {"50%", "9", "1%", "9", "500"};
    curve = curve_new((const char *const[]){"min", NULL});
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CHECK(curve_add_frames(curve, sizes[i]) == NULL);
    }
    curve_fill(curve, 1, "t", 1);
    chart = &curve->chart[0];
    CHECK_EQUAL(chart->footprint, 98);
    CHECK(chart->sizes == 4 && chart->frames[0] == 1 && chart->frames[1] == 9 &&
          chart->frames[2] == 49 && chart->frames[3] == 500);
    curve_end(curve);
}

static uint32_t sim_misses(const struct sim_trace *trace, const char *name, uint32_t frames) {
    return strcmp(name, "min") == 0
               ? sim_replay_min(trace, frames).misses
               : sim_replay(trace, policy_find(name, 32), frames, NULL, NULL).misses;
}

TEST(curve_counts, "counts are the simulator's, parameters count, threads do not") {
    static const char *const policies[] = {"all", "clock:load=1", "lirs:hir=10", NULL};
    struct curve *curve = curve_new(policies), *other = curve_new(policies);
    curve_fill(curve, 1, "t", 1);
    curve_fill(other, 1, "t", 4);
    struct sim_trace trace = trace_make(98, 2000);
    for (uint32_t s = 0; s < curve->series_count; s++) {
        const char *name = curve->series[s].name;
        const char *same = strcmp(name, "clock:load=1") == 0  ? "clock_r1"
                           : strcmp(name, "lirs:hir=10") == 0 ? "lirs_10"
                                                              : name;
        for (uint32_t i = 0; i < curve->chart[0].sizes; i++) {
            uint32_t frames = curve->chart[0].frames[i], misses = curve->chart[0].misses[s][i];
            test_case(name);
            CHECK_EQUAL(misses, sim_misses(&trace, same, frames));
            CHECK_EQUAL(misses, other->chart[0].misses[s][i]);
        }
    }
    test_case(NULL);
    sim_trace_free(&trace);
    curve_end(curve);
    curve_end(other);
}

TEST(curve_csv, "the CSV has a line for each policy and size, and a name with a comma in quotes") {
    struct curve *curve = curve_new((const char *const[]){"fifo", "min", NULL});
    CHECK(curve_add_frames(curve, "98") == NULL && curve_add_frames(curve, "200") == NULL);
    curve_fill(curve, 1, "a,\"b", 2);
    char *text = written(curve_csv, curve);
    CHECK_TEXT(text, "trace,frames,policy,misses\n"
                     "\"a,\"\"b\",98,fifo,98\n\"a,\"\"b\",200,fifo,98\n"
                     "\"a,\"\"b\",98,min,98\n\"a,\"\"b\",200,min,98\n");
    free(text);
    curve_end(curve);
}

TEST(curve_forms, "page and picture are well-formed whatever the trace is called, with all names") {
    struct curve *curve = curve_new((const char *const[]){"all", NULL});
    curve_fill(curve, 2, "<b>\"&'--</script>", 2);
    char *page = written(curve_html, curve), *picture = written(curve_svg, curve);
    CHECK(markup_check(page) == NULL);
    CHECK(markup_check(picture) == NULL);
    CHECK(strlen(page) < HTML_MAX && strlen(picture) < HTML_MAX);
    CHECK_EQUAL(count_of(picture, "class=\"line "), 2 * curve->series_count);
    CHECK_EQUAL(count_of(page, "class=\"label "), 4 * curve->series_count);  // linear and log
    CHECK_EQUAL(count_of(page, "<b>\""), 0);
    CHECK_EQUAL(count_of(page, "</script>"), 2);  // its data and its program
    CHECK(count_of(picture, "<title") == 1 && count_of(picture, "<desc") == 1);
    CHECK(count_of(page, "nan") + count_of(picture, "nan") == 0);
    free(page);
    free(picture);
    curve_end(curve);
}

TEST(curve_one_size, "a single size and a trace of one page give charts without a hole") {
    struct curve *curve = curve_new((const char *const[]){"fifo", "min", NULL});
    uint32_t *page = sim_allocate(3, sizeof(*page));
    struct sim_trace trace;
    sim_trace_number(&trace, page, 3);
    curve->charts = 1;
    curve->chart = sim_allocate(1, sizeof(*curve->chart));
    curve_measure(curve, &curve->chart[0], &trace, 1);
    CHECK(curve->chart[0].sizes == 1 && curve->chart[0].frames[0] == 1);
    char *text = written(curve_html, curve);
    CHECK(markup_check(text) == NULL);
    CHECK(strstr(text, "nan") == NULL && strstr(text, "inf,") == NULL);
    free(text);
    sim_trace_free(&trace);
    curve_end(curve);
}

// From one name to the next in the picture there is room for a line of text.
TEST(curve_labels_apart, "names at the ends of lines do not overlap, though lines end together") {
    struct curve *curve = curve_new((const char *const[]){"all", NULL});
    curve_fill(curve, 1, "t", 2);
    char *picture = written(curve_svg, curve);
    double before = -100;
    uint32_t labels = 0;
    for (const char *at = picture; (at = strstr(at, "class=\"label ")) != NULL; at++) {
        const char *text = strstr(at, "<text x=\"");
        double x, y;
        CHECK(text != NULL && sscanf(text, "<text x=\"%lf\" y=\"%lf\"", &x, &y) == 2);
        CHECK(y - before > 14.5 && y < 470);
        before = y;
        labels++;
    }
    CHECK_EQUAL(labels, curve->series_count);
    free(picture);
    curve_end(curve);
}

TEST(curve_styles_differ, "no two lines have the same colour, dashes and sign") {
    struct curve *curve = curve_new((const char *const[]){"all", NULL});
    char *sign[CURVE_SERIES_MAX];
    size_t length;
    for (uint32_t s = 0; s < curve->series_count; s++) {
        FILE *to = open_memstream(&sign[s], &length);
        curve_sign(to, s, curve_is_min(&curve->series[s]));
        fclose(to);
        for (uint32_t other = 0; other < s; other++) {
            CHECK(strcmp(sign[s], sign[other]) != 0);
        }
    }
    for (uint32_t s = 0; s < curve->series_count; s++) {
        free(sign[s]);
    }
    curve_end(curve);
}
