// SPDX-License-Identifier: MIT
// The work of the command sim, and how it is cut into jobs for other machines.
#pragma once
#include "sim_choice.h"

#define SIM_LIST_MAX 1024u
#define SIM_FRAMES_MAX (1u << 28)

struct sim_amount {
    uint32_t number;
    bool percent;  // of the footprint
};

// Which part of a run this is: its mark is the first line of its CSV. of == 0: it is the whole.
struct sim_part {
    uint32_t number, of;
    uint64_t run;  // the same for all parts of one run
};
#define SIM_PART_LINE "# part %u of %u, %u rows, run %016llx\n"

struct sim_job {
    struct sim_choice choice[SIM_LIST_MAX];
    uint32_t choices;
    struct sim_amount frames[SIM_LIST_MAX];
    uint32_t frames_count;
    const char *format;      // NULL: found out
    const char *jobs;       // a file; NULL: none
    const char *out;         // "-": the standard output
    struct sim_part part;
    bool writes, checked;
    uint32_t threads;
};

// Writes one shell command for each trace and policy to the file job->jobs. 0, or -1 and a
// sentence.
__attribute__((warn_unused_result)) int sim_jobs_write(const struct sim_job *job, int traces,
                                                       char **path, char *error, size_t size);

// Reads "NUMBER/OF/RUN".
bool sim_part_read(struct sim_part *part, const char *text);
