// SPDX-License-Identifier: MIT
// The summary and the list of requests without a reply.
#include "trace_report.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "trace_names.h"
#include "trace_print.h"

static struct trace_count *count_of(struct trace_summary *summary, const char *title) {
    for (uint32_t i = 0; i < summary->titles; i++) {
        if (strcmp(summary->title[i].title, title) == 0) {
            return &summary->title[i];
        }
    }
    if (summary->titles == TRACE_TITLES_MAX) {
        return NULL;  // more messages than any ipc.def has: only a made-up file comes here
    }
    struct trace_count *count = &summary->title[summary->titles++];
    snprintf(count->title, sizeof(count->title), "%s", title);
    return count;
}

// Requests are counted at the call and at the reply; a receive is the same request once more.
static void count_message(struct trace_summary *summary, struct trace_state *state,
                          const struct trace_record *record) {
    char title[64];
    trace_title(title, sizeof(title), state, record);
    struct trace_count *count = count_of(summary, title);
    if (count == NULL) {
        return;
    }
    if (record->kind != EVENT_reply) {
        count->records++;
        return;
    }
    const struct trace_request *request = trace_request_find(state, record->cause);
    if (request != NULL && record->time >= request->record.time) {
        uint64_t time = record->time - request->record.time;
        count->replies++;
        count->total += time;
        count->worst = MAX_OF(count->worst, time);
    }
}

void trace_summary_add(struct trace_summary *summary, struct trace_state *state,
                       const struct trace_record *record) {
    if (summary->records++ == 0) {
        summary->first = record->time;
    }
    summary->last = MAX_OF(summary->last, record->time);
    summary->of_task[record->task]++;
    summary->of_kind[MIN_OF(record->kind, 255)]++;
    if (record->kind == EVENT_lost) {
        summary->lost += record->word[0];
    }
    if (trace_is_request(record) || record->kind == EVENT_reply ||
        record->kind == EVENT_kernel_call) {
        count_message(summary, state, record);
    }
}

static int count_order(const void *a, const void *b) {
    const struct trace_count *left = a, *right = b;
    return left->records != right->records ? (left->records < right->records ? 1 : -1)
                                           : strcmp(left->title, right->title);
}

static void print_titles(const struct trace_summary *summary, FILE *out) {
    static struct trace_count sorted[TRACE_TITLES_MAX];
    memcpy(sorted, summary->title, sizeof(sorted));
    qsort(sorted, summary->titles, sizeof(sorted[0]), count_order);
    fprintf(out, "\n%-24s %9s %9s %12s %12s\n", "message or fault", "asked", "answered", "mean us",
            "worst us");
    for (uint32_t i = 0; i < summary->titles; i++) {
        const struct trace_count *count = &sorted[i];
        fprintf(out, "%-24s %9" PRIu64, count->title, count->records);
        if (count->replies > 0) {
            fprintf(out, " %9" PRIu64 " %12.3f %12.3f", count->replies,
                    (double)count->total / (double)count->replies / 1000.0,
                    (double)count->worst / 1000.0);
        }
        fputc('\n', out);
    }
}

void trace_summary_print(const struct trace_summary *summary, const struct trace_state *state,
                         uint64_t bytes, FILE *out) {
    fprintf(out, "%" PRIu64 " records in %.6f s, %" PRIu64 " lost, %" PRIu64 " bytes",
            summary->records, (double)(summary->last - summary->first) / 1e9, summary->lost, bytes);
    fprintf(out, summary->records == 0 ? "\n" : ", %.2f bytes per record\n",
            (double)bytes / (double)summary->records);
    fprintf(out, "\n%-24s %9s\n", "kind of record", "records");
    for (const struct trace_event *event = trace_events; event->name != NULL; event++) {
        if (summary->of_kind[event->kind] > 0) {
            fprintf(out, "%-24s %9" PRIu64 "\n", event->name, summary->of_kind[event->kind]);
        }
    }
    fprintf(out, "\n%-24s %9s\n", "task", "records");
    for (uint32_t i = 0; i < ARRAY_LENGTH(summary->of_task); i++) {
        if (summary->of_task[i] > 0) {
            fprintf(out, "%-24s %9" PRIu64 "\n", trace_task_name(state, i), summary->of_task[i]);
        }
    }
    print_titles(summary, out);
}

static int request_order(const void *a, const void *b) {
    const struct trace_request *const *left = a, *const *right = b;
    uint64_t one = (*left)->record.time, other = (*right)->record.time;
    return one < other ? -1 : one > other;
}

uint32_t trace_pending_print(struct trace_state *state, FILE *out) {
    static const struct trace_request *open[TRACE_THREADS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->threads; i++) {
        if (state->request[i].record.kind != 0) {
            open[count++] = &state->request[i];
        }
    }
    qsort(open, count, sizeof(open[0]), request_order);
    for (uint32_t i = 0; i < count; i++) {
        char line[TRACE_LINE_BYTES];
        trace_line(line, sizeof(line), state, &open[i]->record);
        const struct trace_record *receive = &open[i]->receive;
        if (receive->kind == 0) {
            fprintf(out, "%s  not received yet\n", line);
        } else {
            fprintf(out, "%s  received by %s\n", line, trace_task_name(state, receive->task));
        }
    }
    return count;
}
