// SPDX-License-Identifier: MIT
#include "sim_print.h"

#include <string.h>

void sim_print_header(FILE *to, bool writes) {
    fprintf(to, "trace,frames,policy,misses%s\n", writes ? ",writebacks" : "");
}

// A comma or a quote in a file's name must not break the CSV.
static void print_field(FILE *to, const char *text) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (; *text != 0; text++) {
        if (*text == '"') {
            putc('"', to);
        }
        putc(*text, to);
    }
    putc('"', to);
}

void sim_print_row(FILE *to, const char *trace, const struct sim_row *row, bool writes) {
    print_field(to, trace);
    fprintf(to, ",%u,%s,%u", row->frames, row->choice->name, row->result.misses);
    if (writes) {
        fprintf(to, ",%u", row->result.writebacks);
    }
    putc('\n', to);
}
