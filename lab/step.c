// SPDX-License-Identifier: MIT
// The command step: a policy at work on a few references, as text or as a page to step through.
#include "step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "lab.h"
#include "options.h"
#include "output.h"
#include "sim_trace.h"

#define refuse(...) options_refuse("step", 2, __VA_ARGS__)

static const char usage[] =
    "usage: quire-lab step --policy P --frames N [-o FILE.html] PAGE[,PAGE...]... | FILE | -\n"
    "\n"
    "Shows after each reference what is in the frames, the bits, hands, lists and ghosts, which\n"
    "page left and why. PAGEs are numbers, 0x12 or 12, with w behind for a write (3w, 3 w); or the\n"
    "name of a file of them, or - for the standard input.\n"
    "  --policy P      a name that `quire-lab policies` lists, with parameters as in arc:p=2,\n"
    "                  or min\n"
    "  --frames N      1 to 64\n"
    "  -o FILE.html    a page for a browser instead of text: left and right step through it\n";

struct job {
    const char *policy, *output;
    struct policy_choice choice;  // kind NULL: min
    char **file;  // of references, or "-"
    uint32_t frames, count, files;
    struct step_reference list[STEP_REFERENCES_MAX];
};

// ---- references ------------------------------------------------------------------------------

static bool is_between(char letter) {
    return letter == ',' || letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

// One number with what may follow it; NULL: it is none. Untrusted.
static const char *reference_read(const char *text, struct step_reference *reference) {
    char *end;
    if (*text < '0' || *text > '9') {
        return NULL;
    }
    errno = 0;
    unsigned long long page = strtoull(text, &end, text[1] == 'x' || text[1] == 'X' ? 16 : 10);
    if (errno != 0 || page > UINT32_MAX) {
        return NULL;
    }
    reference->page = (uint32_t)page;
    const char *mark = end + strspn(end, " \t");
    reference->write = *mark == 'w';
    if (reference->write) {
        return mark[1] == 0 || is_between(mark[1]) ? mark + 1 : NULL;
    }
    return *end == 0 || is_between(*end) ? end : NULL;
}

int step_read(const char *text, struct step_reference *list, uint32_t count, char *error,
              size_t size) {
    uint32_t before = count;
    while (*text != 0) {
        if (is_between(*text)) {
            text++;
            continue;
        }
        if (count == STEP_REFERENCES_MAX) {
            snprintf(error, size, "more than %u references: give fewer, or count misses with "
                     "`quire-lab sim`", STEP_REFERENCES_MAX);
            return -1;
        }
        const char *end = reference_read(text, &list[count++]);
        if (end == NULL) {
            snprintf(error, size, "'%.*s' is no page number: give numbers like 1,2,3w (w: written)",
                     (int)strcspn(text, ", \t\r\n"), text);
            return -1;
        }
        text = end;
    }
    return (int)(count - before);
}

// The text of a file, to be freed; NULL: errno says why not.
static char *text_of(const char *path) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    size_t limit = STEP_REFERENCES_MAX * 16;
    char *text = sim_allocate(limit + 1, 1);
    errno = 0;
    size_t length = fread(text, 1, limit, file);
    int failed = ferror(file) ? errno : memchr(text, 0, length) != NULL ? EILSEQ : 0;
    if (length == limit && fgetc(file) != EOF) {
        failed = EFBIG;
    }
    if (file != stdin) {
        fclose(file);
    }
    if (failed != 0) {
        free(text);
        errno = failed;
        return NULL;
    }
    return text;
}

static void job_add_references(struct job *job, char *argument) {
    char error[200], *text = NULL;
    bool is_list = argument[0] >= '0' && argument[0] <= '9';
    if (!is_list) {
        job->file[job->files++] = argument;
        text = text_of(argument);
        if (text == NULL && errno == EILSEQ) {
            refuse("'%s' is no text: give page numbers like 1 2 3w", argument);
        }
        if (text == NULL) {
            refuse("cannot read '%.80s': %s (give page numbers like 1,2,3w, a file of them, or -)",
                   argument, strerror(errno));
        }
    }
    int count = step_read(is_list ? argument : text, job->list, job->count, error, sizeof(error));
    if (count < 0) {
        refuse("%s", error);
    }
    free(text);
    job->count += (uint32_t)count;
}

// ---- options ---------------------------------------------------------------------------------

static void job_set_policy(struct job *job, const char *text) {
    job->policy = text;
    job->choice.kind = NULL;
    const char *wrong = strcmp(text, "min") == 0
                            ? NULL
                            : policy_choose(&job->choice, text, (uint32_t)strlen(text) + 1);
    if (wrong != NULL) {
        refuse("--policy '%s' %s; `quire-lab policies` lists them, and min", text, wrong);
    }
}

static void job_set_frames(struct job *job, const char *text) {
    char *end = NULL;
    unsigned long number = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != 0 || number == 0 || number > STEP_FRAMES_MAX) {
        refuse("--frames '%s' is no number from 1 to %u", text, STEP_FRAMES_MAX);
    }
    job->frames = (uint32_t)number;
}

static const char *value_of(int count, char **argument, int *at, const char *name) {
    return options_value("step", count, argument, at, name);
}

static void job_add(struct job *job, int count, char **argument, int *at) {
    const char *value;
    if ((value = value_of(count, argument, at, "--policy")) != NULL) {
        job_set_policy(job, value);
    } else if ((value = value_of(count, argument, at, "--frames")) != NULL) {
        job_set_frames(job, value);
    } else if ((value = value_of(count, argument, at, "-o")) != NULL) {
        job->output = value;
    } else if (argument[*at][0] == '-' && argument[*at][1] != 0) {
        refuse("unknown option '%s'; see `quire-lab step --help`", argument[*at]);
    } else {
        job_add_references(job, argument[*at]);
    }
}

static void job_check(const struct job *job) {
    if (job->policy == NULL) {
        refuse("say which policy: --policy P, as `quire-lab policies` lists them, or min");
    }
    if (job->frames == 0) {
        refuse("say how many frames there are: --frames N");
    }
    if (job->count == 0) {
        refuse("there are no references: give page numbers like 1,2,3w, a file of them, or -");
    }
    for (uint32_t i = 0; i < job->files && job->output != NULL; i++) {
        if (output_is_input(job->file[i], job->output)) {
            refuse("cannot write '%s': that is a file to read; name another", job->output);
        }
    }
}

// ---- output ----------------------------------------------------------------------------------

static void page_write(const char *path, const struct step_run *run) {
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    step_html(memory, run);
    fclose(memory);
    if (length > HTML_MAX) {
        refuse("the page would have %zu bytes, more than %u: give fewer references or frames",
               length, HTML_MAX);
    }
    if (html_save(path, text, length) != 0) {
        refuse("cannot write '%s': %s", path, strerror(errno));
    }
    free(text);
}

static int job_run(const struct job *job) {
    struct step_run run = step_run(job->choice, job->policy, job->frames, job->list, job->count);
    int status = run.violations > 0;
    if (job->output == NULL) {
        step_text(stdout, &run);
    } else {
        page_write(job->output, &run);
    }
    if (status != 0) {
        fprintf(stderr, "quire-lab step: %s\n", run.line);
    }
    step_run_free(&run);
    return status;
}

int step_main(int count, char **argument) {
    struct job *job = sim_allocate(1, sizeof(*job));
    job->file = argument;  // each takes the place of an argument that is done with
    for (int i = 1; i < count; i++) {
        if (strcmp(argument[i], "--help") == 0 || strcmp(argument[i], "-h") == 0) {
            fputs(usage, stdout);
            free(job);
            return 0;
        }
        job_add(job, count, argument, &i);
    }
    job_check(job);
    int status = job_run(job);
    free(job);
    return status;
}
