// SPDX-License-Identifier: MIT
// The command replay: takes a trace that the guest recorded, lets the host's build of the policies
// decide again from what the guest's learned, and says whether each victim was the same.
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_run.h"
#include "trace_file.h"
#include "trace_state.h"

static const char usage[] =
    "usage: quire-lab replay TRACE.pcapng\n"
    "\n"
    "Replays the decisions of every domain in a trace recorded by Quire from its start, under the\n"
    "policies that were in charge, and prints task,name,policy,admits,kept,victims,result. The exit\n"
    "status is 0 if each victim was the page that the replay chose, too.\n";

static int refuse(const char *path, const char *why) {
    fprintf(stderr, "quire-lab replay: %s: %s\n", path, why);
    return 2;
}

static void result_print(void *context, const struct sim_run_result *result) {
    const struct trace_state *state = context;
    printf("%u,%s,%s,%u,%u,%u,", result->task, trace_task_name(state, result->task),
           result->kind == NULL ? "?" : result->kind->name, result->admits, result->kept,
           result->victims);
    if (result->problem == NULL) {
        puts("same");
    } else {
        printf("%s (page 0x%x in the run; 0x%x in the replay)\n", result->problem,
               result->page << 12, result->chosen << 12);
    }
}

// NULL, or what is wrong with the file.
static const char *run_read(struct trace_file *file, struct sim_run *run,
                            struct trace_state *state) {
    struct trace_record record;
    enum trace_status status;
    while ((status = trace_file_next(file, &record)) == TRACE_RECORD) {
        if (record.kind == EVENT_lost) {
            return "records were lost while it was made, so it cannot be replayed";
        }
        sim_run_add(run, &record);
        trace_state_add(state, &record);
    }
    return status == TRACE_BAD ? file->error : NULL;
}

static int replay_stream(const char *path, FILE *stream) {
    struct trace_file file;
    struct trace_state *state = trace_state_new();
    struct sim_run *run = sim_run_new();
    int status = 2;
    if (state == NULL) {
        status = refuse(path, "out of memory");
    } else {
        trace_file_open(&file, stream);
        const char *problem = run_read(&file, run, state);
        if (problem != NULL) {
            status = refuse(path, problem);
        } else {
            puts("task,name,policy,admits,kept,victims,result");
            status = sim_run_replay(run, result_print, state) == 0 ? 0 : 1;
        }
    }
    sim_run_free(run);
    free(state);
    return status;
}

int replay_main(int count, char **argument) {
    if (count != 2 || strcmp(argument[1], "--help") == 0) {
        fputs(usage, count == 2 ? stdout : stderr);
        return count == 2 ? 0 : 2;
    }
    FILE *stream = fopen(argument[1], "rb");
    if (stream == NULL) {
        return refuse(argument[1], strerror(errno));
    }
    int status = replay_stream(argument[1], stream);
    fclose(stream);
    return status;
}
