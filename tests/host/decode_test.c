// SPDX-License-Identifier: MIT
// The decoder: text of each kind of record, links from cause to reply, requests without a reply,
// summary and time line.
#include "trace_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "trace_names.h"
#include "trace_report.h"

static struct trace_state *state;

static void state_reset(void) {
    free(state);
    state = trace_state_new();
    CHECK(state != NULL);
}

static void name(uint16_t task, const char *text) {
    struct trace_record record = {.kind = EVENT_task_name, .task = 1, .peer = task};
    strncpy((char *)record.word, text, sizeof(record.word));
    trace_state_add(state, &record);
}

static const char *text_of(struct trace_record record) {
    static char text[TRACE_LINE_BYTES];
    trace_text(text, sizeof(text), state, &record);
    trace_state_add(state, &record);
    return text;
}

static struct trace_record fault_at(uint64_t time, uint16_t thread, uint32_t id) {
    return (struct trace_record){.time = time, .kind = EVENT_fault, .task = 16, .thread = thread,
                                 .id = id, .tag = TAG(LABEL_fault_write, 2, 0, 0),
                                 .word = {0x804a000, 0x80491e2}};
}

TEST(decode_unknown, "records of an unknown kind, message or error are shown as numbers") {
    state_reset();
    CHECK_TEXT(text_of((struct trace_record){.kind = 999}), "unknown kind of record");
    CHECK_TEXT(text_of((struct trace_record){.kind = EVENT_call, .tag = TAG(0xff00, 3, 0, 0)}),
               "message 0xff00(3 words)");
    CHECK_TEXT(text_of((struct trace_record){.kind = EVENT_reply, .tag = TAG_ERROR(999)}),
               "= error 999");
    CHECK_TEXT(text_of((struct trace_record){.kind = EVENT_create, .peer = 65535,
                                             .word = {77, 5}}),
               "type=77, slot=5, object 65535");
}

TEST(decode_hostile, "names with control characters and wild words stay printable and short") {
    state_reset();
    name(16, "a\x1b[2J\n\"\\b\xff");
    CHECK_TEXT(trace_task_name(state, 16), "a_[2J___b_");
    for (uint32_t kind = 0; kind < 30; kind++) {
        for (uint32_t label = 0; label < 0x2400; label += 1) {
            struct trace_record record = {.time = ~0ull, .kind = (uint16_t)kind, .task = 0xffff,
                                          .thread = 0xffff, .peer = 0xffff, .id = ~0u,
                                          .cause = ~0u, .tag = TAG(label, 64, 4, 16),
                                          .word = {~0u, 0x0a1b221bu, ~0u}};
            char line[TRACE_LINE_BYTES];
            trace_line(line, sizeof(line), state, &record);
            CHECK(strchr(line, '\n') == NULL && strchr(line, 0x1b) == NULL);
        }
    }
}

TEST(decode_fault, "a fault is followed from the trap to the reply that maps, with its time") {
    state_reset();
    name(16, "sort");
    name(2, "pager");
    CHECK_TEXT(text_of(fault_at(1000, 40, 7)), "fault.write(address=0x804a000, eip=0x80491e2)");
    CHECK_TEXT(text_of((struct trace_record){.time = 1500, .kind = EVENT_receive, .task = 2,
                                             .cause = 7, .tag = TAG(LABEL_fault_write, 2, 0, 0),
                                             .word = {0x804a000, 0x80491e2, 16}}),
               "fault.write(address=0x804a000, eip=0x80491e2) from sort");
    CHECK_TEXT(text_of((struct trace_record){.kind = EVENT_map, .task = 2, .cause = 7,
                                             .word = {0x804a003, 123 << 8 | FRAME_ZERO, 16}}),
               "page=0x804a000 rw-, frame=123 zeroed, task=sort");
    CHECK_TEXT(text_of((struct trace_record){.time = 3500, .kind = EVENT_reply, .task = 2,
                                             .cause = 7, .tag = TAG(0, 0, 0, 1)}),
               "fault.write = 1 page mapped  to sort after 2.500 us");
}

TEST(decode_call, "a call shows its arguments by name, its reply the results or the error") {
    state_reset();
    struct trace_record call = {.kind = EVENT_call, .task = 16, .thread = 40, .id = 8,
                                .tag = TAG(LABEL_pager_map, 3, 0, 0), .word = {0, 8192}};
    CHECK_TEXT(text_of(call), "pager.map(hint=0x0, length=8192, ...)");
    struct trace_record reply = {.kind = EVENT_reply, .task = 2, .cause = 8,
                                 .tag = TAG(LABEL_pager_map, 1, 0, 0), .word = {0x40000000}};
    CHECK(strstr(text_of(reply), "pager.map = address=0x40000000") != NULL);
    call.id = 9;
    text_of(call);
    reply.cause = 9;
    reply.tag = TAG_ERROR(E_MEMORY);
    CHECK(strstr(text_of(reply), "pager.map = E_MEMORY") != NULL);
    call.tag = TAG(LABEL_pager_file_open, 8, 0, 0);
    memcpy(call.word, "sieve\0\0", 8);
    CHECK_TEXT(text_of(call), "pager.file_open(name=\"sieve\")");
    call.kind = EVENT_kernel_call;
    call.tag = TAG(LABEL_task_unmap, 1, 0, 0);
    call.word[0] = 3;
    call.word[2] = E_UNMAPPED;
    CHECK_TEXT(text_of(call), "task.unmap(count=3) = E_UNMAPPED");
}

TEST(decode_decision, "decisions of the pager name the task, the page's address, the policies") {
    state_reset();
    name(16, "sort");
    CHECK_TEXT(text_of((struct trace_record){.kind = EVENT_evict, .task = 2, .peer = 16,
                                             .word = {0x40017, 5, 1}}),
               "page=0x40017000, slot=5, dirty=1, of sort");
    CHECK_TEXT(text_of((struct trace_record){.kind = EVENT_policy, .task = 2, .peer = 16,
                                             .word = {0, 1, 256}}),
               "old=fifo, new=clock, resident=256, of sort");
}

TEST(decode_all, "every message and every kind of record of the lists has its name") {
    state_reset();
    for (const struct trace_message *message = trace_messages; message->name != NULL; message++) {
        char title[64], wanted[64];
        struct trace_record call = {.kind = EVENT_call, .tag = TAG(message->label, 2, 0, 0)};
        trace_title(title, sizeof(title), state, &call);
        snprintf(wanted, sizeof(wanted), "%s.%s", message->interface, message->name);
        CHECK_TEXT(title, wanted);
    }
    for (const struct trace_event *event = trace_events; event->name != NULL; event++) {
        CHECK(trace_event_find(event->kind) == event);
    }
}

// What `print` writes, as a string that the caller frees.
static char *printed(void (*print)(FILE *out)) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    print(out);
    fclose(out);
    return text;
}

static uint32_t pending;

static void print_pending(FILE *out) {
    pending = trace_pending_print(state, out);
}

TEST(decode_pending, "a request without a reply is listed, with who has it; others are not") {
    state_reset();
    name(16, "sort");
    name(2, "pager");
    text_of(fault_at(1000, 40, 65537 + 7));
    text_of(fault_at(900, 41, 7));  // ids that share their low half
    text_of(fault_at(1100, 42, 8));
    text_of(fault_at(1200, 43, 9));
    text_of((struct trace_record){.kind = EVENT_receive, .task = 2, .cause = 7});
    text_of((struct trace_record){.kind = EVENT_reply, .task = 2, .cause = 8});
    text_of((struct trace_record){.kind = EVENT_destroy, .peer = 43, .word = {INTERFACE_thread}});
    char *text = printed(print_pending);
    CHECK_EQUAL(pending, 2);
    char *first = strstr(text, "#7  received by pager\n");
    char *second = strstr(text, "#65544  not received yet\n");
    CHECK(first != NULL && second != NULL && first < second);
    free(text);
}

static struct trace_summary summary;

static void add(struct trace_record record) {
    trace_summary_add(&summary, state, &record);
    trace_state_add(state, &record);
}

static void print_summary(FILE *out) {
    trace_summary_print(&summary, state, 60 + 5 * 64, out);
}

TEST(decode_summary, "the summary counts kinds, tasks and messages, with times to the reply") {
    state_reset();
    memset(&summary, 0, sizeof(summary));
    name(2, "pager");
    add(fault_at(1000, 40, 7));
    add((struct trace_record){.time = 3000, .kind = EVENT_reply, .task = 2, .cause = 7});
    add(fault_at(4000, 40, 8));
    add((struct trace_record){.time = 8000, .kind = EVENT_reply, .task = 2, .cause = 8});
    add((struct trace_record){.time = 9000, .kind = EVENT_lost, .word = {17}});
    char *text = printed(print_summary);
    CHECK(strstr(text, "5 records in 0.000008 s, 17 lost, 380 bytes, 76.00 bytes per record")
          != NULL);
    CHECK(strstr(text, "fault.write                      2         2        3.000        4.000")
          != NULL);
    CHECK(strstr(text, "pager                            2\n") != NULL);
    free(text);
}

static void print_json(FILE *out) {
    struct trace_record record = fault_at(1000, 40, 7);
    trace_json_begin(out);
    trace_json_add(state, &record, out);
    trace_state_add(state, &record);
    record = (struct trace_record){.time = 1500, .kind = EVENT_receive, .task = 2, .thread = 9,
                                   .cause = 7};
    trace_json_add(state, &record, out);
    trace_state_add(state, &record);
    record.time = 3250;
    record.kind = EVENT_reply;
    trace_json_add(state, &record, out);
    trace_state_add(state, &record);
    trace_json_end(state, out);
}

TEST(decode_json, "the time line has a bar on both sides of a request and an arrow between") {
    state_reset();
    char *text = printed(print_json);
    CHECK(strstr(text, "{\"ph\": \"X\", \"name\": \"fault.write\", \"pid\": 16, \"tid\": 40, "
                       "\"ts\": 1.000, \"dur\": 2.250") != NULL);
    CHECK(strstr(text, "\"pid\": 2, \"tid\": 9, \"ts\": 1.500, \"dur\": 1.750") != NULL);
    CHECK(strstr(text, "\"ph\": \"s\"") != NULL && strstr(text, "\"ph\": \"f\"") != NULL);
    CHECK(strcmp(text + strlen(text) - 4, "\n]}\n") == 0);
    free(text);
    free(state);
    state = NULL;
}
