// SPDX-License-Identifier: MIT
// The other faces of a trace: a summary, the requests without a reply, a time line.
#pragma once
#include <stdio.h>
#include "trace_state.h"

#define TRACE_TITLES_MAX 512u

struct trace_count {
    char title[64];         // "pager.map", "fault.write", "evict"
    uint64_t records;       // of this title; requests: calls or faults
    uint64_t replies;       // of the requests
    uint64_t total, worst;  // nanoseconds from request to reply
};

struct trace_summary {
    uint64_t records, first, last, lost;
    uint64_t of_task[65536], of_kind[256];
    uint32_t titles;
    struct trace_count title[TRACE_TITLES_MAX];
};

// Count a record; call it before trace_state_add().
void trace_summary_add(struct trace_summary *summary, struct trace_state *state,
                       const struct trace_record *record);
// bytes: of the file as far as it was read.
void trace_summary_print(const struct trace_summary *summary, const struct trace_state *state,
                         uint64_t bytes, FILE *out);

// The requests that nobody has answered, oldest first. Returns how many.
uint32_t trace_pending_print(struct trace_state *state, FILE *out);

// Chrome's trace event format, which Perfetto opens too: begin, records one by one (before
// trace_state_add()), end. Requests are bars from call to reply, with an arrow to the server.
void trace_json_begin(FILE *out);
void trace_json_add(struct trace_state *state, const struct trace_record *record, FILE *out);
void trace_json_end(struct trace_state *state, FILE *out);
