// SPDX-License-Identifier: MIT
// The console as programs see it: wrong messages are refused and change nothing, right ones are
// answered, and a reader that dies does not keep the keyboard. What people see is tested from
// outside (tests/system/session_test.py).
#include <string.h>

#include "../test.h"
#include "stubs.h"

#define CONSOLE HANDLE(SLOT_CONSOLE)
#define INIT HANDLE(SLOT_INIT)

TEST(console_unknown_message, "a message that the console does not know is refused") {
    CHECK_EQUAL(ipc_call(CONSOLE, INTERFACE_console << 8 | 99, NULL, 0, NULL, 0, 0), E_MESSAGE);
    CHECK_EQUAL(ipc_call(CONSOLE, LABEL_pager_stats, NULL, 0, NULL, 0, 0), E_MESSAGE);
}

TEST(console_wrong_length, "messages with too few or too many words are refused") {
    uint32_t words[TAG_WORDS_MAX] = {0};
    for (uint32_t count = 0; count <= TAG_WORDS_MAX; count++) {
        if (count != WORDS_console_write) {
            CHECK_EQUAL(ipc_call(CONSOLE, LABEL_console_write, words, count, NULL, 0, 0), E_LENGTH);
        }
        if (count != WORDS_console_read_line) {
            CHECK_EQUAL(ipc_call(CONSOLE, LABEL_console_read_line, words, count, NULL, 0, 0),
                        E_LENGTH);
        }
    }
    CHECK_EQUAL(ipc_call(CONSOLE, LABEL_console_flush, words, 1, NULL, 0, 0), E_LENGTH);
}

TEST(console_text_too_long, "a text that claims more bytes than a message holds is refused") {
    static const uint32_t lengths[] = {TEXT_BYTES + 1, 0x7fffffff, 0x80000000, 0xffffffff};
    field_text text = {0};
    struct console_read_line_out out;
    for (uint32_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        text.length = lengths[i];
        CHECK_EQUAL(console_write(CONSOLE, text), E_ARGUMENT);
        CHECK_EQUAL(console_read_line(CONSOLE, text, &out), E_ARGUMENT);
    }
}

TEST(console_forget_denied, "only init may drop another task's reads") {
    CHECK_EQUAL(console_forget(CONSOLE, 16), E_DENIED);
}

TEST(console_write_full, "texts of 0 and of 224 bytes are printed, and flush is answered") {
    field_text text = {.length = 0};
    CHECK_EQUAL(console_write(CONSOLE, text), OK);
    memset(text.bytes, '#', TEXT_BYTES);
    text.bytes[TEXT_BYTES - 1] = '\n';
    text.length = TEXT_BYTES;
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQUAL(console_write(CONSOLE, text), OK);
    }
    CHECK_EQUAL(console_flush(CONSOLE), OK);
}

TEST(console_writer_dies, "writers that are killed leave nothing that waits") {
    for (uint32_t i = 0; i < 20; i++) {
        struct init_spawn_out writer[4];
        for (uint32_t n = 0; n < 4; n++) {
            CHECK_EQUAL(init_spawn(INIT, text_of("rogue print"), &writer[n]), OK);
        }
        CHECK_EQUAL(console_write(CONSOLE, text_of("\n# among others\n")), OK);
        for (uint32_t n = 0; n < 4; n++) {
            CHECK_EQUAL(init_kill(INIT, writer[n].task), OK);
        }
        CHECK_EQUAL(console_flush(CONSOLE), OK);
    }
    CHECK_EQUAL(console_write(CONSOLE, text_of("\n# after them\n")), OK);
}

TEST(console_reader_dies, "readers that are killed leave the console usable") {
    for (uint32_t i = 0; i < 5; i++) {
        struct init_spawn_out reader[2];
        struct init_wait_out end;
        for (uint32_t n = 0; n < 2; n++) {  // the first has the keyboard, the second waits for it
            CHECK_EQUAL(init_spawn(INIT, text_of("shell"), &reader[n]), OK);
        }
        CHECK_EQUAL(console_write(CONSOLE, text_of("# while a line is edited\n")), OK);
        for (uint32_t n = 0; n < 2; n++) {
            CHECK_EQUAL(init_kill(INIT, reader[i % 2 == 0 ? n : 1 - n].task), OK);
            CHECK_EQUAL(init_wait(INIT, reader[i % 2 == 0 ? n : 1 - n].task, &end), OK);
            CHECK_EQUAL(end.cause, CAUSE_KILLED);
        }
        CHECK_EQUAL(console_write(CONSOLE, text_of("\n# and after it\n")), OK);
        CHECK_EQUAL(console_flush(CONSOLE), OK);
    }
}
