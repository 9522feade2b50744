// SPDX-License-Identifier: MIT
// Formats of lines: page numbers, and what valgrind's tool lackey prints.
#include "format.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SHIFT 12
#define ACCESS_MAX (1u << 20)  // bytes of one access: far above what any instruction does

static char *skip_spaces(char *at) {
    while (*at == ' ' || *at == '\t' || *at == '\r') {
        at++;
    }
    return at;
}

// The line for a sentence: cut, without what a terminal could take for orders.
static const char *shown(const char *line) {
    static char text[41];
    size_t i = 0;
    for (; i + 1 < sizeof(text) && line[i] != 0; i++) {
        text[i] = isprint((unsigned char)line[i]) ? line[i] : '?';
    }
    text[i] = 0;
    return text;
}

// The next line that is more than spaces, or NULL.
static char *line_next(struct format_reader *reader) {
    size_t length;
    char *line;
    while ((line = format_input_line(&reader->input, &length)) != NULL) {
        reader->line++;
        if (strlen(line) < length) {
            format_fail(reader, "line %" PRIu64 " holds a byte 0: this is no text; say what it is "
                        "with --format", reader->line);
            return NULL;
        }
        if (*skip_spaces(line) != 0) {
            return line;
        }
    }
    return NULL;
}

// Some lines may make no reference: `take` returns 1 if this one does, 0 if not, -1 if it is wrong.
static size_t lines_read(struct format_reader *reader, struct format_reference *out, size_t limit,
                         int (*take)(struct format_reader *, char *, struct format_reference *)) {
    size_t count = 0;
    char *line;
    while (count < limit && (line = line_next(reader)) != NULL) {
        int taken = take(reader, line, &out[count]);
        if (taken < 0) {
            return 0;
        }
        if (taken > 0) {
            out[count].time = reader->references + count;
            count++;
        }
    }
    return count;
}

// ---- text ------------------------------------------------------------------------------------

static int text_take(struct format_reader *reader, char *line, struct format_reference *out) {
    char *at = skip_spaces(line), *end = at;
    if (*at == '#') {
        return 0;
    }
    int base = at[0] == '0' && (at[1] == 'x' || at[1] == 'X') ? 16 : 10;
    errno = 0;
    *out = (struct format_reference){0};
    if (isdigit((unsigned char)*at)) {
        out->page = strtoull(at, &end, base);
    }
    int wrong = end == at || errno != 0;
    at = skip_spaces(end);
    if (!wrong && (*at == 'r' || *at == 'w')) {
        out->write = *at == 'w';
        at = skip_spaces(at + 1);
    }
    if (wrong || (*at != 0 && *at != '#')) {
        format_fail(reader, "line %" PRIu64 " is no page number: '%s'; a line holds one, such as "
                    "12 or 0x0c, and perhaps r or w behind it", reader->line, shown(line));
        return -1;
    }
    return 1;
}

static size_t text_read(struct format_reader *reader, struct format_reference *out, size_t limit) {
    return lines_read(reader, out, limit, text_take);
}

static bool text_recognise(const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!isprint(bytes[i]) && !isspace(bytes[i]) && bytes[i] < 0x80) {
            return false;
        }
    }
    return length > 0;
}

const struct format format_text = {
    .name = "text", .text = "a page number a line, 12 or 0x0c, perhaps r or w behind; # comments",
    .end = {".txt", ".text"}, .writes = true, .recognise = text_recognise, .read = text_read,
};

// ---- lackey ----------------------------------------------------------------------------------

// valgrind --tool=lackey --trace-mem=yes: "I  04025310,3", " L 1ffefffe7c,8", " S ...", " M ...":
// address in hexadecimal, size in decimal (Valgrind, lackey/lk_main.c). Its own words begin with
// ==.
static bool lackey_line(const char *line) {
    return (strncmp(line, "I  ", 3) == 0 || strncmp(line, " L ", 3) == 0 ||
            strncmp(line, " S ", 3) == 0 || strncmp(line, " M ", 3) == 0) &&
           isxdigit((unsigned char)line[3]);
}

static int lackey_take(struct format_reader *reader, char *line, struct format_reference *out) {
    (void)out;
    if (strncmp(line, "==", 2) == 0 || strncmp(line, "--", 2) == 0) {
        return 0;
    }
    char *end = line;
    uint64_t address = 0, size = 0;
    errno = 0;
    if (lackey_line(line)) {
        address = strtoull(line + 3, &end, 16);
        size = *end == ',' && isdigit((unsigned char)end[1]) ? strtoull(end + 1, &end, 10) : 0;
    }
    if (size == 0 || size > ACCESS_MAX || errno != 0 || *skip_spaces(end) != 0 ||
        address + size - 1 < address) {
        format_fail(reader, "line %" PRIu64 " is none of lackey's: '%s'; run valgrind with "
                    "--log-file, so that nothing else is mixed in", reader->line, shown(line));
        return -1;
    }
    reader->time += line[0] == 'I';
    reader->write = line[1] == 'S' || line[1] == 'M';
    reader->page = address >> PAGE_SHIFT;
    reader->pages = ((address + size - 1) >> PAGE_SHIFT) - reader->page + 1;
    return 1;
}

// The clock counts instructions. An access that spans pages is a reference to each.
static size_t lackey_read(struct format_reader *reader, struct format_reference *out,
                          size_t limit) {
    for (size_t count = 0;;) {
        for (; reader->pages > 0 && count < limit; count++, reader->page++, reader->pages--) {
            out[count] = (struct format_reference){reader->page, reader->time, 0, reader->write};
        }
        struct format_reference unused;
        if (count == limit) {
            return count;
        }
        if (lines_read(reader, &unused, 1, lackey_take) == 0) {
            return reader->error[0] == 0 ? count : 0;
        }
    }
}

static bool lackey_recognise(const unsigned char *bytes, size_t length) {
    char line[64];
    size_t used = length < sizeof(line) - 1 ? length : sizeof(line) - 1;
    memcpy(line, bytes, used);
    line[used] = 0;
    return (strncmp(line, "==", 2) == 0 && isdigit((unsigned char)line[2])) || lackey_line(line);
}

const struct format format_lackey = {
    .name = "lackey", .text = "what valgrind --tool=lackey --trace-mem=yes prints; pages of 4 KiB",
    .end = {".lackey"}, .writes = true, .recognise = lackey_recognise, .read = lackey_read,
};
