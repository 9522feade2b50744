// SPDX-License-Identifier: MIT
// The tracer's end of the trace ring (abi/trace.h). Pure: no kernel.
#pragma once
#include <stdbool.h>
#include "trace.h"

struct trace_end {
    struct trace_header *header;
    const struct trace_record *record;  // capacity of them
    uint32_t read;                      // ours; the header's copy frees the places
    uint32_t lost;                      // of the header's, already told
};

// Records that wait.
uint32_t trace_waiting(const struct trace_end *end);

// The next record, or NULL. It stays valid until trace_release().
const struct trace_record *trace_next(struct trace_end *end);

// Records lost since the last time this was asked.
uint32_t trace_lost(struct trace_end *end);

// Give the places of all records taken back to the kernel.
void trace_release(struct trace_end *end);
