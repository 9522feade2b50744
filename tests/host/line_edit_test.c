// SPDX-License-Identifier: MIT
// The console's line editor: hostile bytes break no law, keys do what the manual says, and what it
// draws is what a terminal then shows.
#include "servers/console/line_edit.h"

#include <string.h>

#include "random.h"
#include "screen.h"
#include "test.h"

#define PROMPT "quire> "
#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"
#define HOME "\x1b[H"
#define END "\x1b[F"

static struct line_edit edit;
static struct screen screen;

static void show(void) {
    screen_read(&screen, edit.out, edit.out_length);
    edit.out_length = 0;
}

static void begin(void) {
    memset(&edit, 0, sizeof edit);
    screen_clear(&screen);
    line_edit_start(&edit, PROMPT, strlen(PROMPT), 0);
    show();
}

static enum line_result feed_byte(uint8_t byte) {
    enum line_result result = line_edit_byte(&edit, byte);
    CHECK(line_edit_check(&edit));
    show();
    CHECK(!screen.wrapped);
    return result;
}

static enum line_result feed(const char *keys) {
    enum line_result result = LINE_MORE;
    for (; *keys != 0 && result == LINE_MORE; keys++) {
        result = feed_byte((uint8_t)*keys);
    }
    CHECK(*keys == 0);
    return result;
}

static const char *text(void) {
    static char copy[LINE_TEXT_MAX + 1];
    memcpy(copy, edit.text.byte, edit.text.length);
    copy[edit.text.length] = 0;
    return copy;
}

static void enter(const char *line) {
    feed(line);
    CHECK(feed_byte('\r') == LINE_DONE);
    line_edit_start(&edit, PROMPT, strlen(PROMPT), 0);
    show();
}

// Type these keys on a fresh line, then Enter: the line must be this.
static void expect(const char *keys, const char *line) {
    begin();
    test_case(line);
    feed(keys);
    CHECK(feed_byte('\r') == LINE_DONE);
    CHECK_TEXT(text(), line);
}

static void expect_row(const char *row, uint32_t column) {
    char padded[LINE_COLUMNS + 1] = {0};
    memset(padded, ' ', LINE_COLUMNS);
    memcpy(padded, row, strlen(row));
    CHECK_TEXT(screen.row, padded);
    CHECK_EQUAL(screen.column, column);
}

// ---- rejections ------------------------------------------------------------------------------
TEST(line_too_long, "a line longer than the limit is refused with a bell, not handed on cut") {
    begin();
    for (uint32_t i = 0; i < LINE_TEXT_MAX; i++) {
        CHECK(feed_byte('x') == LINE_MORE);
    }
    CHECK(screen.bells == 0);
    CHECK(feed_byte('y') == LINE_MORE && screen.bells == 1);
    CHECK(edit.text.length == LINE_TEXT_MAX);
    CHECK(feed_byte('\r') == LINE_MORE && screen.bells == 2);
    CHECK(edit.text.length == 0 && strstr(screen.above, "refused") != NULL);
    CHECK(feed("ok\r") == LINE_DONE);
    CHECK_TEXT(text(), "ok");
}

TEST(line_too_long_mended, "after a deletion an over-long line may be entered") {
    begin();
    for (uint32_t i = 0; i <= LINE_TEXT_MAX; i++) {
        feed_byte('x');
    }
    CHECK(feed("\x7f\r") == LINE_DONE);
    CHECK(edit.text.length == LINE_TEXT_MAX - 1);
}

TEST(line_escapes_unknown, "unknown escape sequences leave no trace") {
    expect("a\x1b[31mb", "ab");
    expect("a\x1b[1;5Cb", "ab");
    expect("a\x1b[200~b\x1b[201~", "ab");
    expect("a\x1bOPb\x1bxc", "abc");
    expect("a\x1b\x1b[Db", "ba");
    expect("a\x1b[99999999999999999999Qb", "ab");
    expect("a\x1b[\xff" "b", "ab");
}

TEST(line_escape_cut, "a control key inside an escape sequence ends the sequence and works") {
    expect("ab\x1b[\x01" "c", "cab");
    expect("ab\x1b[3\x03" "c", "c");
    begin();
    CHECK(feed("ab\x1b\r") == LINE_DONE);
    CHECK_TEXT(text(), "ab");
}

TEST(line_control_ignored, "control characters without a meaning do not enter the line") {
    expect("a\x07\x0f\x11\x13\x1c\x1f" "b", "ab");
    begin();
    feed_byte('a');
    feed_byte(0);
    CHECK_EQUAL(edit.text.length, 1);
}

TEST(line_edges_bell, "at the edges keys ring the bell and change nothing") {
    begin();
    feed("\x7f" "\x0b" "\x15" "\x17" UP DOWN "\x1b[3~");
    CHECK_EQUAL(screen.bells, 7);
    feed(LEFT RIGHT HOME END);
    CHECK_EQUAL(edit.text.length, 0);
    expect_row(PROMPT, strlen(PROMPT));
}

TEST(line_prompt_hostile, "a prompt with control characters or too many bytes does no harm") {
    char prompt[200];
    memset(prompt, 'p', sizeof prompt);
    memcpy(prompt, "a\x1b[2J\n\r\x7f", 8);
    begin();
    line_edit_start(&edit, prompt, sizeof prompt, 0);
    screen_read(&screen, "\n", 1);
    screen.column = 0;
    show();
    CHECK(edit.prompt_length == LINE_PROMPT_MAX);
    CHECK(memcmp(screen.row, "a?[2J???ppp", 11) == 0);
    feed("some text that is longer than what is left of the row");
    CHECK(feed_byte('\r') == LINE_DONE);
    line_edit_start(&edit, prompt, 3, 70);
    CHECK(edit.out_length == 0);
}

// What the screen must show: the prompt, and a window of the text that the cursor lies in.
static void check_screen(void) {
    uint32_t columns = 0, before = 0;
    for (uint32_t i = 0; i < edit.text.length; i++) {
        bool start = i == 0 || ((uint8_t)edit.text.byte[i] & 0xc0) != 0x80;
        columns += start;
        before += start && i < edit.cursor;
    }
    CHECK(memcmp(screen.row, PROMPT, strlen(PROMPT)) == 0);
    CHECK(screen.column >= strlen(PROMPT) && screen.column < LINE_COLUMNS);
    if (columns + strlen(PROMPT) < LINE_COLUMNS) {
        CHECK_EQUAL(screen.column, strlen(PROMPT) + before);
    }
}

TEST(line_garbage, "of 300,000 random bytes and keys none breaks a law or the screen") {
    static const char *const keys[] = {UP, DOWN, LEFT, LEFT, RIGHT, HOME, END, "\x1b[3~", "\x1b[",
                                       "word ", "\xc3\xa9", "\xe2\x82\xac", "\x7f", "\x17", "\n"};
    uint32_t seed = 20250101, done = 0, ended = 0;
    begin();
    for (uint32_t i = 0; i < 300000; i++) {
        char byte[2] = {(char)random_next(&seed), 0};
        uint32_t choice = random_next(&seed) % 40;
        const char *key = choice < sizeof keys / sizeof keys[0] ? keys[choice] : byte;
        for (; *key != 0; key++) {
            enum line_result result = feed_byte((uint8_t)*key);
            done += result == LINE_DONE;
            ended += result == LINE_END;
            if (result != LINE_MORE) {
                CHECK(!edit.shown && screen.column == 0);
                line_edit_start(&edit, PROMPT, strlen(PROMPT), 0);
                show();
            }
            // Text without its start byte merges with what stands before it on a terminal.
            bool stray = edit.text.length > 0 && ((uint8_t)edit.text.byte[0] & 0xc0) == 0x80;
            if (!stray) {
                check_screen();
            }
        }
    }
    CHECK(done > 1000 && ended > 10);
}

// ---- what the keys do ------------------------------------------------------------------------
TEST(line_plain, "plain bytes make a line, echoed byte for byte") {
    begin();
    feed("policy sieve");
    expect_row(PROMPT "policy sieve", 19);
    CHECK(feed_byte('\r') == LINE_DONE);
    CHECK_TEXT(text(), "policy sieve");
    CHECK_EQUAL(screen.rows, 1);
}

TEST(line_ends, "\\r, \\n and \\r\\n each end one line") {
    begin();
    CHECK(feed_byte('\r') == LINE_DONE);
    line_edit_start(&edit, PROMPT, strlen(PROMPT), 0);
    CHECK(feed_byte('\n') == LINE_MORE);
    CHECK(feed_byte('\n') == LINE_DONE);
    line_edit_start(&edit, PROMPT, strlen(PROMPT), 0);
    CHECK(feed("a\n") == LINE_DONE);
    CHECK_TEXT(text(), "a");
}

TEST(line_moves, "arrows, Home, End and their control keys move the cursor") {
    expect("bc" LEFT LEFT "a" END "d", "abcd");
    expect("bc" HOME "a" RIGHT RIGHT "d", "abcd");
    expect("bc\x01" "a\x05" "d", "abcd");
    expect("bc\x02\x02" "a\x06\x06" "d", "abcd");
    expect("bc\x1bOH" "a\x1bOF" "d", "abcd");
    expect("bc\x1b[1~" "a\x1b[4~" "d", "abcd");
    expect("bc\x1b[7~" "a\x1b[8~" "d", "abcd");
}

TEST(line_deletes, "Backspace, Delete, ^D, ^K, ^U and ^W delete what they should") {
    expect("abx\x7f" "c", "abc");
    expect("abx\x08" "c", "abc");
    expect("xabc" HOME "\x1b[3~", "abc");
    expect("xabc" HOME "\x04", "abc");
    expect("abcxyz" LEFT LEFT LEFT "\x0b", "abc");
    expect("xyzabc" LEFT LEFT LEFT "\x15", "abc");
    expect("one two  \x17" "three", "one three");
    expect("one two" LEFT "\x17", "one o");
}

TEST(line_utf8, "a UTF-8 character is one step, one column and deleted whole") {
    expect("a\xc3\xa9\xe2\x82\xac" LEFT LEFT "b", "ab\xc3\xa9\xe2\x82\xac");
    expect("a\xe2\x82\xac\x7f" "b", "ab");
    expect("\xc3\xa9" "b" HOME "\x04", "b");
    begin();
    feed("\xc3\xa9\xc3\xa8" LEFT);
    CHECK_EQUAL(screen.column, strlen(PROMPT) + 1);
}

TEST(line_end_of_input, "^D on an empty line is the end of input") {
    begin();
    CHECK(feed_byte(4) == LINE_END);
    begin();
    CHECK(feed("x\x7f\x04") == LINE_END);
}

TEST(line_cancel, "^C gives the line up and shows a fresh prompt") {
    begin();
    feed("rubbish" LEFT "\x03");
    expect_row(PROMPT, strlen(PROMPT));
    CHECK(memcmp(screen.above, PROMPT "rubbis^C", 15) == 0);
    CHECK(feed("good\r") == LINE_DONE);
    CHECK_TEXT(text(), "good");
}

TEST(line_clear_screen, "^L clears the screen and draws the line again") {
    begin();
    feed("some text" LEFT LEFT "\x0c");
    expect_row(PROMPT "some text", strlen(PROMPT) + 7);
}

TEST(line_history, "lines come back with Up, newest first, and the draft with Down") {
    begin();
    enter("first");
    enter("second");
    enter("second");
    enter("");
    feed("draft" UP);
    CHECK_TEXT(text(), "second");
    feed(UP);
    CHECK_TEXT(text(), "first");
    expect_row(PROMPT "first", strlen(PROMPT) + 5);
    feed(UP);
    CHECK_TEXT(text(), "first");
    CHECK_EQUAL(screen.bells, 1);
    feed(DOWN DOWN);
    CHECK_TEXT(text(), "draft");
    CHECK(feed(UP UP "!\r") == LINE_DONE);
    CHECK_TEXT(text(), "first!");
}

TEST(line_history_full, "the newest 32 lines are kept, and no older one can be reached") {
    char line[3] = "00";
    begin();
    for (int i = 0; i < 50; i++) {
        line[0] = (char)('0' + i / 10);
        line[1] = (char)('0' + i % 10);
        enter(line);
    }
    for (uint32_t i = 0; i < LINE_HISTORY + 5; i++) {
        feed(UP);
    }
    CHECK_TEXT(text(), "18");
    CHECK_EQUAL(screen.bells, 5);
}

TEST(line_scrolls, "a line wider than the terminal scrolls sideways around the cursor") {
    begin();
    for (int i = 0; i < 100; i++) {
        feed_byte((uint8_t)('a' + i % 26));
    }
    CHECK(screen.column == LINE_COLUMNS - 1 && screen.row[LINE_COLUMNS - 2] == 'a' + 99 % 26);
    feed(HOME);
    CHECK(memcmp(screen.row, PROMPT "abcdefg", 14) == 0 && screen.column == strlen(PROMPT));
    CHECK(feed_byte('\r') == LINE_DONE);
    CHECK_EQUAL(edit.text.length, 100);
}

TEST(line_hide, "a hidden line leaves the row empty and comes back unchanged") {
    begin();
    feed("half a line" LEFT LEFT);
    line_edit_hide(&edit);
    show();
    expect_row("", 0);
    line_edit_hide(&edit);
    CHECK(edit.out_length == 0);
    line_edit_show(&edit);
    show();
    expect_row(PROMPT "half a line", strlen(PROMPT) + 9);
    line_edit_show(&edit);
    CHECK(edit.out_length == 0);
}

TEST(line_visible, "of a prompt that is on the screen already nothing is written twice") {
    begin();
    line_edit_start(&edit, "name? ", 6, 6);
    CHECK(edit.out_length == 0);
    line_edit_start(&edit, "name? ", 6, 4);
    CHECK(edit.out_length == 2 && memcmp(edit.out, "? ", 2) == 0);
}
