// SPDX-License-Identifier: MIT
// A job is one command line that needs nothing of the others; its CSV begins with a mark, by which
// `quire-lab merge` knows whether all parts are there and whole.
#include "sim_jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

bool sim_part_read(struct sim_part *part, const char *text) {
    char end;
    unsigned long long run;
    if (sscanf(text, "%u/%u/%llx%c", &part->number, &part->of, &run, &end) != 3) {
        return false;
    }
    part->run = run;
    return part->number >= 1 && part->number <= part->of;
}

// FNV-1a, by Fowler, Noll and Vo.
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != 0; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static void frames_write(char *text, size_t size, const struct sim_job *job) {
    text[0] = 0;
    for (uint32_t i = 0; i < job->frames_count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, "%s%u%s", i > 0 ? "," : "", job->frames[i].number,
                 job->frames[i].percent ? "%" : "");
    }
}

static uint64_t run_of(const struct sim_job *job, const char *frames, int traces, char **path) {
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), frames);
    hash = hash_text(hash, job->writes ? "w" : "");
    for (uint32_t i = 0; i < job->choices; i++) {
        hash = hash_text(hash, job->choice[i].name);
    }
    for (int i = 0; i < traces; i++) {
        hash = hash_text(hash, path[i]);
    }
    return hash;
}

// As one word of a shell.
static void write_word(FILE *to, const char *text) {
    putc('\'', to);
    for (; *text != 0; text++) {
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, 0}, to);
    }
    putc('\'', to);
}

struct job_line {
    const struct sim_job *job;
    const char *program, *frames, *path, *policy;
    struct sim_part part;
};

static void write_line(FILE *to, const struct job_line *line) {
    char out[4200];
    write_word(to, line->program);
    fprintf(to, " sim --threads 1 --policy ");
    write_word(to, line->policy);
    fprintf(to, " --frames %s%s%s", line->frames, line->job->writes ? " --writes" : "",
            line->job->checked ? " --checked" : "");
    if (line->job->format != NULL) {
        fprintf(to, " --format %s", line->job->format);
    }
    fprintf(to, " --part %u/%u/%016llx --out ", line->part.number, line->part.of,
            (unsigned long long)line->part.run);
    snprintf(out, sizeof(out), "%s.%04u.csv", line->job->jobs, line->part.number);
    write_word(to, out);
    fputs(" -- ", to);
    write_word(to, line->path);
    putc('\n', to);
}

static int lines_write(FILE *to, const struct sim_job *job, const char *program, int traces,
                       char **path) {
    static char frames[SIM_LIST_MAX * 12];
    frames_write(frames, sizeof(frames), job);
    struct job_line line = {.job = job, .program = program, .frames = frames};
    line.part.of = (uint32_t)traces * job->choices;
    line.part.run = run_of(job, frames, traces, path);
    for (int t = 0; t < traces; t++) {
        char *full = realpath(path[t], NULL);
        line.path = full != NULL ? full : path[t];
        for (uint32_t c = 0; c < job->choices; c++) {
            line.policy = job->choice[c].name;
            line.part.number++;
            write_line(to, &line);
        }
        free(full);
    }
    return output_end(to);
}

int sim_jobs_write(const struct sim_job *job, int traces, char **path, char *error, size_t size) {
    char program[4096] = "";
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) {
        snprintf(program, sizeof(program), "quire-lab");
    }
    for (int i = 0; i < traces; i++) {
        if (strcmp(path[i], "-") == 0 || strchr(path[i], '\n') != NULL) {
            snprintf(error, size, "jobs cannot share standard input, nor a name of two lines: "
                     "name a file");
            return -1;
        }
    }
    FILE *to = output_open(job->jobs);
    if (to == NULL || lines_write(to, job, program, traces, path) != 0) {
        snprintf(error, size, "cannot write the jobs to '%s': %s", job->jobs, strerror(errno));
        return -1;
    }
    return 0;
}
