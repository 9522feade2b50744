// SPDX-License-Identifier: MIT
// What a reader of a trace remembers between records: names of tasks, and the requests (calls and
// faults) that have no reply yet. A thread waits for at most one.
#pragma once
#include <stdbool.h>
#include "trace.h"

#define TRACE_NAME_BYTES 13u
#define TRACE_THREADS 65536u

struct trace_request {
    struct trace_record record;  // the call or fault; its kind is 0 when the thread waits for none
    struct trace_record receive; // its kind is 0 while nobody has received it
};

struct trace_state {
    char name[65536][TRACE_NAME_BYTES];
    struct trace_request request[TRACE_THREADS];  // by thread slot
    uint16_t thread_of[65536];                    // by the low half of a request's id: a hint
    uint32_t threads;                             // slots ever used
};

// An empty state, from the heap; NULL: no memory.
struct trace_state *trace_state_new(void);

// A task's name, its number, or "-" for none; valid until the next call.
const char *trace_task_name(const struct trace_state *state, uint32_t task);

// The open request with this id, or NULL.
struct trace_request *trace_request_find(struct trace_state *state, uint32_t id);

// Take note of a record. Call it when the record was printed: a reply's request is then forgotten.
void trace_state_add(struct trace_state *state, const struct trace_record *record);

// A request that waits for a reply.
bool trace_is_request(const struct trace_record *record);

// A server's own record (trace.emit): `peer` is the number of the task that it is about, 0: none.
bool trace_names_task(const struct trace_record *record);
