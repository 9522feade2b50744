// SPDX-License-Identifier: MIT
// The terminal as its users share it: what programs print, and the line being edited below it.
// Pure, like the line editor: output goes to a ring, input comes byte by byte.
#pragma once
#include "byte_ring.h"
#include "line_edit.h"

#define TERMINAL_PRINT_MAX 224u  // bytes printed at once

// Room in the ring that a call needs. Printing leaves enough for typing, so that a flood of output
// never shuts the keyboard out.
#define TERMINAL_ROOM_ABANDON 8u
#define TERMINAL_ROOM_TYPE (LINE_OUT_MAX + 2 + TERMINAL_ROOM_ABANDON)
#define TERMINAL_ROOM_PRINT (TERMINAL_ROOM_TYPE + LINE_OUT_MAX + 2 * TERMINAL_PRINT_MAX)
_Static_assert(TERMINAL_ROOM_TYPE + TERMINAL_ROOM_PRINT < BYTE_RING_SIZE, "both fit the ring");

struct terminal {
    struct byte_ring out;
    struct line_edit edit;
    bool editing;          // a line is being read; edit.shown says whether it is on the screen
    uint32_t tail_length;  // bytes printed since the last newline
    char tail[LINE_PROMPT_MAX];  // the first of them
};

// Print bytes (at most TERMINAL_PRINT_MAX): \n becomes \r\n, and the line being edited steps aside
// until the output stands at the beginning of a row again. Expects TERMINAL_ROOM_PRINT.
void terminal_print(struct terminal *terminal, const char *bytes, uint32_t length);

// Begin to read a line. A prompt starts on a row of its own; without one, what was printed last on
// this row serves as the prompt. Expects TERMINAL_ROOM_TYPE.
void terminal_begin(struct terminal *terminal, const char *prompt, uint32_t length);

// Feed a byte to the line being read. Expects TERMINAL_ROOM_TYPE.
enum line_result terminal_type(struct terminal *terminal, uint8_t byte);

// Stop reading the line; what was typed is dropped. The other calls leave room for it.
void terminal_abandon(struct terminal *terminal);
