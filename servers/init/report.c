// SPDX-License-Identifier: MIT
// Lines and last words: see report.h.
#include "report.h"

#include "early.h"
#include "init.h"

#define STATUS_ERROR 2u

static int console_alive;

void report_console(int alive) {
    console_alive = alive;
}

static void print(const field_text *line, int everywhere) {
    (void)!machine_log(HANDLE(SLOT_MACHINE), *line);
    if (!everywhere) {
        return;
    }
    if (!console_alive || console_write(HANDLE(SLOT_CONSOLE), *line) != OK) {
        early_print(line);
    }
}

static void print_list(const char *prefix, const char *first, va_list list, int everywhere) {
    field_text line;
    text_clear(&line);
    text_join(&line, prefix, first, NULL);
    text_join_list(&line, list);
    line.length = MIN_OF(line.length, TEXT_BYTES - 2);  // a cut line still ends
    text_add(&line, "\n");
    print(&line, everywhere);
}

void report(const char *first, ...) {
    va_list list;
    va_start(list, first);
    print_list("quire: ", first, list, 1);
    va_end(list);
}

void report_log(const char *first, ...) {
    va_list list;
    va_start(list, first);
    print_list("quire: ", first, list, 0);
    va_end(list);
}

void fatal(const char *first, ...) {
    va_list list;
    va_start(list, first);
    print_list("quire: error: ", first, list, 1);
    va_end(list);
    report_off(STATUS_ERROR);
}

void must(error_t error, const char *what) {
    if (error != OK) {
        fatal("cannot ", what, ": ", error_text(error), NULL);
    }
}

void report_off(uint32_t status) {
    field_text line;
    text_clear(&line);
    text_add(&line, "quire: off status=");
    text_add_number(&line, status);
    text_add(&line, "\n");
    print(&line, 1);
    if (console_alive) {
        (void)!console_flush(HANDLE(SLOT_CONSOLE));
    }
    early_end(status == 0);
    for (;;) {  // a machine that cannot be ended: stay, and take no time
        struct received received;
        ipc_receive(0, &received);
    }
}
