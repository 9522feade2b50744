// SPDX-License-Identifier: MIT
// The command merge: puts the parts of a run of `sim --jobs-file` together to the CSV that one run
// would have printed. Parts without a mark are taken in the order of the arguments. Nothing is
// printed unless all is there, once.
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "sim_jobs.h"

#define refuse(...) options_refuse("merge", 2, __VA_ARGS__)

static const char usage[] =
    "usage: quire-lab merge PART...\n"
    "Puts the CSV files of a run's jobs (`quire-lab sim --jobs-file`) together to what one run\n"
    "would have printed. Refuses parts that are missing or cut, and rows that are double or\n"
    "contradict each other.\n";

struct row {
    char *line;                     // without the end of line
    size_t trace, frames, key;      // lengths up to behind the trace, the frames, the policy
    const char *file;
};

struct table {
    struct row *row;
    size_t count, capacity;
};

struct part {
    const char *file;
    struct sim_part mark;
    char header[64];
    struct table table;
};

// ---- reading ---------------------------------------------------------------------------------

// Splits "trace,frames,policy,misses[,writebacks]"; the trace may hold anything.
static bool row_split(struct row *row, unsigned counts) {
    size_t length = strlen(row->line), ends[4];
    for (unsigned field = 0; field < counts + 2; field++) {
        size_t digits = 0;
        while (length > 0 && row->line[length - 1] != ',') {
            length--;
            digits += row->line[length] >= '0' && row->line[length] <= '9';
        }
        size_t end = field == 0 ? strlen(row->line) : ends[field - 1];
        if (length == 0 || end == length || (field != counts && digits != end - length)) {
            return false;
        }
        ends[field] = --length;
    }
    row->key = ends[counts - 1];
    row->frames = ends[counts];
    row->trace = ends[counts + 1];
    return row->trace > 0;
}

static void table_add(struct table *table, struct row row) {
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        table->row = realloc(table->row, table->capacity * sizeof(row));
        if (table->row == NULL) {
            refuse("out of memory: merge fewer parts at a time");
        }
    }
    table->row[table->count++] = row;
}

// The first lines: a mark, if it is the part of a run, and the header.
static char *part_begin(struct part *part, FILE *file, uint32_t *rows) {
    char *line = NULL;
    size_t size = 0;
    unsigned long long run = 0;
    ssize_t length = getline(&line, &size, file);
    if (length > 0 && sscanf(line, SIM_PART_LINE, &part->mark.number, &part->mark.of, rows,
                             &run) == 4) {
        part->mark.run = run;
        length = getline(&line, &size, file);
    }
    if (length <= 0 || length >= (ssize_t)sizeof(part->header) ||
        strncmp(line, "trace,frames,policy,misses", 26) != 0 || line[length - 1] != '\n') {
        refuse("'%s' does not begin as `quire-lab sim` does, with trace,frames,policy,misses: if "
               "its job has failed, run its line again", part->file);
    }
    strcpy(part->header, line);
    return line;
}

static void part_read(struct part *part) {
    FILE *file = fopen(part->file, "r");
    if (file == NULL) {
        refuse("cannot read '%s': %s", part->file, strerror(errno));
    }
    uint32_t rows = 0;
    char *line = part_begin(part, file, &rows);
    unsigned counts = strchr(part->header + 26, ',') != NULL ? 2 : 1;
    size_t size = 0;
    ssize_t length;
    free(line);
    line = NULL;
    while ((length = getline(&line, &size, file)) > 0) {
        struct row row = {.line = line, .file = part->file};
        bool whole = line[length - 1] == '\n';
        line[length - whole] = 0;
        if (!whole || !row_split(&row, counts)) {
            refuse("'%s' has a row that is cut or damaged, '%.60s': run its job again", part->file,
                   line);
        }
        table_add(&part->table, row);
        line = NULL;
        size = 0;
    }
    free(line);
    if (ferror(file)) {
        refuse("cannot read '%s': %s", part->file, strerror(errno));
    }
    fclose(file);
    if (part->mark.of > 0 && part->table.count != rows) {
        refuse("'%s' has %zu of its %u rows: run its job again", part->file, part->table.count,
               rows);
    }
}

// ---- are all parts there? --------------------------------------------------------------------

static int part_compare(const void *a, const void *b) {
    const struct part *left = a, *right = b;
    return left->mark.number < right->mark.number ? -1 : left->mark.number > right->mark.number;
}

static void parts_check(struct part *part, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (strcmp(part[i].header, part[0].header) != 0) {
            refuse("'%s' and '%s' have other columns: merge parts of one run only", part[0].file,
                   part[i].file);
        }
        if (part[i].mark.run != part[0].mark.run || part[i].mark.of != part[0].mark.of) {
            refuse("'%s' and '%s' are not of the same run", part[0].file, part[i].file);
        }
    }
    if (part[0].mark.of == 0) {
        return;
    }
    qsort(part, count, sizeof(*part), part_compare);
    for (size_t i = 0; i < count || i < part[0].mark.of; i++) {
        if (i > 0 && i < count && part[i].mark.number == part[i - 1].mark.number) {
            refuse("part %u is there twice: '%s' and '%s'", part[i].mark.number,
                   part[i - 1].file, part[i].file);
        }
        if (i >= count || part[i].mark.number != i + 1) {
            refuse("part %zu of %u is missing: run line %zu of the jobs file", i + 1,
                   part[0].mark.of, i + 1);
        }
    }
}

// ---- are all rows there, once? ---------------------------------------------------------------

static int key_compare(const void *a, const void *b) {
    const struct row *left = *(const struct row *const *)a, *right = *(const struct row *const *)b;
    size_t least = left->key < right->key ? left->key : right->key;
    int order = memcmp(left->line, right->line, least);
    return order != 0 ? order : left->key < right->key ? -1 : left->key > right->key;
}

static void doubles_check(const struct table *all, const struct row **sorted) {
    for (size_t i = 0; i < all->count; i++) {
        sorted[i] = &all->row[i];
    }
    qsort(sorted, all->count, sizeof(*sorted), key_compare);
    for (size_t i = 1; i < all->count; i++) {
        const struct row *one = sorted[i - 1], *two = sorted[i];
        if (key_compare(&sorted[i - 1], &sorted[i]) == 0) {
            refuse("'%s' and '%s' %s: '%s' and '%s'", one->file, two->file,
                   strcmp(one->line, two->line) == 0 ? "have the same row"
                                                     : "contradict each other",
                   one->line, two->line);
        }
    }
}

// The first `a` bytes of one row are the first `b` of the other.
static bool same_begin(const struct row *one, size_t a, const struct row *two, size_t b) {
    return a == b && memcmp(one->line, two->line, a) == 0;
}

static int policy_compare(const struct row *one, const struct row *two) {
    return strncmp(one->line + one->frames, two->line + two->frames,
                   (one->key - one->frames > two->key - two->frames ? one->key - one->frames
                                                                    : two->key - two->frames));
}

__attribute__((noreturn)) static void refuse_gap(const struct row *size,
                                                 const struct row *policy) {
    refuse("the row of %.*s%.*s is missing: run its job, or leave out what has no partner",
           (int)size->frames, size->line, (int)(policy->key - policy->frames),
           policy->line + policy->frames);
}

// Two groups of rows, of one trace and one number of frames each, must have the same policies.
static void groups_compare(const struct row **a, size_t a_count, const struct row **b,
                           size_t b_count) {
    for (size_t i = 0; i < a_count || i < b_count; i++) {
        int order = i == a_count ? 1 : i == b_count ? -1 : policy_compare(a[i], b[i]);
        if (order < 0) {
            refuse_gap(b[0], a[i]);
        } else if (order > 0) {
            refuse_gap(a[0], b[i]);
        }
    }
}

// Every policy that a trace has must be there with each number of frames that the trace has. The
// rows are sorted, so those of one trace and one number of frames are neighbours.
static void grid_check(const struct row **sorted, size_t count) {
    for (size_t first = 0, first_count = 0, at = 0, end; at < count; at = end) {
        for (end = at + 1; end < count && same_begin(sorted[at], sorted[at]->frames, sorted[end],
                                                     sorted[end]->frames);) {
            end++;
        }
        if (at == 0 || !same_begin(sorted[first], sorted[first]->trace, sorted[at],
                                   sorted[at]->trace)) {
            first = at;
            first_count = end - at;
        }
        groups_compare(sorted + first, first_count, sorted + at, end - at);
    }
}

static void merge(struct part *part, size_t count) {
    struct table all = {0};
    for (size_t i = 0; i < count; i++) {
        part_read(&part[i]);
    }
    parts_check(part, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < part[i].table.count; k++) {
            table_add(&all, part[i].table.row[k]);
        }
    }
    const struct row **sorted = sim_allocate(all.count, sizeof(*sorted));
    doubles_check(&all, sorted);
    if (part[0].mark.of == 0) {
        grid_check(sorted, all.count);
    }
    fputs(part[0].header, stdout);
    for (size_t i = 0; i < all.count; i++) {
        puts(all.row[i].line);
    }
    free(sorted);
}

int merge_main(int count, char **argument) {
    if (count > 1 && (strcmp(argument[1], "-h") == 0 || strcmp(argument[1], "--help") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (count < 2) {
        refuse("name the parts; see `quire-lab merge --help`");
    }
    struct part *part = sim_allocate((size_t)count - 1, sizeof(*part));
    for (int i = 1; i < count; i++) {
        part[i - 1].file = argument[i];
    }
    merge(part, (size_t)count - 1);
    return 0;
}
