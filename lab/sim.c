// SPDX-License-Identifier: MIT
// The command sim: replays page-reference traces on the host under the pager's own policies and
// prints CSV. Knows nothing of the guest.
#include "lab.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_replay.h"

#define LIST_MAX 64u
#define FRAMES_MAX (1u << 28)

static const char usage[] =
    "usage: quire-lab sim --policy P[,P...] --frames N[,N...] TRACE...\n"
    "\n"
    "Replays each TRACE (raw 32-bit little-endian page numbers; packed if the name ends in\n"
    ".xz) under each policy with each number of frames, and prints trace,frames,policy,misses.\n"
    "  --policy P[,P...]   names that `quire-lab policies` lists, or all (default: all)\n"
    "  --frames N[,N...]   frames that the pages may fill; N% means percent of the trace's pages\n";

__attribute__((noreturn, format(printf, 1, 2))) static void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("quire-lab sim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

// ---- what to replay --------------------------------------------------------------------------

// A policy of policies.def, or MIN, which is none: it needs the future.
#define CHOICE_MIN POLICY_COUNT
#define CHOICE_COUNT (POLICY_COUNT + 1)

struct amount {
    uint32_t number;
    int percent;  // of the footprint
};

struct job {
    uint32_t policy[LIST_MAX], policies;
    struct amount frames[LIST_MAX];
    uint32_t frames_count;
};

static const char *choice_name(uint32_t choice) {
    return choice == CHOICE_MIN ? "min" : policy_kinds[choice].name;
}

static const char *choice_text(uint32_t choice) {
    return choice == CHOICE_MIN ? "Belady's optimum, which knows the future: a bound, no policy"
                                : policy_kinds[choice].text;
}

static void refuse_policy(const char *name) {
    char names[512] = "";
    for (uint32_t i = 0; i < CHOICE_COUNT; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof(names) - length, "%s, ", choice_name(i));
    }
    refuse("there is no policy '%s'; choose from %sall", name, names);
}

static void job_add_policy(struct job *job, const char *name) {
    int all = strcmp(name, "all") == 0, found = 0;
    for (uint32_t i = 0; i < CHOICE_COUNT; i++) {
        if (all || strcmp(name, choice_name(i)) == 0) {
            found = 1;
            if (job->policies == LIST_MAX) {
                refuse("--policy takes at most %u names", LIST_MAX);
            }
            job->policy[job->policies++] = i;
        }
    }
    if (!found) {
        refuse_policy(name);
    }
}

static void job_add_frames(struct job *job, const char *text) {
    char *end = NULL;
    errno = 0;
    unsigned long long number = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    int percent = end != NULL && *end == '%';
    if (end == NULL || end[percent] != 0 || errno != 0 || number == 0 || number > FRAMES_MAX) {
        refuse("--frames '%s' is no number from 1 to %u (or percentage, like 20%%)", text,
               FRAMES_MAX);
    }
    if (job->frames_count == LIST_MAX) {
        refuse("--frames takes at most %u numbers", LIST_MAX);
    }
    job->frames[job->frames_count++] = (struct amount){(uint32_t)number, percent};
}

static void job_add_list(struct job *job, const char *text,
                         void (*add)(struct job *, const char *)) {
    char copy[1024];
    if (strlen(text) >= sizeof(copy)) {
        refuse("the list '%.40s...' is too long", text);
    }
    strcpy(copy, text);
    for (char *at = copy, *item; (item = strsep(&at, ",")) != NULL;) {
        add(job, item);
    }
}

// ---- replay ----------------------------------------------------------------------------------

// The file's name without folder and without what tells its format.
static void trace_name(const char *path, char *name, size_t size) {
    static const char *const ends[] = {".xz", ".u32", ".bin"};
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash == NULL ? path : slash + 1);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t length = strlen(name), end = strlen(ends[i]);
        if (length > end && strcmp(name + length - end, ends[i]) == 0) {
            name[length - end] = 0;
        }
    }
}

// A comma or a quote in a file's name must not break the CSV.
static void print_field(const char *text) {
    if (strpbrk(text, ",\"\n") == NULL) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != 0; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    putchar('"');
}

static uint32_t frames_of(struct amount amount, uint32_t footprint) {
    if (!amount.percent) {
        return amount.number;
    }
    uint64_t frames = (uint64_t)footprint * amount.number / 100;
    return frames == 0 ? 1 : (uint32_t)(frames < FRAMES_MAX ? frames : FRAMES_MAX);
}

// Returns how often the policy was caught.
static uint32_t replay_one(const char *name, const struct sim_trace *trace, uint32_t choice,
                           uint32_t frames) {
    struct sim_result result =
        choice == CHOICE_MIN ? sim_replay_min(trace, frames)
                             : sim_replay(trace, &policy_kinds[choice], frames, NULL, NULL);
    print_field(name);
    printf(",%u,%s,%u\n", frames, choice_name(choice), result.misses);
    if (result.violations > 0) {
        fprintf(stderr, "quire-lab: %s, %u frames: %s\n", name, frames, result.line);
    }
    return result.violations;
}

static uint32_t replay_file(const struct job *job, const char *path, int first) {
    struct sim_trace trace;
    char error[512], name[256];
    if (sim_trace_load(path, &trace, error, sizeof(error)) != 0) {
        refuse("%s", error);
    }
    if (first) {
        puts("trace,frames,policy,misses");
    }
    trace_name(path, name, sizeof(name));
    uint32_t violations = 0;
    for (uint32_t p = 0; p < job->policies; p++) {
        for (uint32_t f = 0; f < job->frames_count; f++) {
            violations += replay_one(name, &trace, job->policy[p],
                                     frames_of(job->frames[f], trace.footprint));
        }
    }
    sim_trace_free(&trace);
    return violations;
}

static int job_run(struct job *job, int traces, char **path) {
    if (job->policies == 0) {
        job_add_policy(job, "all");
    }
    uint32_t violations = 0;
    for (int i = 0; i < traces; i++) {
        violations += replay_file(job, path[i], i == 0);
    }
    return violations == 0 ? 0 : 1;
}

// ---- commands --------------------------------------------------------------------------------

// The value of option `name`, as --name VALUE or --name=VALUE; NULL: argument[*at] is not it.
static const char *option_value(char **argument, int count, int *at, const char *name) {
    size_t length = strlen(name);
    if (strncmp(argument[*at], name, length) != 0) {
        return NULL;
    }
    if (argument[*at][length] == '=') {
        return argument[*at] + length + 1;
    }
    if (argument[*at][length] != 0) {
        return NULL;
    }
    if (*at + 1 >= count) {
        refuse("%s needs a value; see `quire-lab sim --help`", name);
    }
    return argument[++*at];
}

int sim_main(int count, char **argument) {
    static struct job job;
    int traces = 0;
    for (int i = 1; i < count; i++) {
        const char *value;
        if ((value = option_value(argument, count, &i, "--policy")) != NULL) {
            job_add_list(&job, value, job_add_policy);
        } else if ((value = option_value(argument, count, &i, "--frames")) != NULL) {
            job_add_list(&job, value, job_add_frames);
        } else if (strcmp(argument[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (argument[i][0] == '-') {
            refuse("unknown option '%s'; see `quire-lab sim --help`", argument[i]);
        } else {
            argument[traces++] = argument[i];
        }
    }
    if (traces == 0 || job.frames_count == 0) {
        refuse(traces == 0 ? "name at least one trace file; see `quire-lab sim --help`"
                           : "say how many frames there are: --frames N[,N...]");
    }
    return job_run(&job, traces, argument);
}

int sim_policies_main(int count, char **argument) {
    if (count > 1) {
        refuse("`quire-lab policies` takes no argument such as '%s'", argument[1]);
    }
    for (uint32_t i = 0; i < CHOICE_COUNT; i++) {
        printf("%-10s %s\n", choice_name(i), choice_text(i));
    }
    return 0;
}
