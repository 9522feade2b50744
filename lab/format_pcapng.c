// SPDX-License-Identifier: MIT
// A trace that the guest recorded, as references: its faults, pages that a policy was told of
// without a fault in the trace, and Accessed bits that were read. These are what the pager saw, not
// every access that the programs made.
#define _GNU_SOURCE
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "policy.h"
#include "trace_file.h"

enum { TASKS = 65536, BITS = 64 };

// trace_file.h reads a FILE; ours reads from the input's buffer.
static ssize_t stream_read(void *context, char *out, size_t size) {
    struct format_input *input = context;
    size_t there = format_input_fill(input, 1);
    there = there < size ? there : size;
    memcpy(out, format_input_here(input), there);
    format_input_skip(input, there);
    return (ssize_t)there;
}

static bool pcapng_begin(struct format_reader *reader) {
    if (reader->trace != NULL) {
        return true;
    }
    reader->stream = fopencookie(&reader->input, "rb",
                                 (cookie_io_functions_t){.read = stream_read});
    reader->trace = calloc(1, sizeof(*reader->trace));
    reader->page_of_fault = calloc(TASKS, sizeof(*reader->page_of_fault));
    if (reader->stream == NULL || reader->trace == NULL || reader->page_of_fault == NULL) {
        format_fail(reader, "out of memory: close other programs and try again");
        return false;
    }
    trace_file_open(reader->trace, reader->stream);
    return true;
}

static size_t add(struct format_reference *out, const struct trace_record *record, uint32_t task,
                  uint32_t page, bool write) {
    *out = (struct format_reference){page, record->time, task, write};
    return 1;
}

static size_t accessed_add(struct format_reference *out, const struct trace_record *record) {
    size_t count = 0;
    for (uint32_t n = 0; n < BITS; n++) {
        if (record->word[1 + n / 32] >> n % 32 & 1) {
            count += add(&out[count], record, record->peer, record->word[0] + n, false);
        }
    }
    return count;
}

// Makes up to 64 references of a record. A fault comes before its page is admitted.
static size_t record_add(struct format_reader *reader, struct format_reference *out,
                         const struct trace_record *record) {
    uint64_t *fault;
    switch (record->kind) {
    case EVENT_fault:
        if (TAG_LABEL(record->tag) == LABEL_fault_exception) {
            return 0;
        }
        reader->page_of_fault[record->task] = 1 + (record->word[0] >> PAGE_SHIFT);
        return add(out, record, record->task, record->word[0] >> PAGE_SHIFT,
                   TAG_LABEL(record->tag) == LABEL_fault_write);
    case EVENT_admit:
        fault = &reader->page_of_fault[record->peer];
        if (*fault == 1 + (uint64_t)record->word[0] || record->word[2] != POLICY_USED) {
            return 0;
        }
        *fault = 1 + (uint64_t)record->word[0];
        return add(out, record, record->peer, record->word[0], false);
    case EVENT_accessed:
        return accessed_add(out, record);
    default:
        return 0;
    }
}

// A file that is cut in a record is read up to there: such traces are normal.
static size_t pcapng_read(struct format_reader *reader, struct format_reference *out,
                          size_t limit) {
    if (!pcapng_begin(reader)) {
        return 0;
    }
    size_t count = 0;
    struct trace_record record;
    while (count + BITS <= limit) {
        enum trace_status status = trace_file_next(reader->trace, &record);
        if (status == TRACE_BAD) {
            format_fail(reader, "%s", reader->trace->error);
            return 0;
        }
        if (status != TRACE_RECORD) {
            break;
        }
        count += record_add(reader, &out[count], &record);
    }
    return count;
}

static bool pcapng_recognise(const unsigned char *bytes, size_t length) {
    return length >= 4 && memcmp(bytes, "\x0a\x0d\x0d\x0a", 4) == 0;
}

const struct format format_pcapng = {
    .name = "pcapng", .text = "what the guest recorded: faults, admitted pages and Accessed bits",
    .end = {".pcapng"}, .writes = true, .recognise = pcapng_recognise, .read = pcapng_read,
};
