// SPDX-License-Identifier: MIT
// Follows requests from call to reply. Records may be missing (lost, cut, recording off): a new
// call of a thread, or its end, means that what it waited for is over.
#include "trace_state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "message.h"

struct trace_state *trace_state_new(void) {
    return calloc(1, sizeof(struct trace_state));
}

const char *trace_task_name(const struct trace_state *state, uint32_t task) {
    static char number[24];
    if (task == 0) {
        return "-";
    }
    if (task < ARRAY_LENGTH(state->name) && state->name[task][0] != 0) {
        return state->name[task];
    }
    snprintf(number, sizeof(number), "task %u", (unsigned)task);
    return number;
}

bool trace_is_request(const struct trace_record *record) {
    return record->kind == EVENT_call || record->kind == EVENT_fault;
}

bool trace_names_task(const struct trace_record *record) {
    return record->kind >= EVENT_admit && record->kind != EVENT_lost;
}

struct trace_request *trace_request_find(struct trace_state *state, uint32_t id) {
    if (id == 0) {
        return NULL;
    }
    struct trace_request *request = &state->request[state->thread_of[id & 0xffff]];
    if (request->record.kind != 0 && request->record.id == id) {
        return request;
    }
    for (uint32_t i = 0; i < state->threads; i++) {
        request = &state->request[i];
        if (request->record.kind != 0 && request->record.id == id) {
            return request;
        }
    }
    return NULL;
}

// Names come from the file: only what can be printed is taken over.
static void name_take(struct trace_state *state, const struct trace_record *record) {
    char *name = state->name[record->peer];
    memcpy(name, record->word, sizeof(record->word));
    name[TRACE_NAME_BYTES - 1] = 0;
    for (char *at = name; *at != 0; at++) {
        *at = *at > ' ' && *at < 127 && *at != '"' && *at != '\\' ? *at : '_';
    }
}

// Nothing that the tracer does is recorded, so its replies are not to be waited for.
static void request_begin(struct trace_state *state, const struct trace_record *record) {
    state->request[record->thread] = (struct trace_request){.record = *record};
    if (LABEL_INTERFACE(TAG_LABEL(record->tag)) == INTERFACE_tracer) {
        state->request[record->thread].record.kind = 0;
    }
    state->thread_of[record->id & 0xffff] = record->thread;
    state->threads = MAX_OF(state->threads, record->thread + 1u);
}

void trace_state_add(struct trace_state *state, const struct trace_record *record) {
    struct trace_request *request;
    switch (record->kind) {
    case EVENT_task_name:
        name_take(state, record);
        break;
    case EVENT_call:
    case EVENT_fault:
        request_begin(state, record);
        break;
    case EVENT_receive:
        request = trace_request_find(state, record->cause);
        if (request != NULL) {
            request->receive = *record;
        }
        break;
    case EVENT_reply:
        request = trace_request_find(state, record->cause);
        if (request != NULL) {
            request->record.kind = 0;
        }
        break;
    case EVENT_destroy:
        if (record->word[0] == INTERFACE_thread) {
            state->request[record->peer].record.kind = 0;
        }
        break;
    default:
        break;
    }
}
