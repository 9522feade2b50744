// SPDX-License-Identifier: MIT
// The command curve: miss-ratio curves of traces as a page, a picture or CSV.
#include "curve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "html.h"
#include "lab.h"
#include "options.h"
#include "output.h"
#include "sim_progress.h"

#define refuse(...) options_refuse("curve", 2, __VA_ARGS__)

static const char usage[] =
    "usage: quire-lab curve [--policy P[,P...]] [--frames N[,N...]] TRACE... -o FILE...\n"
    "\n"
    "Draws the miss ratio over frames, a line for each policy, min as the floor, a chart for each\n"
    "trace.\n"
    "  -o FILE             .html: a page with read-out and table; .svg: a picture; .csv: as sim\n"
    "                      prints it; - is the standard output. Several -o make several files\n"
    "  --format F          html, svg or csv, for names that do not tell\n"
    "  --policy P[,P...]   names that `quire-lab policies` lists, with parameters as in arc:p=8,\n"
    "                      or all (default: all); min is always there\n"
    "  --frames N[,N...]   frames that the pages may fill; N% means percent of the trace's pages\n"
    "                      (default: 24 sizes up to the footprint)\n";

#define OUTPUTS_MAX 8u

static const struct drawing {
    const char *name;
    void (*write)(FILE *to, const struct curve *curve);
} formats[] = {{"html", curve_html}, {"svg", curve_svg}, {"csv", curve_csv}};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

struct job {
    struct curve curve;
    const char *output[OUTPUTS_MAX];
    uint32_t outputs;
    const struct drawing *format;  // NULL: by the name of each file
    char **trace;
    uint32_t traces;
};

// ---- options ---------------------------------------------------------------------------------

static void add_list(struct job *job, const char *option, const char *text,
                     const char *(*add)(struct curve *curve, const char *text)) {
    char copy[1024];
    if (strlen(text) >= sizeof(copy)) {
        refuse("the list '%.40s...' is too long", text);
    }
    strcpy(copy, text);
    for (char *at = copy, *item; (item = strsep(&at, ",")) != NULL;) {
        const char *wrong = add(&job->curve, item);
        if (wrong != NULL) {
            refuse("%s '%s' %s%s", option, item, wrong, add != curve_add_policy ? "" :
                   "; `quire-lab policies` lists them, and min");
        }
    }
}

static const struct drawing *format_named(const char *text) {
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(text, formats[i].name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

static const char *value_of(int count, char **argument, int *at, const char *name) {
    return options_value("curve", count, argument, at, name);
}

static void job_add(struct job *job, int count, char **argument, int *at) {
    const char *value;
    if ((value = value_of(count, argument, at, "--policy")) != NULL) {
        add_list(job, "--policy", value, curve_add_policy);
    } else if ((value = value_of(count, argument, at, "--frames")) != NULL) {
        add_list(job, "--frames", value, curve_add_frames);
    } else if ((value = value_of(count, argument, at, "--format")) != NULL) {
        if ((job->format = format_named(value)) == NULL) {
            refuse("there is no format '%s': choose html, svg or csv", value);
        }
    } else if ((value = value_of(count, argument, at, "-o")) != NULL) {
        if (job->outputs == OUTPUTS_MAX) {
            refuse("-o takes at most %u files", OUTPUTS_MAX);
        }
        job->output[job->outputs++] = value;
    } else if (argument[*at][0] == '-' && argument[*at][1] != 0) {
        refuse("unknown option '%s'; see `quire-lab curve --help`", argument[*at]);
    } else {
        job->trace[job->traces++] = argument[*at];
    }
}

// ---- output ----------------------------------------------------------------------------------

static const struct drawing *format_of(const struct job *job, const char *path) {
    const char *dot = strrchr(path, '.');
    return job->format != NULL || dot == NULL ? job->format : format_named(dot + 1);
}

static void job_check(const struct job *job) {
    char error[600];
    if (job->traces == 0 || job->outputs == 0) {
        refuse(job->traces == 0 ? "name at least one trace file; see `quire-lab curve --help`"
                                : "say where to draw: -o FILE.html (or .svg, .csv, or -)");
    }
    if (!format_names_differ(job->traces, job->trace, error, sizeof(error))) {
        refuse("%s", error);
    }
    for (uint32_t i = 0; i < job->outputs; i++) {
        if (format_of(job, job->output[i]) == NULL) {
            refuse("'%s' does not tell what to write: end it in .html, .svg or .csv, or add "
                   "--format", job->output[i]);
        }
        for (uint32_t k = 0; k < job->traces; k++) {
            if (output_is_input(job->trace[k], job->output[i])) {
                refuse("cannot write '%s': that is a trace to read; name another file",
                       job->output[i]);
            }
        }
    }
}

static void output_write(const struct job *job, const char *path) {
    const struct drawing *format = format_of(job, path);
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    format->write(memory, &job->curve);
    fclose(memory);
    if (format->write == curve_html && length > HTML_MAX) {
        refuse("the page would have %zu bytes, more than %u: give fewer traces, policies or sizes",
               length, HTML_MAX);
    }
    if (html_save(path, text, length) != 0) {
        refuse("cannot write '%s': %s", path, strerror(errno));
    }
    free(text);
}

static int job_run(struct job *job) {
    struct curve *curve = &job->curve;
    if (curve->series_count == 0) {
        (void)curve_add_policy(curve, "all");
    }
    sim_progress_start(-1);
    const char *wrong = curve_add_policy(curve, "min");  // the floor is always there
    if (wrong != NULL) {
        refuse("the line of min %s", wrong);
    }
    curve->chart = sim_allocate(job->traces, sizeof(*curve->chart));
    for (; curve->charts < job->traces; curve->charts++) {
        struct sim_trace trace;
        char error[512];
        const char *path = job->trace[curve->charts];
        if (sim_trace_load(path, &trace, error, sizeof(error)) != 0) {
            refuse("%s", error);
        }
        format_trace_name(path, curve->chart[curve->charts].name, sizeof(curve->chart->name));
        curve_measure(curve, &curve->chart[curve->charts], &trace, 0);
        sim_trace_free(&trace);
    }
    for (uint32_t i = 0; i < job->outputs; i++) {
        output_write(job, job->output[i]);
    }
    if (curve->line[0] != 0) {
        fprintf(stderr, "quire-lab curve: %s\n", curve->line);
    }
    return curve->line[0] != 0;
}

static void job_free(struct job *job) {
    free(job->curve.chart);
    free(job->trace);
    free(job);
}

int curve_main(int count, char **argument) {
    struct job *job = sim_allocate(1, sizeof(*job));
    job->trace = sim_allocate((size_t)count, sizeof(*job->trace));
    for (int i = 1; i < count; i++) {
        if (strcmp(argument[i], "--help") == 0 || strcmp(argument[i], "-h") == 0) {
            fputs(usage, stdout);
            job_free(job);
            return 0;
        }
        job_add(job, count, argument, &i);
    }
    job_check(job);
    int status = job_run(job);
    job_free(job);
    return status;
}
