// SPDX-License-Identifier: MIT
// The command sim: replays page-reference traces on the host under the pager's own policies and
// prints CSV. Knows nothing of the guest.
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "options.h"
#include "output.h"
#include "sim_jobs.h"
#include "sim_print.h"
#include "sim_progress.h"

#define refuse(...) options_refuse("sim", 2, __VA_ARGS__)

static const char usage[] =
    "usage: quire-lab sim --policy P[,P...] --frames N[,N...] TRACE...\n"
    "\n"
    "Replays each TRACE (- is standard input; .xz, .zst and .gz are unpacked) under each policy\n"
    "with each number of frames, and prints trace,frames,policy,misses.\n"
    "  --policy P[,P...]   what `quire-lab policies` lists, parameters as in arc:p=8; or all\n"
    "                      (default: all)\n"
    "  --frames N[,N...]   frames that the pages may fill; N% means percent of the trace's pages\n"
    "  --writes            add the column writebacks: dirty pages that were evicted or cleaned\n"
    "                      first; those still dirty at the end are not counted\n"
    "  --format F          what the traces are, if contents and name do not tell:\n"
    "                      ";
static const char usage_more[] =
    "\n"
    "  --threads N         replays at a time (default: one for each processor)\n"
    "  --checked           reach policies through the pager's checks, slower\n"
    "  --progress          tell how far it is, also if standard error is no terminal\n"
    "  --out FILE          write there instead of to standard output\n"
    "  --jobs-file FILE    replay nothing; write one command a line, for `parallel < FILE` or a\n"
    "                      Slurm array; `quire-lab merge FILE.*.csv` puts their parts together\n"
    "  --part N/OF/RUN     in those commands: which part it is\n";

// ---- what to replay --------------------------------------------------------------------------

static void job_add_choice(struct sim_job *job, const struct sim_choice *choice) {
    for (uint32_t i = 0; i < job->choices; i++) {
        if (strcmp(job->choice[i].name, choice->name) == 0) {
            return;  // named twice, replayed once
        }
    }
    if (job->choices == SIM_LIST_MAX) {
        refuse("--policy takes at most %u names", SIM_LIST_MAX);
    }
    job->choice[job->choices++] = *choice;
}

static void job_add_policy(struct sim_job *job, const char *name) {
    struct sim_choice choice;
    if (strcmp(name, "all") == 0) {
        for (uint32_t i = 0; i < SIM_CHOICES; i++) {
            choice = sim_choice_at(i);
            job_add_choice(job, &choice);
        }
        return;
    }
    const char *problem = sim_choose(&choice, name);
    char names[512];
    sim_choice_names(names, sizeof(names));
    if (problem != NULL && strcmp(problem, "names no policy") == 0) {
        refuse("there is no policy '%s'; choose from %s, all", name, names);
    }
    if (problem != NULL) {
        refuse("--policy %s %s; see `quire-lab policies`", name, problem);
    }
    job_add_choice(job, &choice);
}

static void job_add_frames(struct sim_job *job, const char *text) {
    char *end = NULL;
    errno = 0;
    unsigned long long number = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    bool percent = end != NULL && *end == '%';
    if (end == NULL || end[percent] != 0 || errno != 0 || number == 0 || number > SIM_FRAMES_MAX) {
        refuse("--frames '%s' is no number from 1 to %u (or percentage, like 20%%)", text,
               SIM_FRAMES_MAX);
    }
    if (job->frames_count == SIM_LIST_MAX) {
        refuse("--frames takes at most %u numbers", SIM_LIST_MAX);
    }
    job->frames[job->frames_count++] = (struct sim_amount){(uint32_t)number, percent};
}

static void job_add_list(struct sim_job *job, const char *text,
                         void (*add)(struct sim_job *, const char *)) {
    char *copy = strdup(text), *at = copy, *item;
    if (copy == NULL) {
        refuse("out of memory: close other programs and try again");
    }
    while ((item = strsep(&at, ",")) != NULL) {
        add(job, item);
    }
    free(copy);
}

// ---- replay ----------------------------------------------------------------------------------

static uint32_t frames_of(struct sim_amount amount, uint32_t footprint) {
    if (!amount.percent) {
        return amount.number;
    }
    uint64_t frames = (uint64_t)footprint * amount.number / 100;
    return frames == 0 ? 1 : (uint32_t)(frames < SIM_FRAMES_MAX ? frames : SIM_FRAMES_MAX);
}

// Numbers of frames in their order, those that are the same once.
static uint32_t frames_list(const struct sim_job *job, uint32_t footprint, uint32_t *frames) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < job->frames_count; i++) {
        uint32_t number = frames_of(job->frames[i], footprint), k = 0;
        while (k < count && frames[k] != number) {
            k++;
        }
        frames[count] = number;
        count += k == count;
    }
    return count;
}

struct printing {
    const struct sim_job *job;
    FILE *to;
    const char *name;
    uint32_t violations;
};

static void print_row(void *context, const struct sim_row *row) {
    struct printing *printing = context;
    sim_print_row(printing->to, printing->name, row, printing->job->writes);
    if (row->result.violations > 0) {
        fprintf(stderr, "quire-lab: %s, %u frames: %s\n", printing->name, row->frames,
                row->result.line);
        printing->violations += row->result.violations;
    }
}

static void print_start(FILE *to, const struct sim_job *job, uint32_t rows) {
    if (job->part.of > 0) {
        fprintf(to, SIM_PART_LINE, job->part.number, job->part.of, rows,
                (unsigned long long)job->part.run);
    }
    sim_print_header(to, job->writes);
}

// Returns how often policies were caught.
static uint32_t replay_trace(const struct sim_job *job, FILE *to, const char *path, bool first) {
    struct sim_trace trace;
    char error[600], name[256];
    static uint32_t frames[SIM_LIST_MAX];
    if (sim_trace_open(path, job->format, SIM_LENGTH_MEMORY, &trace, error, sizeof(error)) != 0) {
        refuse("%s", error);
    }
    uint32_t sizes = frames_list(job, trace.footprint, frames), count = sizes * job->choices;
    struct sim_row *row = sim_allocate(count, sizeof(*row));
    for (uint32_t i = 0; i < count; i++) {
        row[i] = (struct sim_row){.choice = &job->choice[i / sizes], .frames = frames[i % sizes]};
    }
    if (first) {
        print_start(to, job, count);
    }
    format_trace_name(path, name, sizeof(name));
    struct printing printing = {job, to, name, 0};
    struct sim_rows_how how = {.threads = job->threads, .checked = job->checked};
    sim_rows_run(&trace, row, count, how, print_row, &printing);
    sim_trace_free(&trace);
    free(row);
    return printing.violations;
}

// Before hours of work: what is surely wrong with the last file is said at once.
static void traces_check(const struct sim_job *job, int traces, char **path) {
    const char *out = job->jobs != NULL ? job->jobs : job->out;
    char error[600];
    if (!format_names_differ((uint32_t)traces, path, error, sizeof(error))) {
        refuse("%s", error);
    }
    for (int i = 0; i < traces; i++) {
        struct stat status;
        if (output_is_input(path[i], out)) {
            refuse("cannot write to '%s': that is a trace to read; name another file", out);
        }
        if (strcmp(path[i], "-") == 0) {
            continue;
        }
        if (access(path[i], R_OK) != 0 || stat(path[i], &status) != 0) {
            refuse("cannot read the trace '%s': %s", path[i], strerror(errno));
        }
        if (S_ISDIR(status.st_mode)) {
            refuse("cannot read the trace '%s': it is a directory: name the files in it", path[i]);
        }
    }
}

static int job_run(struct sim_job *job, int traces, char **path) {
    char error[600];
    if (job->choices == 0) {
        job_add_policy(job, "all");
    }
    traces_check(job, traces, path);
    if (job->jobs != NULL) {
        if (sim_jobs_write(job, traces, path, error, sizeof(error)) != 0) {
            refuse("%s", error);
        }
        return 0;
    }
    FILE *to = output_open(job->out);
    if (to == NULL) {
        refuse("cannot write to '%s': %s", job->out, strerror(errno));
    }
    uint32_t violations = 0;
    for (int i = 0; i < traces; i++) {
        violations += replay_trace(job, to, path[i], i == 0);
    }
    if (to != stdout && output_end(to) != 0) {
        refuse("cannot write to '%s': %s", job->out, strerror(errno));
    }
    return violations == 0 ? 0 : 1;
}

// ---- command line ----------------------------------------------------------------------------

static uint32_t threads_read(const char *text) {
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end != 0 || number < 1 || number > 256) {
        refuse("--threads '%s' is no number from 1 to 256", text);
    }
    return (uint32_t)number;
}

static const char *value_of(int count, char **argument, int *at, const char *name) {
    return options_value("sim", count, argument, at, name);
}

static bool option_with_value(struct sim_job *job, char **argument, int count, int *at) {
    const char *value;
    if ((value = value_of(count, argument, at, "--policy")) != NULL) {
        job_add_list(job, value, job_add_policy);
    } else if ((value = value_of(count, argument, at, "--frames")) != NULL) {
        job_add_list(job, value, job_add_frames);
    } else if ((value = value_of(count, argument, at, "--format")) != NULL) {
        job->format = value;
    } else if ((value = value_of(count, argument, at, "--threads")) != NULL) {
        job->threads = threads_read(value);
    } else if ((value = value_of(count, argument, at, "--jobs-file")) != NULL) {
        job->jobs = value;
    } else if ((value = value_of(count, argument, at, "--out")) != NULL) {
        job->out = value;
    } else if ((value = value_of(count, argument, at, "--part")) != NULL) {
        if (!sim_part_read(&job->part, value)) {
            refuse("--part '%s' is not NUMBER/OF/RUN, as --jobs-file writes it", value);
        }
    } else {
        return false;
    }
    return true;
}

static bool option_alone(struct sim_job *job, const char *option) {
    if (strcmp(option, "--writes") == 0) {
        job->writes = true;
    } else if (strcmp(option, "--checked") == 0) {
        job->checked = true;
    } else if (strcmp(option, "--progress") == 0) {
        sim_progress_start(1);
    } else {
        return false;
    }
    return true;
}

int sim_main(int count, char **argument) {
    static struct sim_job job = {.out = "-"};
    int traces = 0;
    sim_progress_start(-1);
    for (int i = 1; i < count; i++) {
        if (strcmp(argument[i], "--") == 0) {
            while (++i < count) {
                argument[traces++] = argument[i];
            }
        } else if (strcmp(argument[i], "--help") == 0 || strcmp(argument[i], "-h") == 0) {
            printf("%s%s%s", usage, format_names(), usage_more);
            return 0;
        } else if (argument[i][0] != '-' || argument[i][1] == 0) {
            argument[traces++] = argument[i];
        } else if (!option_with_value(&job, argument, count, &i) &&
                   !option_alone(&job, argument[i])) {
            refuse("unknown option '%s'; see `quire-lab sim --help`", argument[i]);
        }
    }
    if (traces == 0 || job.frames_count == 0) {
        refuse(traces == 0 ? "name at least one trace file; see `quire-lab sim --help`"
                           : "say how many frames there are: --frames N[,N...]");
    }
    return job_run(&job, traces, argument);
}

static void print_parameters(const struct policy_choice *choice) {
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        const struct policy_parameter *parameter = &choice->kind->operations->parameter[i];
        char most[16] = "";
        if (parameter->name == NULL) {
            return;
        }
        if (parameter->most != UINT32_MAX) {
            snprintf(most, sizeof(most), " to %u", parameter->most);
        }
        printf("           %s=%u: %s (%u%s)\n", parameter->name, choice->parameter[i],
               parameter->text, parameter->least, most[0] != 0 ? most : " or more");
    }
}

int sim_policies_main(int count, char **argument) {
    if (count == 2 && (strcmp(argument[1], "--help") == 0 || strcmp(argument[1], "-h") == 0)) {
        puts("usage: quire-lab policies\n"
             "Lists the policies, and below each its parameters with their normal values, what they\n"
             "are, and their bounds. Each may be set: 2q:in=10:out=90.");
        return 0;
    }
    if (count > 1) {
        refuse("`quire-lab policies` takes no argument such as '%s'", argument[1]);
    }
    for (uint32_t i = 0; i < SIM_CHOICES; i++) {
        struct sim_choice choice = sim_choice_at(i);
        printf("%-10s %s\n", choice.name, sim_choice_text(i));
        if (choice.what == SIM_POLICY) {
            print_parameters(&choice.policy);
        }
    }
    return 0;
}
