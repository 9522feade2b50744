// SPDX-License-Identifier: MIT
// Reads a trace file (pcapng, see servers/tracer/pcapng.h) as a stream, so that pipes and growing
// files work. Everything in the file is untrusted. Accepts what other tools add when they rewrite
// such a file: options, unknown blocks, other time resolutions.
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "trace.h"

#define TRACE_INTERFACES_MAX 16u

enum trace_status {
    TRACE_RECORD,  // *record is the next one, its time in nanoseconds
    TRACE_END,     // the file ends behind a whole block
    TRACE_CUT,     // the file ends inside a block: all whole records were delivered
    TRACE_BAD,     // not a trace file, or a damaged one: `error` says what and where
};

struct trace_file {
    FILE *stream;
    uint64_t offset;   // of the block being read
    uint64_t records;  // delivered
    uint32_t interfaces;
    uint64_t tick[TRACE_INTERFACES_MAX];  // nanoseconds of each interface's time unit
    bool in_section;
    char error[160];
};

void trace_file_open(struct trace_file *file, FILE *stream);
enum trace_status trace_file_next(struct trace_file *file, struct trace_record *record);
