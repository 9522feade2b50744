// SPDX-License-Identifier: MIT
// The manifest: a text module that says which servers the system consists of, how each ranks and
// what it may have. Pure. One statement a line, `#` begins a comment:
//
//   server NAME rank=R frames=F|rest [device=disk|serial|trace] restart=never [ceiling=C] [share=S]
//   programs rank=R ceiling=C frames=F each=E [share=S]
//   program NAME [ceiling=C] [share=S]
//   init frames=F
//
// frames   the pool: `rest` is all that is left (exactly one server has it)
// programs the pool that programs' tasks and page tables are charged to, and their priorities
// program  what is different for the program of that name
// ceiling  the highest priority of its threads: a server's own rank unless it says more
// share    of CPU time when others want it, too: 1 to 100 milliseconds in a round, 10 unless it is
//          said; what servers do for a program counts as its own
// each     what one program may have of that: some 12 frames are its task, each other one is a page
//          table, good for 2 MiB of addresses; so F / E programs can run at a time
// init     what stays in the root pool for init itself
// restart  what happens when the server dies; `never`: the system ends with an error
#pragma once
#include "text.h"

#define MANIFEST_SERVERS_MAX 8u
#define MANIFEST_PROGRAMS_MAX 8u
#define MANIFEST_REST UINT32_MAX
#define MANIFEST_RANK_MAX 31u
#define MANIFEST_EACH_MIN 24u  // a task and a few page tables

enum device { DEVICE_NONE, DEVICE_DISK, DEVICE_SERIAL, DEVICE_TRACE };

// What a task may have of the CPU.
struct manifest_cpu {
    uint32_t ceiling, share;
};

struct manifest_server {
    char name[NAME_BYTES];
    struct manifest_cpu cpu;
    uint32_t rank;
    uint32_t frames;  // or MANIFEST_REST
    enum device device;
};

struct manifest_program {
    char name[NAME_BYTES];
    int has_ceiling, has_share;  // else as all programs
    struct manifest_cpu cpu;
};

struct manifest {
    uint32_t server_count, program_count;
    struct manifest_server server[MANIFEST_SERVERS_MAX];
    struct manifest_program program[MANIFEST_PROGRAMS_MAX];
    uint32_t program_rank, program_frames, program_each;
    struct manifest_cpu program_cpu;  // of all that have no line of their own
    uint32_t init_frames;
};

// Returns false and a sentence in *error that names the line and what is wrong with it.
int manifest_parse(const char *text, uint32_t length, struct manifest *manifest,
                   field_text *error);

// What the program of that name may have.
struct manifest_cpu manifest_program_cpu(const struct manifest *manifest, const char *name);
const struct manifest_server *manifest_find(const struct manifest *manifest, const char *name);
