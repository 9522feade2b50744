// SPDX-License-Identifier: MIT
// The command convert: writes a trace of any format in our own, with write bits, tasks and times.
#include "lab.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "output.h"
#include "sim_progress.h"

static const char usage[] =
    "usage: quire-lab convert [--format F] [--collapse] IN OUT\n"
    "Writes the trace IN (any format that `quire-lab sim` reads, - is standard input) to OUT\n"
    "(- is standard output) in the format of docs/trace-format.md.\n"
    "  --format F   what IN is, if contents and name do not tell\n"
    "  --collapse   keep one of references to one page in a row; it writes if any of them did\n";

#define AT_ONCE 1024u

struct conversion {
    const char *format, *in, *out;
    bool collapse;
    FILE *to;
    uint64_t count;
    struct format_reference kept;  // collapse: the last one, not yet written
    bool has_kept;
};

static int refuse(const char *what, const char *name, const char *why) {
    fprintf(stderr, "quire-lab convert: %s%s%s\n", what, name, why);
    return 2;
}

static void write_one(struct conversion *c, const struct format_reference *reference) {
    unsigned char record[FORMAT_OWN_RECORD];
    format_own_record(record, reference);
    fwrite(record, 1, sizeof(record), c->to);
    c->count++;
}

static void take(struct conversion *c, const struct format_reference *reference) {
    if (!c->collapse) {
        write_one(c, reference);
    } else if (c->has_kept && c->kept.page == reference->page && c->kept.task == reference->task) {
        c->kept.write |= reference->write;
    } else {
        if (c->has_kept) {
            write_one(c, &c->kept);
        }
        c->kept = *reference;
        c->has_kept = true;
    }
}

// The header first says that it does not know how many records follow; a file is told at the end,
// standard output never (it may be a pipe, or continue another file).
static void write_header(struct conversion *c) {
    unsigned char header[FORMAT_OWN_HEADER];
    format_own_header(header, c->count);
    if (c->count == 0 || (c->to != stdout && fseek(c->to, 0, SEEK_SET) == 0)) {
        fwrite(header, 1, sizeof(header), c->to);
    }
}

static int convert(struct conversion *c, struct format_reader *reader) {
    struct format_reference reference[AT_ONCE];
    size_t count;
    write_header(c);
    while ((count = format_read(reader, reference, AT_ONCE)) > 0 && !ferror(c->to)) {
        for (size_t i = 0; i < count; i++) {
            take(c, &reference[i]);
        }
        sim_progress("references written", c->count, 0);
    }
    sim_progress_end();
    if (format_error(reader) != NULL) {
        return refuse(format_error(reader), "", "");
    }
    if (c->has_kept) {
        write_one(c, &c->kept);
    }
    write_header(c);
    if (output_end(c->to) != 0) {
        return refuse("cannot write to ", c->out, ": is the disk full?");
    }
    return 0;
}

static int run(struct conversion *c) {
    char error[600];
    struct format_reader *reader = format_open(c->in, c->format, error, sizeof(error));
    if (reader == NULL) {
        return refuse(error, "", "");
    }
    if (output_is_input(c->in, c->out)) {
        format_close(reader);
        return refuse("cannot write to ", c->out, ": that is the trace to read; name another file");
    }
    if (format_name_packed(c->out)) {
        format_close(reader);
        return refuse("cannot write to ", c->out, ": nothing is packed here; leave out that end, or "
                      "write to - and pack it: ... - | xz > FILE");
    }
    c->to = output_open(c->out);
    if (c->to == NULL) {
        format_close(reader);
        return refuse("cannot write to ", c->out, ": name a file in a folder that you may write");
    }
    int status = convert(c, reader);
    format_close(reader);
    return status;
}

int convert_main(int count, char **argument) {
    struct conversion c = {0};
    sim_progress_start(-1);
    for (int i = 1; i < count; i++) {
        if (strcmp(argument[i], "-h") == 0 || strcmp(argument[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argument[i], "--collapse") == 0) {
            c.collapse = true;
        } else if (strcmp(argument[i], "--format") == 0 && i + 1 < count) {
            c.format = argument[++i];
        } else if (strncmp(argument[i], "--format=", 9) == 0) {
            c.format = argument[i] + 9;
        } else if (argument[i][0] == '-' && argument[i][1] != 0) {
            return refuse("unknown option '", argument[i], "'; see `quire-lab convert --help`");
        } else if (c.in == NULL) {
            c.in = argument[i];
        } else if (c.out == NULL) {
            c.out = argument[i];
        } else {
            return refuse("one trace at a time; this name is too much: ", argument[i], "");
        }
    }
    if (c.out == NULL) {
        return refuse("name a trace to read and a file to write: convert IN OUT", "", "");
    }
    return run(&c);
}
