// SPDX-License-Identifier: MIT
// What programs print and the line being edited share one terminal without spoiling each other,
// and the ring never overflows.
#include "servers/console/terminal.h"

#include <string.h>

#include "random.h"
#include "test.h"

#define ERASED "\r\x1b[K"

static struct terminal terminal;
static char taken[BYTE_RING_SIZE + 1];

static const char *take(void) {
    uint32_t length = 0;
    while (byte_ring_used(&terminal.out) > 0) {
        taken[length++] = (char)byte_ring_take(&terminal.out);
    }
    taken[length] = 0;
    return taken;
}

static void print(const char *text) {
    terminal_print(&terminal, text, (uint32_t)strlen(text));
}

static void begin(const char *prompt) {
    terminal_begin(&terminal, prompt, (uint32_t)strlen(prompt));
}

static enum line_result type(const char *keys) {
    enum line_result result = LINE_MORE;
    while (*keys != 0) {
        result = terminal_type(&terminal, (uint8_t)*keys++);
    }
    return result;
}

TEST(terminal_newline, "\\n leaves as \\r\\n, other bytes as they are") {
    memset(&terminal, 0, sizeof terminal);
    print("a\nb\xff\n");
    CHECK_TEXT(take(), "a\r\nb\xff\r\n");
}

TEST(terminal_prompt_row, "a prompt begins on a row of its own") {
    memset(&terminal, 0, sizeof terminal);
    print("half");
    begin("> ");
    CHECK_TEXT(take(), "half\r\n> ");
}

TEST(terminal_no_prompt, "without a prompt the row as printed is the prompt") {
    memset(&terminal, 0, sizeof terminal);
    print("name? ");
    begin("");
    CHECK_TEXT(take(), "name? ");
    type("ab\x1b[D");
    CHECK_TEXT(take(), "ab\rname? ab\x1b[K\x1b[01D");
}

TEST(terminal_print_while_editing, "output during a line erases it and draws it again below") {
    memset(&terminal, 0, sizeof terminal);
    begin("> ");
    type("ls");
    take();
    print("news\n");
    CHECK_TEXT(take(), ERASED "news\r\n\r> ls\x1b[K");
    print("more ");
    CHECK_TEXT(take(), ERASED "more ");
    print("and more\n");
    CHECK_TEXT(take(), "and more\r\n\r> ls\x1b[K");
    CHECK(type("!\r") == LINE_DONE);
    CHECK_EQUAL(terminal.edit.text.length, 3);
}

TEST(terminal_type_after_half, "a key after half a row of output gets a row of its own") {
    memset(&terminal, 0, sizeof terminal);
    begin("> ");
    print("half");
    take();
    type("x");
    CHECK_TEXT(take(), "\r\n\r> \x1b[Kx");
}

TEST(terminal_abandon, "a line given up leaves an empty row, the next one starts afresh") {
    memset(&terminal, 0, sizeof terminal);
    begin("> ");
    type("rm");
    take();
    terminal_abandon(&terminal);
    CHECK_TEXT(take(), ERASED);
    begin("$ ");
    CHECK_TEXT(take(), "$ ");
    CHECK(type("\r") == LINE_DONE && terminal.edit.text.length == 0);
}

// Calls each function whenever the room that it asks for is there, and takes as little as a slow
// line would.
TEST(terminal_room, "whoever waits for room as told never overflows the ring") {
    static const char keys[] = "ab \x1b[A\x1b[D\x0c\x17\x7f\r";
    char text[TERMINAL_PRINT_MAX];
    uint32_t seed = 7, typed = 0, printed = 0;
    memset(text, '\n', sizeof text);
    memset(&terminal, 0, sizeof terminal);
    for (uint32_t i = 0; i < 300000; i++) {
        uint32_t room = byte_ring_room(&terminal.out), choice = random_next(&seed) % 16;
        if (choice < 4 && room >= TERMINAL_ROOM_PRINT) {
            terminal_print(&terminal, text, random_next(&seed) % (sizeof text + 1));
            CHECK(byte_ring_room(&terminal.out) >= TERMINAL_ROOM_TYPE);
            printed++;
        } else if (!terminal.editing && room >= TERMINAL_ROOM_TYPE) {
            terminal_begin(&terminal, text, choice * 8);
        } else if (terminal.editing && choice == 15) {
            terminal_abandon(&terminal);
        } else if (terminal.editing && room >= TERMINAL_ROOM_TYPE) {
            terminal_type(&terminal, (uint8_t)keys[random_next(&seed) % (sizeof keys - 1)]);
            typed++;
        }
        CHECK(byte_ring_used(&terminal.out) <= BYTE_RING_SIZE);
        for (uint32_t n = random_next(&seed) % 200; n > 0 && byte_ring_used(&terminal.out); n--) {
            byte_ring_take(&terminal.out);
        }
    }
    CHECK(typed > 1000 && printed > 1000);
}
