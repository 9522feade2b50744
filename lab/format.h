// SPDX-License-Identifier: MIT
// Traces of page references in all formats that quire-lab reads, as one stream;
// docs/trace-format.md describes them. Everything in a file is untrusted. Knows nothing of
// policies.
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "format_input.h"

// Pages of two tasks are never the same page.
struct format_reference {
    uint64_t page;
    uint64_t time;  // of the format's own clock; references in order if it has none
    uint32_t task;
    bool write;
};

struct format_reader;

// One format. `read` fills at most `limit` (>= 1) references and returns how many; 0 is the end, or
// format_fail() was called. The bytes begin where `recognise` saw them; those that have no mark of
// their own leave it out and go by the ends of names.
struct format {
    const char *name, *text;
    const char *end[3];  // of file names, without .xz and the like
    bool writes;         // tells reads from writes
    bool (*recognise)(const unsigned char *bytes, size_t length);
    size_t (*read)(struct format_reader *reader, struct format_reference *out, size_t limit);
};

struct trace_file;
struct format_reader {
    const struct format *format;
    char path[256];
    uint64_t references, line;      // so far
    uint64_t page, pages, time;     // lackey: the rest of an access that spans pages; its clock
    bool write;
    struct trace_file *trace;       // pcapng
    FILE *stream;
    uint64_t *page_of_fault;        // by task
    char error[512];  // "": none
    struct format_input input;
};

extern const struct format format_raw, format_own, format_oracle, format_text, format_lackey,
    format_pcapng;

// Opens "PATH", "-" for standard input. `format` is the name of one, or NULL: found out from the
// contents, then from the name. NULL: a sentence is in `error`.
struct format_reader *format_open(const char *path, const char *format, char *error, size_t size);
// Returns how many references it put into `out`; 0: the end, or format_error() says what is wrong.
size_t format_read(struct format_reader *reader, struct format_reference *out, size_t limit);
const char *format_error(const struct format_reader *reader);  // NULL: nothing is
void format_close(struct format_reader *reader);

// "raw, text, ...": for sentences and the help.
const char *format_names(void);
const struct format *format_at(size_t index);  // NULL: there are no more

// The name of a trace: its file's name without folder and without what tells the format.
void format_trace_name(const char *path, char *name, size_t size);
bool format_name_packed(const char *path);  // it ends in .xz, .zst or .gz
// False: two of the traces have one name, a sentence is in `error`.
bool format_names_differ(uint32_t traces, char *const *path, char *error, size_t size);

// For formats: the sentence goes behind "cannot read the trace 'PATH': ".
__attribute__((format(printf, 2, 3))) void format_fail(struct format_reader *reader,
                                                       const char *format, ...);

// ---- our own format, written -----------------------------------------------------------------

#define FORMAT_OWN_HEADER 32u
#define FORMAT_OWN_RECORD 24u
void format_own_header(unsigned char out[FORMAT_OWN_HEADER], uint64_t count);
void format_own_record(unsigned char out[FORMAT_OWN_RECORD],
                       const struct format_reference *reference);
