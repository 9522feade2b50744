// SPDX-License-Identifier: MIT
// One record as one line of text, in the manner of strace.
#pragma once
#include <stddef.h>
#include "trace_state.h"

#define TRACE_LINE_BYTES 512u

// What the record says, without time and task: "fault.write(address=0x804a000, eip=0x80491e2)".
// Cut to what fits. Names of messages are those of abi/ipc.def, or numbers.
void trace_text(char *text, size_t size, struct trace_state *state,
                const struct trace_record *record);

// Name of the message or kind, for summaries and time lines: "pager.map", "fault.write", "evict".
void trace_title(char *text, size_t size, struct trace_state *state,
                 const struct trace_record *record);

// The whole line: seconds, task, kind, text, "#id", "<- #cause".
void trace_line(char *text, size_t size, struct trace_state *state,
                const struct trace_record *record);
