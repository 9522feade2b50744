// SPDX-License-Identifier: MIT
// Page-reference traces: raw 32-bit little-endian page numbers without header, plain or packed by
// xz. Any page numbers will do: they are numbered anew in order of first use.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct sim_trace {
    uint32_t *page;      // 0 .. footprint - 1
    uint32_t length;     // references, at least 1
    uint32_t footprint;  // different pages
};

// Reads a file whose name may end in .xz (unpacked by the program xz). Returns 0 and fills *trace
// (free it with sim_trace_free), or -1 and writes a sentence into error.
__attribute__((warn_unused_result)) int sim_trace_load(const char *path, struct sim_trace *trace,
                                                       char *error, size_t size);

// Takes over `page` (from malloc), which holds `length` >= 1 page numbers of any kind.
void sim_trace_number(struct sim_trace *trace, uint32_t *page, uint32_t length);

void sim_trace_free(struct sim_trace *trace);

// Allocates or ends the program with one line: memory that runs out has no better answer here.
void *sim_allocate(size_t count, size_t size);
