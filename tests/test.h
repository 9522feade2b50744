// SPDX-License-Identifier: MIT
// The whole interface of a test, the same for host and guest:
//
//   TEST(list_is_empty, "a new list is empty") {
//       CHECK(list_length(&list) == 0);
//   }
//
// Tests collect themselves in the linker section "tests" (no registration) and run in link order;
// run.c prints TAP. A failed check ends its test at once, also from inside helper functions, and
// its text stands in the "not ok" line itself. Needs no libc.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct test {
    const char *name;
    const char *sentence;  // what holds when the test passes
    const char *file;      // tests of one file are one suite
    void (*run)(void);
};

// GCC turns the order of statics round at -O2; Clang keeps it and does not know the word.
#ifdef __clang__
#define TEST_ORDERED
#else
#define TEST_ORDERED no_reorder,
#endif

// Pointers, not structs, stand in the section: a compiler may pad structs, never pointers.
#define TEST(name, sentence)                                                            \
    static void test_##name(void);                                                      \
    static const struct test test_of_##name = {#name, sentence, __FILE__, test_##name}; \
    __attribute__((TEST_ORDERED used, section("tests")))                                \
    static const struct test *const test_at_##name = &test_of_##name;                   \
    static void test_##name(void)

// The expression must hold.
#define CHECK(expression) \
    ((expression) ? (void)0 : test_fail(__FILE__, __LINE__, #expression))

// Two integers must be equal; a failure shows both.
#define CHECK_EQUAL(actual, expected)                                                    \
    test_equal((int64_t)(actual), (int64_t)(expected), __FILE__, __LINE__, #actual " == " #expected)

// Two strings must be equal; a failure shows the first.
#define CHECK_TEXT(actual, expected) \
    test_text_equal((actual), (expected), __FILE__, __LINE__, #actual " is " #expected)

// Ends the test as skipped, with the reason in its "ok" line.
#define SKIP(reason) test_skip(reason)

// Names the case being tried (a policy, a seed): it is added to the text of a failure. The string
// must live until the test ends; NULL takes the name away, as does the end of the test.
void test_case(const char *name);

__attribute__((noreturn)) void test_fail(const char *file, int line, const char *what);
__attribute__((noreturn)) void test_skip(const char *reason);
void test_equal(int64_t actual, int64_t expected, const char *file, int line, const char *what);
void test_text_equal(const char *actual, const char *expected, const char *file, int line,
                     const char *what);

// Runs the test called `only`, or if there is none all whose name begins so (NULL or "": all). After the last test of each file
// suite_end runs as a test of its own (NULL: nothing to look after). Returns how many failed; no
// test at all is one failure.
int test_run(const char *only, void (*suite_end)(void));

// Prints name, tab, sentence of each test: docs/status.md is checked against it.
void test_list(void);

// Supplied by the environment: writes to where TAP is read.
void test_print(const char *text, size_t length);

// Supplied by the guest environment: the checks that every suite ends with (frame_check, no frame
// lost), written with CHECK.
void test_suite_end(void);
