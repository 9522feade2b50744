// SPDX-License-Identifier: MIT
// Runs the collected tests and prints TAP. One line is composed in memory and printed at once, so
// that other writers cannot break it. Does not know where the text goes, and keeps no time: who
// started the run puts a limit on it.
#include "test.h"

extern const struct test *const __start_tests[];
extern const struct test *const __stop_tests[];

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_SKIP };

static struct {
    char text[512];
    size_t length;
} line, reason;

static const char *case_name;
static enum outcome outcome;
static void *escape[5];  // where a failed check continues

static void line_text(const char *text) {
    for (; *text != 0 && line.length < sizeof(line.text) - 1; text++) {
        // A newline would end the TAP line early.
        line.text[line.length++] = *text == '\n' ? ' ' : *text;
    }
}

static void line_number(int64_t number) {
    char digits[24];
    size_t at = sizeof(digits) - 1;
    // Negated bit by bit, for the most negative number has no positive counterpart.
    uint64_t left = number < 0 ? ~(uint64_t)number + 1 : (uint64_t)number;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left != 0);
    if (number < 0) {
        digits[--at] = '-';
    }
    line_text(digits + at);
}

static void line_print(void) {
    line.text[line.length++] = '\n';
    test_print(line.text, line.length);
    line.length = 0;
}

// The reason is composed in `line` and kept until the result is known.
static void reason_keep(void) {
    for (size_t i = 0; i < line.length; i++) {
        reason.text[i] = line.text[i];
    }
    reason.text[line.length] = 0;
    line.length = 0;
}

static const char *path_shorten(const char *path) {
    while (path[0] == '.' && path[1] == '.' && path[2] == '/') {
        path += 3;
    }
    return path;
}

static void fail_place(const char *file, int at) {
    line.length = 0;
    line_text(path_shorten(file));
    line_text(":");
    line_number(at);
    line_text(": ");
    if (case_name != NULL) {
        line_text("[");
        line_text(case_name);
        line_text("] ");
    }
}

__attribute__((noreturn)) static void test_leave(enum outcome how) {
    reason_keep();
    outcome = how;
    __builtin_longjmp(escape, 1);
}

void test_case(const char *name) {
    case_name = name;
}

void test_fail(const char *file, int at, const char *what) {
    fail_place(file, at);
    line_text(what);
    test_leave(OUTCOME_FAIL);
}

void test_skip(const char *why) {
    line.length = 0;
    line_text(why);
    test_leave(OUTCOME_SKIP);
}

void test_equal(int64_t actual, int64_t expected, const char *file, int at, const char *what) {
    if (actual == expected) {
        return;
    }
    fail_place(file, at);
    line_text(what);
    line_text(" (");
    line_number(actual);
    line_text(", not ");
    line_number(expected);
    line_text(")");
    test_leave(OUTCOME_FAIL);
}

void test_text_equal(const char *actual, const char *expected, const char *file, int at,
                     const char *what) {
    size_t i = 0;
    while (actual[i] != 0 && actual[i] == expected[i]) {
        i++;
    }
    if (actual[i] == expected[i]) {
        return;
    }
    fail_place(file, at);
    line_text(what);
    line_text(" (it is: ");
    line_text(actual);
    line_text(")");
    test_leave(OUTCOME_FAIL);
}

// A frame of its own: __builtin_longjmp may only leave functions that the one with
// __builtin_setjmp has called.
__attribute__((noinline)) static void test_try(void (*run)(void)) {
    outcome = OUTCOME_PASS;
    case_name = NULL;
    reason.text[0] = 0;
    if (__builtin_setjmp(escape) == 0) {
        run();
    }
}

// Returns 1 if it failed.
static int test_one(int number, const char *name, const char *sentence, void (*run)(void)) {
    test_try(run);
    line.length = 0;
    line_text(outcome == OUTCOME_FAIL ? "not ok " : "ok ");
    line_number(number);
    line_text(" - ");
    line_text(name);
    line_text(": ");
    line_text(sentence);
    if (outcome != OUTCOME_PASS) {
        line_text(outcome == OUTCOME_SKIP ? " # SKIP " : ": ");
        line_text(reason.text);
    }
    line_print();
    return outcome == OUTCOME_FAIL;
}

static int text_begins(const char *text, const char *start) {
    while (*start != 0 && *text == *start) {
        text++;
        start++;
    }
    return *start == 0;
}

static int text_same(const char *a, const char *b) {
    return text_begins(a, b) && text_begins(b, a);
}

// A test of just this name is meant alone, whatever others begin with it.
static int test_is_named(const char *only) {
    for (const struct test *const *at = __start_tests; only != NULL && at < __stop_tests; at++) {
        if (text_same((*at)->name, only)) {
            return 1;
        }
    }
    return 0;
}

static const struct test *test_next(const struct test *const **at, const char *only, int exact) {
    while (*at < __stop_tests) {
        const struct test *test = *(*at)++;
        if (only == NULL || (exact ? text_same(test->name, only) : text_begins(test->name, only))) {
            return test;
        }
    }
    return NULL;
}

static void line_tap(const char *text, int number, const char *more) {
    line_text(text);
    line_number(number);
    line_text(more);
    line_print();
}

int test_run(const char *only, void (*suite_end)(void)) {
    const struct test *const *at = __start_tests;
    int number = 0, failed = 0, exact = test_is_named(only);
    const struct test *test = test_next(&at, only, exact);
    line_tap("TAP version ", 13, "");
    while (test != NULL) {
        const struct test *next = test_next(&at, only, exact);
        failed += test_one(++number, test->name, test->sentence, test->run);
        if (suite_end != NULL && (next == NULL || !text_same(next->file, test->file))) {
            failed += test_one(++number, "suite_end", path_shorten(test->file), suite_end);
        }
        test = next;
    }
    line_tap("1..", number, number == 0 ? " # SKIP no test has such a name" : "");
    return number == 0 ? 1 : failed;
}

void test_list(void) {
    for (const struct test *const *at = __start_tests; at < __stop_tests; at++) {
        line_text((*at)->name);
        line_text("\t");
        line_text((*at)->sentence);
        line_print();
    }
}
