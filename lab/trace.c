// SPDX-License-Identifier: MIT
// quire-lab trace: reads a trace file, or a pipe that one comes through, and prints it as text, a
// summary, as the requests without a reply, or as a time line. Changes nothing.
#include "lab.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "trace_file.h"
#include "trace_print.h"
#include "trace_report.h"

enum mode { MODE_TEXT, MODE_SUMMARY, MODE_PENDING, MODE_JSON };

static const char usage[] =
    "usage: quire trace [--summary | --pending | --json] FILE\n"
    "Prints a trace of Quire (pcapng, - for standard input), one record a line:\n"
    "  seconds, task, kind, what, #id of the request it starts, <- #id of what caused it\n"
    "  --summary  records by kind, task and message, with times from request to reply\n"
    "  --pending  only the requests without a reply: what a hung system waits for\n"
    "  --json     a time line for https://ui.perfetto.dev or chrome://tracing\n";

// Exit statuses: 0, 1 for a bad file, 2 for a bad command line.
struct options {
    enum mode mode;
    const char *path;
};

static void options_fail(const char *what, const char *word) {
    fprintf(stderr, "quire trace: %s%s%s (--help lists the options)\n", what,
            word != NULL ? ": " : "", word != NULL ? word : "");
    exit(2);
}

static struct options options_read(int count, char **words) {
    struct options options = {MODE_TEXT, NULL};
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "-h") == 0 || strcmp(words[i], "--help") == 0) {
            fputs(usage, stdout);
            exit(0);
        } else if (strcmp(words[i], "--summary") == 0) {
            options.mode = MODE_SUMMARY;
        } else if (strcmp(words[i], "--pending") == 0) {
            options.mode = MODE_PENDING;
        } else if (strcmp(words[i], "--json") == 0) {
            options.mode = MODE_JSON;
        } else if (words[i][0] == '-' && words[i][1] != 0) {
            options_fail("unknown option", words[i]);
        } else if (options.path != NULL) {
            options_fail("one file at a time, this is the second", words[i]);
        } else {
            options.path = words[i];
        }
    }
    if (options.path == NULL) {
        options_fail("which file?", NULL);
    }
    return options;
}

static FILE *stream_open(const char *path) {
    if (strcmp(path, "-") == 0) {
        return stdin;
    }
    struct stat status;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL || fstat(fileno(stream), &status) != 0) {
        fprintf(stderr, "quire trace: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    if (S_ISDIR(status.st_mode)) {
        fprintf(stderr, "quire trace: %s: is a directory, not a trace\n", path);
        exit(1);
    }
    return stream;
}

static void record_show(enum mode mode, struct trace_state *state, struct trace_summary *summary,
                        const struct trace_record *record) {
    char line[TRACE_LINE_BYTES];
    if (mode == MODE_TEXT) {
        trace_line(line, sizeof(line), state, record);
        puts(line);
    } else if (mode == MODE_SUMMARY) {
        trace_summary_add(summary, state, record);
    } else if (mode == MODE_JSON) {
        trace_json_add(state, record, stdout);
    }
}

static void show_end(enum mode mode, struct trace_state *state, const struct trace_summary *summary,
                     const struct trace_file *file) {
    if (mode == MODE_SUMMARY) {
        trace_summary_print(summary, state, file->offset, stdout);
    } else if (mode == MODE_JSON) {
        trace_json_end(state, stdout);
    } else if (mode == MODE_PENDING && trace_pending_print(state, stdout) == 0) {
        puts("every request has its reply");
    }
}

int trace_main(int count, char **words) {
    struct options options = options_read(count, words);
    struct trace_file file;
    struct trace_record record;
    enum trace_status status;
    struct trace_state *state = trace_state_new();
    struct trace_summary *summary = calloc(1, sizeof(*summary));
    if (state == NULL || summary == NULL) {
        fprintf(stderr, "quire trace: out of memory\n");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);  // lines appear as they come, also through a pipe
    trace_file_open(&file, stream_open(options.path));
    if (options.mode == MODE_JSON) {
        trace_json_begin(stdout);
    }
    while ((status = trace_file_next(&file, &record)) == TRACE_RECORD) {
        record_show(options.mode, state, summary, &record);
        trace_state_add(state, &record);
    }
    if (status == TRACE_BAD) {
        fflush(stdout);
        fprintf(stderr, "quire trace: %s: %s\n", options.path, file.error);
        return 1;
    }
    show_end(options.mode, state, summary, &file);
    if (status == TRACE_CUT) {
        fprintf(stderr, "quire trace: %s: the file ends inside a record, after %" PRIu64
                        " whole ones\n", options.path, file.records);
    }
    free(summary);
    free(state);
    return fflush(stdout) == 0 ? 0 : 1;
}
