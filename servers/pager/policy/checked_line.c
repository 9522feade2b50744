// SPDX-License-Identifier: MIT
// What a policy did wrong, as one line of text. Formats by hand: there is no libc in the pager.
#include "checked.h"

struct line {
    char *text;
    size_t length, size;
};

static void line_text(struct line *line, const char *text) {
    while (*text != 0 && line->length + 1 < line->size) {
        line->text[line->length++] = *text++;
    }
}

static void line_number(struct line *line, uint32_t number) {
    char digits[11];
    size_t at = sizeof(digits) - 1;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    line_text(line, digits + at);
}

bool checked_fault_take(struct checked *c, char *text, size_t size) {
    if (c->fault.what == NULL || size == 0) {
        return false;
    }
    struct line line = {text, 0, size};
    line_text(&line, "policy ");
    line_text(&line, c->fault.policy);
    line_text(&line, ": ");
    line_text(&line, c->fault.call);
    line_text(&line, ": ");
    if (!c->fault.table) {
        line_text(&line, "slot ");
        line_number(&line, c->fault.slot);
        line_text(&line, " ");
    }
    line_text(&line, c->fault.what);
    line_text(&line, "; going on under ");
    line_text(&line, c->kind->name);
    text[line.length] = 0;
    c->fault.what = NULL;
    return true;
}
