// SPDX-License-Identifier: MIT
// The trace file's writer (the tracer's own code) and reader, and that tshark agrees: to the end,
// with the generated dissector, without a malformed record.
#include "pcapng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dissector.h"
#include "message.h"
#include "test.h"
#include "trace_end.h"
#include "trace_file.h"

#define EVENTS 200u

static struct trace_record record_number(uint32_t i) {
    struct trace_record record = {.time = i * 1000ull, .kind = EVENT_call, .task = 16,
                                  .thread = 40, .peer = 7, .id = i + 1,
                                  .tag = TAG(LABEL_pager_map, 3, 0, 0), .word = {0, 4096, i}};
    if (i % 2 == 1) {
        record.kind = EVENT_reply;
        record.id = 0;
        record.cause = i;
        record.tag = i % 4 == 1 ? TAG_ERROR(E_MEMORY) : TAG(LABEL_pager_map, 1, 0, 0);
    }
    return record;
}

// A trace of `events` records in memory; the caller frees it.
static char *file_make(uint32_t events, size_t *size) {
    *size = sizeof(struct pcapng_header) + events * sizeof(struct pcapng_packet);
    char *file = malloc(*size);
    CHECK(file != NULL);
    pcapng_header_fill((struct pcapng_header *)file);
    static const struct clock clock = {.started = 0, .scale = 1ull << 32};
    for (uint32_t i = 0; i < events; i++) {
        struct trace_record record = record_number(i);
        struct pcapng_packet packet;
        pcapng_packet_fill(&packet, &clock, &record);
        memcpy(file + sizeof(struct pcapng_header) + i * sizeof(packet), &packet, sizeof(packet));
    }
    return file;
}

// Read all of it. Returns the status that ends it.
static enum trace_status file_read(const char *file, size_t size, uint64_t *records, char *error) {
    struct trace_file reader;
    struct trace_record record;
    enum trace_status status;
    FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)file, size, "rb")
                            : fopen("/dev/null", "rb");
    CHECK(stream != NULL);
    trace_file_open(&reader, stream);
    while ((status = trace_file_next(&reader, &record)) == TRACE_RECORD) {
    }
    fclose(stream);
    *records = reader.records;
    strcpy(error, reader.error);
    return status;
}

TEST(trace_file_bad, "a file that is no trace, or a damaged one, is refused with its reason") {
    static const struct {
        uint32_t offset, value;
        const char *says;
    } damages[] = {
        {0, 0xa1b2c3d4u, "pcap file, not pcapng"},
        {0, 0x464c457fu, "not a pcapng file"},
        {4, 30, "a block of 30 bytes"},
        {4, 0xfffffff0u, "a block of 4294967280 bytes"},
        {8, 0x4d3c2b1au, "big-endian"},
        {8, 0, "no byte-order mark"},
        {12, 2, "version 2"},
        {24, 32, "28 bytes at its start and 32 at its end"},
        {36, 1, "link type 1 instead of 147"},
        {48, 0x8c, "resolution"},
        {68, 9, "interface 9"},
        {80, 31, "31 bytes of data"},
        {64, 48, "says 48 bytes"},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(damages); i++) {
        size_t size;
        uint64_t records;
        char error[160];
        char *file = file_make(3, &size);
        memcpy(file + damages[i].offset, &damages[i].value, 4);
        test_case(damages[i].says);
        enum trace_status status = file_read(file, size, &records, error);
        free(file);
        CHECK_EQUAL(status, TRACE_BAD);
        CHECK(strstr(error, damages[i].says) != NULL);
    }
}

TEST(trace_file_cut, "a file cut anywhere shows all its whole records") {
    size_t size;
    uint64_t records;
    char error[160];
    char *file = file_make(4, &size);
    for (size_t length = 0; length <= size; length++) {
        enum trace_status status = file_read(file, length, &records, error);
        size_t events = length < 60 ? 0 : (length - 60) / 64;
        bool whole = length == 28 || (length >= 60 && (length - 60) % 64 == 0);
        CHECK_EQUAL(records, events);
        CHECK_EQUAL(status, length == 0 ? TRACE_BAD : whole ? TRACE_END : TRACE_CUT);
    }
    free(file);
}

TEST(trace_file_flips, "no flipped bit makes the reader fail other than by an error") {
    size_t size;
    char *file = file_make(3, &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        uint64_t records;
        char error[160];
        file[bit / 8] ^= (char)(1 << bit % 8);
        enum trace_status status = file_read(file, size, &records, error);
        CHECK(status == TRACE_END || status == TRACE_CUT || status == TRACE_BAD);
        CHECK(records <= 3);
        file[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(file);
}

TEST(trace_file_same, "what the tracer writes is what the reader reads") {
    size_t size;
    char *file = file_make(EVENTS, &size);
    struct trace_file reader;
    struct trace_record record;
    FILE *stream = fmemopen(file, size, "rb");
    trace_file_open(&reader, stream);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct trace_record wanted = record_number(i);
        CHECK_EQUAL(trace_file_next(&reader, &record), TRACE_RECORD);
        CHECK(memcmp(&record, &wanted, TRACE_RECORD_USED) == 0);
    }
    CHECK_EQUAL(trace_file_next(&reader, &record), TRACE_END);
    fclose(stream);
    free(file);
}

TEST(trace_ring, "the tracer's end of the ring reads all records once, and counts the lost") {
    static struct trace_record records[8];
    static struct trace_header header = {.capacity = 8, .written = 0xfffffffcu,
                                         .read = 0xfffffffcu};
    struct trace_end end = {&header, records, header.read, 0};
    CHECK(trace_next(&end) == NULL);
    for (uint32_t i = 0; i < 8; i++) {
        records[header.written++ % 8].id = i;
    }
    header.lost = 5;
    CHECK_EQUAL(trace_waiting(&end), 8);
    for (uint32_t i = 0; i < 8; i++) {
        CHECK_EQUAL(trace_next(&end)->id, i);
    }
    CHECK(trace_next(&end) == NULL);
    CHECK_EQUAL(header.read, 0xfffffffcu);
    trace_release(&end);
    CHECK_EQUAL(header.read, header.written);
    CHECK_EQUAL(trace_lost(&end), 5);
    CHECK_EQUAL(trace_lost(&end), 0);
}

static void file_write(const char *path, const char *bytes, size_t size) {
    FILE *stream = fopen(path, "wb");
    CHECK(stream != NULL);
    CHECK(fwrite(bytes, 1, size, stream) == size);
    CHECK(fclose(stream) == 0);
}

// Lines that a shell command prints; the first goes to `line`.
static uint32_t lines_of(const char *command, char *line, int size) {
    char rest[512];
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    uint32_t lines = fgets(line, size, pipe) != NULL;
    while (fgets(rest, sizeof(rest), pipe) != NULL) {
        lines++;
    }
    CHECK_EQUAL(pclose(pipe), 0);
    return lines;
}

TEST(trace_tshark, "tshark reads a trace to its end without a malformed record") {
    char folder[] = "/tmp/quire-test-XXXXXX", path[64], lua[64], command[512], line[512] = "";
    if (system("command -v tshark >/dev/null 2>&1") != 0) {
        SKIP("tshark is not installed");
    }
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/t.pcapng", folder);
    snprintf(lua, sizeof(lua), "%s/quire.lua", folder);
    size_t size;
    char *file = file_make(EVENTS, &size);
    file_write(path, file, size);
    free(file);
    FILE *script = fopen(lua, "w");
    dissector_print(script);
    fclose(script);
    snprintf(command, sizeof(command), "tshark -X lua_script:%s -r %s 2>%s/errors", lua, path,
             folder);
    uint32_t events = lines_of(command, line, sizeof(line));
    snprintf(command, sizeof(command),
             "tshark -X lua_script:%s -r %s -Y '_ws.malformed || quire.malformed || _ws.lua.error' "
             "2>>%s/errors", lua, path, folder);
    char other[512];
    uint32_t malformed = lines_of(command, other, sizeof(other));
    snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0);
    CHECK_EQUAL(events, EVENTS);
    CHECK_EQUAL(malformed, 0);
    CHECK(strstr(line, "call pager.map(hint=0, length=4096)") != NULL);
}
