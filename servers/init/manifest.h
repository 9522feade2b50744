// SPDX-License-Identifier: MIT
// The manifest: a text module that says which servers the system consists of, how each ranks and
// what it may have. Pure. One statement a line, `#` begins a comment:
//
//   server NAME rank=R frames=F|rest [device=disk|serial|trace] restart=never
//   programs rank=R ceiling=C frames=F each=E
//   init frames=F
//
// frames   the pool: `rest` is all that is left (exactly one server has it)
// programs the pool that programs' tasks and page tables are charged to, and their priorities
// each     what one program may have of that: some 12 frames are its task, each other one is a page
//          table, good for 2 MiB of addresses; so F / E programs can run at a time
// init     what stays in the root pool for init itself
// restart  what happens when the server dies; `never`: the system ends with an error
#pragma once
#include "text.h"

#define MANIFEST_SERVERS_MAX 8u
#define MANIFEST_REST UINT32_MAX
#define MANIFEST_RANK_MAX 31u
#define MANIFEST_EACH_MIN 24u  // a task and a few page tables

enum device { DEVICE_NONE, DEVICE_DISK, DEVICE_SERIAL, DEVICE_TRACE };

struct manifest_server {
    char name[NAME_BYTES];
    uint32_t rank;
    uint32_t frames;  // or MANIFEST_REST
    enum device device;
};

struct manifest {
    uint32_t server_count;
    struct manifest_server server[MANIFEST_SERVERS_MAX];
    uint32_t program_rank, program_ceiling, program_frames, program_each;
    uint32_t init_frames;
};

// Returns false and a sentence in *error that names the line and what is wrong with it.
int manifest_parse(const char *text, uint32_t length, struct manifest *manifest,
                   field_text *error);

const struct manifest_server *manifest_find(const struct manifest *manifest, const char *name);
