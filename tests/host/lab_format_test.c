// SPDX-License-Identifier: MIT
// Formats of traces: what is wrong is refused in a sentence that names the place, what is right
// gives the same references whatever the format.
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "lab_files.h"
#include "message.h"
#include "pcapng.h"
#include "policy.h"
#include "random.h"
#include "sim_trace.h"
#include "test.h"

#define LIMIT 256u

// Reads a file of this name and contents; returns the number of references, -1: `error` says why
// not.
static char error[700];
static struct format_reference got[LIMIT];
static const char *read_as;  // format found

static int read_file(const char *path, const char *format) {
    struct format_reader *reader = format_open(path, format, error, sizeof(error));
    if (reader == NULL) {
        return -1;
    }
    size_t total = 0, count;
    while (total + 64 <= LIMIT && (count = format_read(reader, got + total, LIMIT - total)) > 0) {
        total += count;
    }
    read_as = reader->format->name;
    const char *problem = format_error(reader);
    snprintf(error, sizeof(error), "%s", problem == NULL ? "" : problem);
    format_close(reader);
    return problem == NULL ? (int)total : -1;
}

static int read_bytes(const char *name, const void *contents, size_t length, const char *format) {
    const char *path = file_make(name, contents, length);
    int count = read_file(path, format);
    file_end(path);
    return count;
}

static void refused(const char *name, const void *contents, size_t length, const char *format,
                    const char *why) {
    test_case(why);
    CHECK_EQUAL(read_bytes(name, contents, length, format), -1);
    if (strstr(error, why) == NULL) {
        test_fail(__FILE__, __LINE__, error);
    }
    CHECK(strchr(error, '\n') == NULL);
    test_case(NULL);
}

static void refused_text(const char *text, const char *format, const char *why) {
    refused("t", text, strlen(text), format, why);
}

// ---- rejections ------------------------------------------------------------------------------

TEST(format_rejects_files, "files that are missing, empty, cut or damaged are refused in words") {
    CHECK_EQUAL(read_file("/nowhere/at/all", NULL), -1);
    CHECK(strstr(error, "/nowhere/at/all") != NULL && strstr(error, "No such file") != NULL);
    CHECK_EQUAL(read_file("/tmp", NULL), -1);
    CHECK(strstr(error, "directory") != NULL);
    refused("empty.u32", "", 0, NULL, "it is empty");
    refused("empty.u32", "", 0, "raw", "it is empty");
    refused("cut.u32", "abcdefg", 7, NULL, "no multiple of 4");
    refused("damaged.u32.xz", "\xfd" "7zXZ\0 and then nothing good", 28, NULL, "xz cannot unpack");
    refused("damaged.u32.zst", "\x28\xb5\x2f\xfd and then nothing", 20, NULL, "zstd cannot unpack");
    refused("damaged.gz", "\x1f\x8b and then nothing", 19, NULL, "gzip cannot unpack");
    refused("plain.u32.xz", "abcd", 4, NULL, "not packed as its name says");
    refused("t.u32", "abcd", 4, "csv", "there is no format 'csv'; choose from quireref, pcapng,");
}

TEST(format_rejects_text, "a line that is no page number is named with its number") {
    refused_text("12\nabc\n", "text", "line 2 is no page number: 'abc'");
    refused_text("12\n\n# x\n-3\n", NULL, "line 4 is no page number: '-3'");
    refused_text("99999999999999999999", "text", "line 1 is no page number");
    refused_text("0x\n", "text", "line 1 is no page number");
    refused_text("0x10000000000000000\n", "text", "line 1 is no page number");
    refused_text("7,8\n", "text", "line 1 is no page number");
    refused_text("7 x\n", "text", "line 1 is no page number");
    refused_text("7ww\n", "text", "line 1 is no page number");
    refused_text("7 w w\n", "text", "line 1 is no page number");
    refused_text("# nothing\n\n", NULL, "holds no reference (read as text");
    refused("t.txt", "1\n2\0003\n", 6, NULL, "line 2 holds a byte 0");
    refused_text("\x1b[2J\n", "text", "'?[2J'");
    char *line = sim_allocate(FORMAT_INPUT_BYTES + 9, 1);
    memset(line, '1', FORMAT_INPUT_BYTES + 8);
    refused("t.txt", line, FORMAT_INPUT_BYTES + 8, NULL, "line that is far too long");
    free(line);
}

TEST(format_rejects_lackey, "lines that lackey does not print are named, with what to do") {
    refused_text("==1== Lackey\nhello\n", NULL,
                 "line 2 is none of lackey's: 'hello'; run valgrind");
    refused_text(" L 10,4\n S 10\n", NULL, "line 2 is none of lackey's");
    refused_text(" L 10,4\n S 10,0\n", NULL, "line 2 is none of lackey's");
    refused_text(" L 10,4\n S 10,9999999\n", NULL, "line 2 is none of lackey's");
    refused_text(" L ffffffffffffffff,2\n", NULL, "line 1 is none of lackey's");
    refused_text(" L 1ffffffffffffffff,2\n", NULL, "line 1 is none of lackey's");
    refused_text("==1== nothing but this\n", NULL, "holds no reference (read as lackey");
}

TEST(format_rejects_binary, "records that are cut, of another version or with flags are refused") {
    unsigned char file[FORMAT_OWN_HEADER + 2 * FORMAT_OWN_RECORD];
    struct format_reference reference = {.page = 7};
    format_own_header(file, 2);
    format_own_record(file + FORMAT_OWN_HEADER, &reference);
    format_own_record(file + FORMAT_OWN_HEADER + FORMAT_OWN_RECORD, &reference);
    refused("t", file, sizeof(file) - 1, NULL, "ends inside a record");
    refused("t", file, sizeof(file) - FORMAT_OWN_RECORD, NULL, "header promises 2");
    refused("t", file, FORMAT_OWN_HEADER, NULL, "header promises 2");
    refused("t", file, 20, NULL, "does not begin with the header");
    refused("t", "abcdefgh", 8, "quireref", "does not begin with the header");
    file[sizeof(file) - 2] = 1;
    refused("t", file, sizeof(file), NULL, "record 2 has unknown flags");
    file[24] = 1;
    refused("t", file, sizeof(file), NULL, "last 8 bytes of its header");
    file[8] = 2;
    refused("t", file, sizeof(file), NULL, "it is version 2");
    format_own_header(file, 0);
    refused("t", file, FORMAT_OWN_HEADER, NULL, "holds no reference");
    refused("t.oracleGeneral", file + 8, 25, NULL, "no multiple of 24");
    refused("t.pcapng", "abcdefgh", 8, NULL, "not a pcapng file");
}

TEST(format_noise, "random bytes are read or refused, in every format, and nothing else happens") {
    unsigned char bytes[600];
    uint32_t seed = 5;
    for (uint32_t round = 0; round < 60; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (unsigned char)("0123456789abcx, \nILSM=#\0\xff"[random_next(&seed) % 26]);
        }
        format_own_header(bytes, round % 2);
        const struct format *format = format_at(round % 6);
        size_t start = round % 3 == 0 ? 0 : FORMAT_OWN_HEADER;
        CHECK(read_bytes("t", bytes + start, 1 + random_next(&seed) % 500, format->name) != 0);
    }
}

// ---- what is right ---------------------------------------------------------------------------

static void check_got(const char *format, int count, const struct format_reference *wanted) {
    if (error[0] != 0) {
        test_fail(__FILE__, __LINE__, error);
    }
    CHECK_TEXT(read_as, format);
    for (int i = 0; i < count; i++) {
        CHECK_EQUAL(got[i].page, wanted[i].page);
        CHECK_EQUAL(got[i].time, wanted[i].time);
        CHECK_EQUAL(got[i].task, wanted[i].task);
        CHECK_EQUAL(got[i].write, wanted[i].write);
    }
}

TEST(format_raw, "raw page numbers are little-endian; any bytes are, unless they are text") {
    static const unsigned char bytes[] = {1, 2, 3, 4, 255, 255, 255, 255};
    static const struct format_reference wanted[] = {{0x04030201, 0, 0, 0}, {0xffffffff, 1, 0, 0}};
    CHECK_EQUAL(read_bytes("t.u32", bytes, 8, NULL), 2);
    check_got("raw", 2, wanted);
    CHECK_EQUAL(read_bytes("t", bytes, 8, NULL), 2);
    check_got("raw", 2, wanted);
    CHECK_EQUAL(read_bytes("1234.bin", "1234", 4, NULL), 1);
    CHECK_TEXT(read_as, "raw");
    CHECK_EQUAL(read_bytes("t", "1234", 4, NULL), 1);
    CHECK_TEXT(read_as, "text");
}

TEST(format_text, "text: decimal and 0x numbers, r and w, comments, empty lines, any line ends") {
    static const char text[] = "# a trace\n\n12\r\n0xFf w # written\n  7\tr\n18446744073709551615";
    static const struct format_reference wanted[] = {
        {12, 0, 0, 0}, {255, 1, 0, 1}, {7, 2, 0, 0}, {UINT64_MAX, 3, 0, 0}};
    CHECK_EQUAL(read_bytes("t", text, strlen(text), NULL), 4);
    check_got("text", 4, wanted);
    CHECK_EQUAL(read_bytes("t.txt", text, strlen(text), NULL), 4);
}

TEST(format_lackey, "lackey: S and M write, an access over two pages is two references") {
    static const char text[] = "==7== Lackey, an example Valgrind tool\nI  04025310,3\n"
                               " L 1ffefffe7c,8\nI  04025ffe,4\n S 1000,4\n M 2fff,2\n==7== \n";
    static const struct format_reference wanted[] = {
        {0x4025, 1, 0, 0}, {0x1ffefff, 1, 0, 0}, {0x4025, 2, 0, 0}, {0x4026, 2, 0, 0},
        {1, 2, 0, 1}, {2, 2, 0, 1}, {3, 2, 0, 1}};
    CHECK_EQUAL(read_bytes("t", text, strlen(text), NULL), 7);
    check_got("lackey", 7, wanted);
}

TEST(format_oracle, "oracleGeneral: 24 bytes, the object is the page, found by the name's end") {
    unsigned char bytes[48] = {9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    bytes[24] = 10;
    bytes[28] = 1;
    static const struct format_reference wanted[] = {{0x0807060504030201, 9, 0, 0}, {1, 10, 0, 0}};
    CHECK_EQUAL(read_bytes("w.oracleGeneral.bin", bytes, 48, NULL), 2);
    check_got("oracleGeneral", 2, wanted);
    CHECK_EQUAL(read_bytes("w", bytes, 48, "oracleGeneral"), 2);
    check_got("oracleGeneral", 2, wanted);
}

TEST(format_own, "our own format keeps page, time, task and write bit, known by its first bytes") {
    static const struct format_reference wanted[] = {
        {UINT64_MAX, 5, 17, 1}, {0, UINT64_MAX, UINT32_MAX, 0}, {3, 7, 0, 1}};
    unsigned char file[FORMAT_OWN_HEADER + 3 * FORMAT_OWN_RECORD];
    for (uint64_t count = 0; count <= 3; count += 3) {
        format_own_header(file, count);
        for (int i = 0; i < 3; i++) {
            format_own_record(file + FORMAT_OWN_HEADER + i * (int)FORMAT_OWN_RECORD, &wanted[i]);
        }
        CHECK_EQUAL(read_bytes("misnamed.txt", file, sizeof(file), NULL), 3);
        check_got("quireref", 3, wanted);
    }
}

static unsigned char *packet_add(unsigned char *at, struct trace_record record) {
    static const struct clock clock = {.started = 0, .scale = 1ull << 32};
    struct pcapng_packet packet;
    record.time = 1000;
    pcapng_packet_fill(&packet, &clock, &record);
    memcpy(at, &packet, sizeof(packet));
    return at + sizeof(packet);
}

TEST(format_pcapng, "a recorded run: faults, pages admitted without one, Accessed bits, by task") {
    static unsigned char file[4096];
    struct trace_record fault = {.kind = EVENT_fault, .task = 20, .word = {0x5123},
                                 .tag = TAG(LABEL_fault_write, 2, 0, 0)};
    struct trace_record admit = {.kind = EVENT_admit, .task = 3, .peer = 20,
                                 .word = {5, 1, POLICY_USED}};
    struct trace_record accessed = {.kind = EVENT_accessed, .peer = 20, .word = {64, 1, 1u << 31}};
    unsigned char *end = file + sizeof(struct pcapng_header);
    pcapng_header_fill((struct pcapng_header *)file);
    end = packet_add(end, fault);
    end = packet_add(end, admit);  // the same page: no reference of its own
    admit.word[0] = 6;
    end = packet_add(end, admit);
    admit.word[2] = POLICY_READ_AHEAD;
    end = packet_add(end, admit);
    end = packet_add(end, accessed);
    fault.tag = TAG(LABEL_fault_exception, 2, 0, 0);
    end = packet_add(end, fault);
    fault.tag = TAG(LABEL_fault_read, 2, 0, 0);
    fault.task = 21;
    end = packet_add(end, fault);
    static const struct format_reference wanted[] = {
        {5, 1000, 20, 1}, {6, 1000, 20, 0}, {64, 1000, 20, 0}, {127, 1000, 20, 0},
        {5, 1000, 21, 0}};
    CHECK_EQUAL(read_bytes("run", file, (size_t)(end - file), NULL), 5);
    check_got("pcapng", 5, wanted);
    CHECK_EQUAL(read_bytes("run", file, (size_t)(end - file) - 30, NULL), 4);  // cut: up to there
}

// ---- traces ----------------------------------------------------------------------------------

static struct sim_trace trace_read(const char *name, const char *text, uint32_t memory) {
    struct sim_trace trace;
    const char *path = file_make(name, text, strlen(text));
    if (sim_trace_open(path, NULL, memory, &trace, error, sizeof(error)) != 0) {
        test_fail(__FILE__, __LINE__, error);
    }
    file_end(path);
    return trace;
}

TEST(sim_trace_load, "pages are numbered anew in order of first use, with their write bits") {
    static const uint32_t wanted[] = {0, 1, 2, 1, 0, 3};
    static const uint8_t written[] = {0, 1, 0, 0, 1, 0};
    struct sim_trace trace = trace_read("t", "9\n0xfff w\n0\n4095\n9 w\n8\n", 100);
    CHECK_EQUAL(trace.length, 6);
    CHECK_EQUAL(trace.footprint, 4);
    CHECK(trace.writes && memcmp(trace.write, written, sizeof(written)) == 0);
    CHECK(memcmp(trace.page, wanted, sizeof(wanted)) == 0);
    sim_trace_free(&trace);
    trace = trace_read("t", "9\n9 r\n", 100);
    CHECK(!trace.writes && trace.write == NULL);
    sim_trace_free(&trace);
}

TEST(sim_trace_file, "a trace beyond the limit lies in a file, and is read back the same") {
    char *text = sim_allocate(300000, 8);
    uint32_t seed = 3, length = 0;
    for (char *at = text; length < 290000; length++) {
        at += sprintf(at, "%u%s\n", random_next(&seed) % 500, random_next(&seed) % 4 ? "" : " w");
    }
    struct sim_trace whole = trace_read("t", text, UINT32_MAX), filed = trace_read("t", text, 1000);
    free(text);
    CHECK(filed.page == NULL && filed.writes);
    CHECK_EQUAL(filed.length, length);
    CHECK_EQUAL(filed.footprint, whole.footprint);
    struct sim_blocks blocks;
    struct sim_block block;
    uint32_t at = 0, pieces = 0;
    sim_blocks_start(&blocks, &filed);
    for (; sim_blocks_next(&blocks, &block); at += block.count, pieces++) {
        CHECK_EQUAL(block.first, at);
        CHECK(memcmp(block.page, whole.page + at, block.count * sizeof(*block.page)) == 0);
        CHECK(memcmp(block.write, whole.write + at, block.count) == 0);
    }
    sim_blocks_end(&blocks);
    CHECK(at == length && pieces == 2);
    sim_trace_free(&whole);
    sim_trace_free(&filed);
}

TEST(format_names, "a trace's name is its file's without folder and what tells the format") {
    static const char *const cases[][2] = {
        {"/a/b.c/sort.u32.xz", "sort"}, {"sort.txt", "sort"}, {"w.oracleGeneral.bin.zst", "w"},
        {"w.oracleGeneral.zst", "w"}, {"run.pcapng", "run"}, {".u32", ".u32"}, {"-", "stdin"},
        {"a,b.qref.gz", "a,b"}, {"x.lackey", "x"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[64];
        format_trace_name(cases[i][0], name, sizeof(name));
        CHECK_TEXT(name, cases[i][1]);
    }
}
