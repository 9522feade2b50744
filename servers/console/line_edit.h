// SPDX-License-Identifier: MIT
// Line editor: bytes of a terminal in, bytes to the terminal and a finished line out.
// Pure: no messages, no device, no clock, so that the host tests the very file the server runs.
// Does not know where bytes come from, nor who waits for the line.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LINE_TEXT_MAX 223u   // bytes of a line; a newline makes it 224
#define LINE_PROMPT_MAX 64u  // bytes of a prompt that are kept
#define LINE_HISTORY 32u     // lines that can be called back
#define LINE_COLUMNS 80u     // width of the terminal; longer lines scroll sideways
#define LINE_OUT_MAX 1024u   // one call never writes more than this

enum line_result {
    LINE_MORE,  // the line goes on
    LINE_DONE,  // `text` is a line that the user has finished
    LINE_END,   // end of input (^D on an empty line)
};

struct line_text {
    uint32_t length;
    char byte[LINE_TEXT_MAX];
};

// Laws: cursor <= text.length <= LINE_TEXT_MAX; history entry n stands at n % LINE_HISTORY;
// history_count - LINE_HISTORY <= browse <= history_count. line_edit_check() tests them.
struct line_edit {
    struct line_text text;
    uint32_t cursor;            // byte that the cursor stands on
    uint32_t prompt_length;
    char prompt[LINE_PROMPT_MAX];
    bool shown;                 // prompt and text are on the screen
    bool overflow;              // bytes were refused since the last deletion
    bool after_return;          // the last byte was \r: a \n now belongs to it
    uint8_t escape;             // enum in line_edit.c: where in an escape sequence we are
    uint32_t parameter;         // its first number so far
    uint32_t history_count;     // lines entered so far
    uint32_t browse;            // history entry shown; history_count: the draft
    struct line_text draft;     // what was typed before browsing began
    struct line_text history[LINE_HISTORY];
    uint32_t out_length;        // taken and set to 0 by the caller after each call
    char out[LINE_OUT_MAX];
};

// Begin a line. The first `visible` bytes of the prompt are on the screen already. Control
// characters in the prompt become '?', bytes past LINE_PROMPT_MAX are dropped.
void line_edit_start(struct line_edit *edit, const char *prompt, uint32_t length,
                     uint32_t visible);

// Feed one byte, whatever it is.
enum line_result line_edit_byte(struct line_edit *edit, uint8_t byte);

// Take the line off the screen so that others can print, and put it back.
void line_edit_hide(struct line_edit *edit);
void line_edit_show(struct line_edit *edit);

// Whether the laws above hold.
bool line_edit_check(const struct line_edit *edit);
