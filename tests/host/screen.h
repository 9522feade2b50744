// SPDX-License-Identifier: MIT
// A terminal of one row, which reads what the console's line editor writes.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "servers/console/line_edit.h"

struct screen {
    char row[LINE_COLUMNS + 1];  // of a UTF-8 character the first byte stands for all
    uint32_t column, rows, bells;
    bool wrapped;  // something was written past the last column
    char above[LINE_COLUMNS + 1];  // the row before
};

void screen_clear(struct screen *screen);
// Show this text; an escape sequence that is not known fails the test.
void screen_read(struct screen *screen, const char *text, uint32_t length);
