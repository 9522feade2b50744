// SPDX-License-Identifier: MIT
// A terminal of one row: see screen.h.
#include "screen.h"

#include <string.h>

#include "test.h"

void screen_clear(struct screen *screen) {
    *screen = (struct screen){0};
    memset(screen->row, ' ', LINE_COLUMNS);
}

static void screen_put(struct screen *screen, char byte) {
    if (((uint8_t)byte & 0xc0) == 0x80) {
        return;
    }
    screen->wrapped |= screen->column >= LINE_COLUMNS;
    if (screen->column < LINE_COLUMNS) {
        screen->row[screen->column++] = byte;
    }
}

static void screen_line(struct screen *screen) {
    memcpy(screen->above, screen->row, sizeof screen->row);
    memset(screen->row, ' ', LINE_COLUMNS);
    screen->rows++;
}

// One escape sequence; returns the place behind it.
static uint32_t screen_escape(struct screen *screen, const char *text, uint32_t at) {
    uint32_t number = 0;
    CHECK(text[at + 1] == '[');
    for (at += 2; text[at] >= '0' && text[at] <= '9'; at++) {
        number = number * 10 + (uint32_t)(text[at] - '0');
    }
    switch (text[at]) {
    case 'K':
        memset(screen->row + screen->column, ' ', LINE_COLUMNS - screen->column);
        break;
    case 'D':
        CHECK(number > 0 && number <= screen->column);
        screen->column -= number;
        break;
    case 'H':
        screen->column = 0;
        break;
    case 'J':
        memset(screen->row, ' ', LINE_COLUMNS);
        break;
    default:
        CHECK(!"the editor wrote an unknown escape sequence");
    }
    return at + 1;
}

void screen_read(struct screen *screen, const char *text, uint32_t length) {
    for (uint32_t at = 0; at < length;) {
        char byte = text[at];
        if (byte == '\x1b') {
            at = screen_escape(screen, text, at);
            continue;
        }
        if (byte == '\r') {
            screen->column = 0;
        } else if (byte == '\n') {
            screen_line(screen);
        } else if (byte == '\a') {
            screen->bells++;
        } else {
            screen_put(screen, byte);
        }
        at++;
    }
}
