// SPDX-License-Identifier: MIT
// Formats of fixed records without text: raw page numbers, our own, libCacheSim's oracleGeneral.
#include "format.h"

#include <inttypes.h>
#include <string.h>

static uint32_t get32(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const unsigned char *at) {
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static void put32(unsigned char *at, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        at[i] = (unsigned char)(value >> 8 * i);
    }
}

static void put64(unsigned char *at, uint64_t value) {
    put32(at, (uint32_t)value);
    put32(at + 4, (uint32_t)(value >> 32));
}

// Whole records of `bytes` that are there now, at most `limit`; 0 at the end, where a part of one
// is a mistake.
static size_t whole_records(struct format_reader *reader, size_t bytes, size_t limit,
                            const char *mistake) {
    size_t there = format_input_fill(&reader->input, bytes);
    if (there < bytes) {
        if (there > 0 && reader->input.problem == NULL) {
            format_fail(reader, "%s", mistake);
        }
        return 0;
    }
    return there / bytes < limit ? there / bytes : limit;
}

// ---- raw -------------------------------------------------------------------------------------

static size_t raw_read(struct format_reader *reader, struct format_reference *out, size_t limit) {
    size_t count = whole_records(reader, 4, limit,
                                 "its length is no multiple of 4: it is cut, or no trace of 32-bit "
                                 "page numbers (--format says what it is)");
    const unsigned char *at = format_input_here(&reader->input);
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct format_reference){get32(at + 4 * i), reader->references + i, 0, false};
    }
    format_input_skip(&reader->input, 4 * count);
    return count;
}

const struct format format_raw = {
    .name = "raw", .text = "32-bit little-endian page numbers",
    .end = {".u32", ".bin"}, .read = raw_read,
};

// ---- our own ---------------------------------------------------------------------------------

static const unsigned char own_magic[8] = {'q', 'u', 'i', 'r', 'e', 'r', 'e', 'f'};
enum { OWN_VERSION = 1, OWN_WRITE = 1 };

void format_own_header(unsigned char out[FORMAT_OWN_HEADER], uint64_t count) {
    memset(out, 0, FORMAT_OWN_HEADER);
    memcpy(out, own_magic, sizeof(own_magic));
    put32(out + 8, OWN_VERSION);
    put32(out + 12, FORMAT_OWN_RECORD);
    put64(out + 16, count);
}

void format_own_record(unsigned char out[FORMAT_OWN_RECORD],
                       const struct format_reference *reference) {
    put64(out, reference->page);
    put64(out + 8, reference->time);
    put32(out + 16, reference->task);
    put32(out + 20, reference->write ? OWN_WRITE : 0);
}

static bool own_recognise(const unsigned char *bytes, size_t length) {
    return length >= sizeof(own_magic) && memcmp(bytes, own_magic, sizeof(own_magic)) == 0;
}

// `pages` keeps how many references the header promises, 0: it does not know.
static bool own_begin(struct format_reader *reader) {
    const unsigned char *at = format_input_here(&reader->input);
    size_t there = format_input_fill(&reader->input, FORMAT_OWN_HEADER);
    at = format_input_here(&reader->input);
    if (there < FORMAT_OWN_HEADER || !own_recognise(at, there)) {
        format_fail(reader, "it does not begin with the header of a quireref file");
    } else if (get32(at + 8) != OWN_VERSION || get32(at + 12) != FORMAT_OWN_RECORD) {
        format_fail(reader, "it is version %" PRIu32 " with records of %" PRIu32 " bytes, and only "
                    "version 1 with 24 is known: write it anew with `quire-lab convert`",
                    get32(at + 8), get32(at + 12));
    } else if (get64(at + 24) != 0) {
        format_fail(reader, "the last 8 bytes of its header are not 0: it is damaged");
    } else {
        reader->pages = get64(at + 16);
        format_input_skip(&reader->input, FORMAT_OWN_HEADER);
        return true;
    }
    return false;
}

static size_t own_read(struct format_reader *reader, struct format_reference *out, size_t limit) {
    if (reader->references == 0 && reader->input.used == 0 && !own_begin(reader)) {
        return 0;
    }
    size_t count = whole_records(reader, FORMAT_OWN_RECORD, limit,
                                 "it ends inside a record: it is cut");
    const unsigned char *at = format_input_here(&reader->input);
    for (size_t i = 0; i < count; i++, at += FORMAT_OWN_RECORD) {
        if (get32(at + 20) > OWN_WRITE) {
            format_fail(reader, "record %" PRIu64 " has unknown flags: it is damaged",
                        reader->references + i + 1);
            return 0;
        }
        out[i] = (struct format_reference){get64(at), get64(at + 8), get32(at + 16),
                                           get32(at + 20) == OWN_WRITE};
    }
    format_input_skip(&reader->input, FORMAT_OWN_RECORD * count);
    if (count == 0 && reader->error[0] == 0 && reader->pages > reader->references) {
        format_fail(reader, "it has %" PRIu64 " records, its header promises %" PRIu64
                    ": it is cut", reader->references, reader->pages);
    }
    return count;
}

const struct format format_own = {
    .name = "quireref", .text = "our own, as `quire-lab convert` writes it: page, time, task, write",
    .end = {".qref"}, .writes = true, .recognise = own_recognise, .read = own_read,
};

// ---- oracleGeneral ---------------------------------------------------------------------------

// struct { u32 clock_time; u64 obj_id; u32 obj_size; i64 next_access_vtime; }, packed: libCacheSim,
// libCacheSim/traceReader/customizedReader/oracle/oracleGeneralBin.h.
enum { ORACLE_RECORD = 24 };

static size_t oracle_read(struct format_reader *reader, struct format_reference *out,
                          size_t limit) {
    size_t count = whole_records(reader, ORACLE_RECORD, limit,
                                 "its length is no multiple of 24: it is cut, or of another kind");
    const unsigned char *at = format_input_here(&reader->input);
    for (size_t i = 0; i < count; i++, at += ORACLE_RECORD) {
        out[i] = (struct format_reference){get64(at + 4), get32(at), 0, false};
    }
    format_input_skip(&reader->input, ORACLE_RECORD * count);
    return count;
}

const struct format format_oracle = {
    .name = "oracleGeneral", .text = "libCacheSim's binary format; each object is a page",
    .end = {".oracleGeneral", ".oracleGeneral.bin"}, .read = oracle_read,
};
