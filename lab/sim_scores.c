// SPDX-License-Identifier: MIT
// The command scores. A count that changes is a policy that changed: the file is rewritten only
// when somebody says so.
#include "sim_scores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "output.h"
#include "sim_print.h"

static const char usage[] =
    "usage: quire-lab scores [--write] FOLDER SCORES.csv\n"
    "Replays the traces of SCORES.csv, which lie in FOLDER as NAME.u32.xz, under every policy\n"
    "with the numbers of frames that the file has, and tells whether each count is still the same.\n"
    "  --write   put today's counts into SCORES.csv; look at the difference before you commit it\n";

#define ROWS_MAX 4096u

struct score {
    char trace[32], policy[SIM_NAME_BYTES];
    uint32_t frames, misses;
    bool met;
};

struct scores {
    struct score row[ROWS_MAX];
    uint32_t count;
    int differences;
    char *text;  // the first difference
    size_t size;
    const char *trace;  // being replayed
    FILE *right;
};

static int scores_read(struct scores *scores, const char *path) {
    char line[256];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        snprintf(scores->text, scores->size, "cannot read '%s': %s", path, strerror(errno));
        return -1;
    }
    bool header = fgets(line, sizeof(line), file) != NULL &&
                  strcmp(line, "trace,frames,policy,misses\n") == 0;
    for (uint32_t number = 2; header && fgets(line, sizeof(line), file) != NULL; number++) {
        struct score *row = &scores->row[scores->count];
        char end;
        int fields = scores->count == ROWS_MAX ? 0
                     : sscanf(line, "%31[^,],%u,%63[^,],%u%c", row->trace, &row->frames,
                              row->policy, &row->misses, &end);
        if (fields == 5 && end == '\n' && row->frames > 0) {
            scores->count++;
        } else {
            snprintf(scores->text, scores->size, "line %u of '%s' is no trace,frames,policy,misses",
                     number, path);
            fclose(file);
            return -1;
        }
    }
    fclose(file);
    if (scores->count == 0) {
        snprintf(scores->text, scores->size, "'%s' holds no scores: it must begin with "
                 "trace,frames,policy,misses, and rows must follow", path);
    }
    return scores->count == 0 ? -1 : 0;
}

static struct score *score_find(struct scores *scores, uint32_t frames, const char *policy) {
    for (uint32_t i = 0; i < scores->count; i++) {
        struct score *row = &scores->row[i];
        if (row->frames == frames && strcmp(row->policy, policy) == 0 &&
            strcmp(row->trace, scores->trace) == 0) {
            return row;
        }
    }
    return NULL;
}

static void difference(struct scores *scores, const char *trace, uint32_t frames,
                       const char *policy, const char *known, uint32_t misses) {
    if (scores->differences++ == 0) {
        snprintf(scores->text, scores->size, "%s,%u,%s: %s, now %u", trace, frames, policy, known,
                 misses);
    }
}

static void row_compare(void *context, const struct sim_row *row) {
    struct scores *scores = context;
    const char *name = row->choice->name;
    struct score *known = score_find(scores, row->frames, name);
    char text[32] = "there is no row";
    if (known != NULL) {
        known->met = true;
        snprintf(text, sizeof(text), "%u misses", known->misses);
    }
    if (known == NULL || known->misses != row->result.misses || row->result.violations > 0) {
        difference(scores, scores->trace, row->frames, name, text, row->result.misses);
    }
    if (scores->right != NULL) {
        sim_print_row(scores->right, scores->trace, row, false);
    }
}

// No policy may miss less often than MIN, nor MIN less often than there are pages.
static void bound_check(struct scores *scores, const struct sim_row *row, uint32_t count,
                        uint32_t sizes, uint32_t footprint) {
    const struct sim_row *min = row;
    while (min->choice->what != SIM_MIN) {
        min += sizes;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bound = min[i % sizes].result.misses;
        if (bound < footprint || row[i].result.misses < bound) {
            difference(scores, scores->trace, row[i].frames, row[i].choice->name,
                       "fewer misses than MIN or than pages", row[i].result.misses);
        }
    }
}

static void trace_compare(struct scores *scores, const struct sim_trace *trace) {
    struct sim_choice choice[SIM_CHOICES];
    uint32_t frames[64], sizes = 0;
    for (uint32_t i = 0; i < scores->count; i++) {
        const struct score *row = &scores->row[i];
        uint32_t k = 0;
        while (k < sizes && frames[k] != row->frames) {
            k++;
        }
        if (strcmp(row->trace, scores->trace) == 0 && k == sizes && sizes < 64) {
            frames[sizes++] = row->frames;
        }
    }
    uint32_t count = sizes * SIM_CHOICES;
    struct sim_row *row = sim_allocate(count, sizeof(*row));
    for (uint32_t i = 0; i < SIM_CHOICES; i++) {
        choice[i] = sim_choice_at(i);
        for (uint32_t k = 0; k < sizes; k++) {
            row[i * sizes + k] = (struct sim_row){.choice = &choice[i], .frames = frames[k]};
        }
    }
    sim_rows_run(trace, row, count, (struct sim_rows_how){0}, row_compare, scores);
    bound_check(scores, row, count, sizes, trace->footprint);
    free(row);
}

static int traces_compare(struct scores *scores, const char *folder) {
    char path[600], error[600];
    struct sim_trace trace;
    for (uint32_t i = 0; i < scores->count; i++) {
        uint32_t before = 0;
        while (before < i && strcmp(scores->row[before].trace, scores->row[i].trace) != 0) {
            before++;
        }
        if (before < i) {
            continue;
        }
        scores->trace = scores->row[i].trace;
        snprintf(path, sizeof(path), "%s/%s.u32.xz", folder, scores->trace);
        if (sim_trace_load(path, &trace, error, sizeof(error)) != 0) {
            snprintf(scores->text, scores->size, "%s", error);
            return -1;
        }
        trace_compare(scores, &trace);
        sim_trace_free(&trace);
    }
    return 0;
}

int sim_scores_compare(const char *path, const char *folder, FILE *right, char *text,
                       size_t size) {
    struct scores *scores = sim_allocate(1, sizeof(*scores));
    scores->text = text;
    scores->size = size;
    scores->right = right;
    if (right != NULL) {
        sim_print_header(right, false);
    }
    int result = scores_read(scores, path) != 0 || traces_compare(scores, folder) != 0 ? -1 : 0;
    for (uint32_t i = 0; result == 0 && i < scores->count; i++) {
        const struct score *row = &scores->row[i];
        if (!row->met) {
            difference(scores, row->trace, row->frames, row->policy, "there is no such policy",
                       row->misses);
        }
    }
    result = result == 0 ? scores->differences : result;
    free(scores);
    return result;
}

// ---- the command -----------------------------------------------------------------------------

static int refuse(const char *what) {
    fprintf(stderr, "quire-lab scores: %s\n", what);
    return 2;
}

static int scores_write(const char *path, const char *text, size_t length) {
    FILE *file = output_open(path);
    if (file == NULL || fwrite(text, 1, length, file) != length || output_end(file) != 0) {
        return refuse("cannot write the file of scores: is its folder there, and yours?");
    }
    return 0;
}

int sim_scores_main(int count, char **argument) {
    bool write = count > 1 && strcmp(argument[1], "--write") == 0;
    if (count > 1 && (strcmp(argument[1], "-h") == 0 || strcmp(argument[1], "--help") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (count != 3 + write || argument[1 + write][0] == '-') {
        return refuse("name the folder of traces and the file of scores; --help says more");
    }
    char *right = NULL, text[700];
    size_t length = 0;
    FILE *memory = open_memstream(&right, &length);
    if (memory == NULL) {
        return refuse("out of memory: close other programs and try again");
    }
    int differ = sim_scores_compare(argument[2 + write], argument[1 + write], memory, text,
                                    sizeof(text));
    fclose(memory);
    int status = differ < 0 ? refuse(text) : differ > 0 && !write;
    if (differ >= 0 && write) {
        status = scores_write(argument[2 + write], right, length);
    }
    if (differ == 0) {
        puts("all counts are the same");
    } else if (differ > 0) {
        printf("%d rows differ; the first: %s\n", differ, text);
    }
    free(right);
    return status;
}
