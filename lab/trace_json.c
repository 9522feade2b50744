// SPDX-License-Identifier: MIT
// The time line: JSON in Chrome's trace event format (one event per line, times in microseconds).
// Titles and texts hold no quotes or control characters but those that are escaped here.
#include <inttypes.h>
#include "trace_names.h"
#include "trace_print.h"
#include "trace_report.h"

void trace_json_begin(FILE *out) {
    fprintf(out, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n"
                 "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": 0, \"tid\": 0, "
                 "\"args\": {\"name\": \"kernel\"}}");
}

static void json_string(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != 0; text++) {
        fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    fputc('"', out);
}

// Everything up to the arguments: phase, name, where and when.
static void json_head(FILE *out, const char *phase, const char *name, uint32_t task,
                      uint32_t thread, uint64_t time) {
    fprintf(out, ",\n{\"ph\": \"%s\", \"name\": ", phase);
    json_string(out, name);
    fprintf(out, ", \"pid\": %" PRIu32 ", \"tid\": %" PRIu32 ", \"ts\": %" PRIu64 ".%03" PRIu64,
            task, thread, time / 1000, time % 1000);
}

static void json_bar(FILE *out, const char *name, const struct trace_record *from, uint64_t end,
                     const char *says) {
    uint64_t length = end > from->time ? end - from->time : 0;
    json_head(out, "X", name, from->task, from->thread, from->time);
    fprintf(out, ", \"dur\": %" PRIu64 ".%03" PRIu64 ", \"args\": {\"text\": ", length / 1000,
            length % 1000);
    json_string(out, says);
    fprintf(out, "}}");
}

// Both sides of a request that is over, and the arrow between them.
static void json_request(struct trace_state *state, const struct trace_request *request,
                         uint64_t end, FILE *out) {
    char title[64], says[TRACE_LINE_BYTES];
    const struct trace_record *call = &request->record, *receive = &request->receive;
    trace_title(title, sizeof(title), state, call);
    trace_text(says, sizeof(says), state, call);
    json_bar(out, title, call, end, says);
    if (receive->kind == 0) {
        return;
    }
    json_bar(out, title, receive, end, says);
    json_head(out, "s", title, call->task, call->thread, call->time);
    fprintf(out, ", \"cat\": \"ipc\", \"id\": %" PRIu32 "}", call->id);
    json_head(out, "f", title, receive->task, receive->thread, receive->time);
    fprintf(out, ", \"cat\": \"ipc\", \"bp\": \"e\", \"id\": %" PRIu32 "}", call->id);
}

static void json_instant(struct trace_state *state, const struct trace_record *record, FILE *out) {
    char title[64], says[TRACE_LINE_BYTES];
    trace_title(title, sizeof(title), state, record);
    trace_text(says, sizeof(says), state, record);
    json_head(out, "i", title, record->task, record->thread, record->time);
    fprintf(out, ", \"s\": \"t\", \"args\": {\"text\": ");
    json_string(out, says);
    fprintf(out, ", \"cause\": %" PRIu32 "}}", record->cause);
}

static void json_name(const struct trace_record *record, FILE *out) {
    char name[TRACE_NAME_BYTES] = {0};
    __builtin_memcpy(name, record->word, sizeof(record->word));
    for (char *at = name; *at != 0; at++) {
        *at = *at > ' ' && *at < 127 ? *at : '_';
    }
    json_head(out, "M", "process_name", record->peer, 0, record->time);
    fprintf(out, ", \"args\": {\"name\": ");
    json_string(out, name);
    fprintf(out, "}}");
}

void trace_json_add(struct trace_state *state, const struct trace_record *record, FILE *out) {
    const struct trace_request *request;
    switch (record->kind) {
    case EVENT_task_name:
        json_name(record, out);
        break;
    case EVENT_call:
    case EVENT_fault:
    case EVENT_receive:
    case EVENT_switch:
        break;  // shown when the reply is there; threads are tracks of their own
    case EVENT_reply:
        request = trace_request_find(state, record->cause);
        if (request != NULL) {
            json_request(state, request, record->time, out);
        }
        break;
    default:
        json_instant(state, record, out);
        break;
    }
}

void trace_json_end(struct trace_state *state, FILE *out) {
    for (uint32_t i = 0; i < state->threads; i++) {
        const struct trace_request *request = &state->request[i];
        if (request->record.kind != 0) {
            char title[64];
            trace_title(title, sizeof(title), state, &request->record);
            json_head(out, "B", title, request->record.task, request->record.thread,
                      request->record.time);
            fprintf(out, ", \"args\": {\"text\": \"no reply\"}}");
        }
    }
    fprintf(out, "\n]}\n");
}
