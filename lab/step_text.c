// SPDX-License-Identifier: MIT
// The step mode as text that fits a terminal of 80 columns.
#include <stdlib.h>
#include <string.h>

#include "step.h"

#define COLUMNS 80u
#define INDENT 6u

// "h>12rd" of a page; a ghost is in parentheses. Returns its length.
static int page_write(char *out, size_t size, const struct step_run *run,
                      const struct step_page *page) {
    char hands[POLICY_HANDS + 2] = "";
    size_t count = 0;
    bool many = run->hand[1] != NULL;
    for (uint32_t n = 0; n < POLICY_HANDS && many; n++) {
        if (page->hands >> n & 1) {
            hands[count++] = run->hand[n][0];
        }
    }
    if (page->hands != 0) {
        hands[count++] = '>';
    }
    return snprintf(out, size, "%s%s%u%s%s%s", hands, page->ghost ? "(" : "", page->page,
                    page->ref && run->ref_used ? "r" : "", page->dirty ? "d" : "",
                    page->ghost ? ")" : "");
}

static void number_write(char *out, size_t size, uint32_t number) {
    if (number == UINT32_MAX) {
        snprintf(out, size, "=never");
    } else {
        snprintf(out, size, "=%u", number);
    }
}

// ---- lines -----------------------------------------------------------------------------------

struct line {
    FILE *to;
    size_t at;
    size_t indent;  // of lines that go on
};

// One word, on the next line if it does not fit.
static void line_word(struct line *line, const char *word) {
    size_t length = strlen(word);
    if (line->at > line->indent && line->at + 1 + length > COLUMNS) {
        fprintf(line->to, "\n%*s", (int)line->indent, "");
        line->at = line->indent;
    } else if (line->at > line->indent) {
        fputc(' ', line->to);
        line->at++;
    }
    fputs(word, line->to);
    line->at += length;
}

static void line_begin(struct line *line, FILE *to) {
    *line = (struct line){to, INDENT, INDENT};
    fprintf(to, "%*s", (int)INDENT, "");
}

static void write_why(FILE *to, const char *why) {
    struct line line;
    char *copy = strdup(why), *rest = copy;
    line_begin(&line, to);
    for (char *word; copy != NULL && (word = strsep(&rest, " ")) != NULL;) {
        line_word(&line, word);
    }
    free(copy);
    fputc('\n', to);
}

static void write_list(struct line *line, const struct step_run *run,
                       const struct step_list *list) {
    char word[128];
    snprintf(word, sizeof(word), "%s%s:", line->at > INDENT ? "| " : "", list->name);
    line_word(line, word);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct step_page *page = &list->page[i];
        size_t length = (size_t)page_write(word, sizeof(word), run, page);
        if (page->numbered) {
            number_write(word + length, sizeof(word) - length, page->number);
        } else if (page->state != NULL && page->state != list->name && !page->ghost) {
            snprintf(word + length, sizeof(word) - length, "=%s", page->state);
        }
        line_word(line, word);
    }
    if (list->count == 0) {
        line_word(line, "-");
    }
}

static void write_lists(FILE *to, const struct step_run *run, const struct step *step) {
    struct line line;
    char word[128];
    line_begin(&line, to);
    for (uint32_t n = 0; n < STEP_LISTS && step->list[n].name != NULL; n++) {
        write_list(&line, run, &step->list[n]);
    }
    for (uint32_t n = 0; n < POLICY_NUMBERS && step->number[n].name != NULL; n++) {
        const struct step_number *number = &step->number[n];
        snprintf(word, sizeof(word), "| %s %u", number->name, number->value);
        size_t length = strlen(word);
        if (number->part != 0) {
            snprintf(word + length, sizeof(word) - length, ".%02u",
                     (unsigned)((uint64_t)number->part * 100 >> 32));
        }
        line_word(&line, word);
    }
    fputc('\n', to);
}

// ---- the table -------------------------------------------------------------------------------

#define BEFORE_FRAMES 35u

static int digits(uint32_t number) {
    return snprintf(NULL, 0, "%u", number);
}

static void cell_write(char *out, size_t size, const struct step_run *run, const struct step *step,
                       uint32_t frame) {
    const struct step_page *page = &step->frame[frame];
    if (!page->there) {
        snprintf(out, size, ".");
        return;
    }
    size_t length = (size_t)page_write(out, size, run, page);
    if (run->step[0].list[0].name == NULL && page->numbered) {
        number_write(out + length, size - length, page->number);
        length = strlen(out);
    }
    snprintf(out + length, size - length, "%s", !step->hit && step->place == frame ? "*" : "");
}

// As wide as the widest cell of the whole run.
static uint32_t cell_width(const struct step_run *run) {
    char cell[64];
    uint32_t width = 1 + (uint32_t)digits(run->frames);
    for (uint32_t i = 0; i < run->count; i++) {
        for (uint32_t n = 0; n < run->frames; n++) {
            cell_write(cell, sizeof(cell), run, &run->step[i], n);
            width = strlen(cell) > width ? (uint32_t)strlen(cell) : width;
        }
    }
    return width;
}

// A row's cells, without blanks at the end of a line.
static void row_write(FILE *to, const struct step_run *run, const struct step *step,
                      uint32_t width) {
    char cell[64];
    size_t at = BEFORE_FRAMES, owed = 0;
    for (uint32_t n = 0; n < run->frames; n++) {
        if (step == NULL) {
            snprintf(cell, sizeof(cell), "f%u", n + 1);
        } else {
            cell_write(cell, sizeof(cell), run, step, n);
        }
        if (n > 0 && at + owed + width > COLUMNS) {
            fprintf(to, "\n%*s", (int)BEFORE_FRAMES, "");
            at = BEFORE_FRAMES;
            owed = 0;
        }
        fprintf(to, "%*s%s", (int)owed, "", cell);
        at += owed + strlen(cell);
        owed = width - strlen(cell) + 2;
    }
    fputc('\n', to);
}

static void step_write(FILE *to, const struct step_run *run, uint32_t i, uint32_t width) {
    const struct step *step = &run->step[i];
    char page[16], next[16] = "-";
    snprintf(page, sizeof(page), "%u%s", step->reference.page, step->reference.write ? "w" : "");
    if (step->next_known) {
        snprintf(next, sizeof(next), "%u", step->next);
    }
    fprintf(to, "%4u  %-7s %-6s %6u %5s  ", i + 1, page, step->hit ? "hit" : "miss", step->faults,
            next);
    row_write(to, run, step, width);
    write_why(to, step->why);
    if (step->list[0].name != NULL) {
        write_lists(to, run, step);
    }
}

static void write_key(FILE *to, const struct step_run *run) {
    struct line line = {to, 0, 0};
    char word[128];
    line_word(&line, "*: came now, d: dirty,");
    if (run->ref_used) {
        line_word(&line, "r: reference bit,");
    }
    for (uint32_t n = 0; n < POLICY_HANDS && run->hand[n] != NULL; n++) {
        bool only = run->hand[1] == NULL;
        snprintf(word, sizeof(word), "%.*s>: %s,", only ? 0 : 1, run->hand[n], run->hand[n]);
        line_word(&line, word);
    }
    if (run->number != NULL) {
        snprintf(word, sizeof(word), "=: %s,", run->number);
        line_word(&line, word);
    }
    if (run->ghosts) {
        line_word(&line, "(n): ghost,");
    }
    if (run->step[0].list[0].name != NULL) {
        line_word(&line, "lists: oldest first,");
    }
    line_word(&line, "next: leaves next if none is used before");
    fputs("\n\n", to);
}

void step_text(FILE *to, const struct step_run *run) {
    uint32_t width = cell_width(run);
    fprintf(to, "%s, %u frame%s, %u references to %u pages\n", run->policy, run->frames,
            run->frames == 1 ? "" : "s", run->count, run->pages);
    write_key(to, run);
    fprintf(to, "%-*s", (int)BEFORE_FRAMES, "step  page    result faults  next");
    row_write(to, run, NULL, width);
    for (uint32_t i = 0; i < run->count; i++) {
        step_write(to, run, i, width);
    }
    fprintf(to, "\n%u faults in %u references (%.1f %%)\n", run->faults, run->count,
            100.0 * run->faults / run->count);
}
