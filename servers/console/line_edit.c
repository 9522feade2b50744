// SPDX-License-Identifier: MIT
// Line editor: see line_edit.h. Input is whatever a terminal or a pasted file sends; no byte
// sequence breaks a law. The whole line is drawn on one row, in a window around the cursor, so
// that nothing depends on how a terminal wraps.
#include "line_edit.h"

#include <stddef.h>

#define CONTROL(letter) ((letter) & 0x1f)
#define KEY_DELETE 0x7f
#define BELL "\a"
#define ERASE_TO_END "\x1b[K"

enum { ESCAPE_NONE, ESCAPE_START, ESCAPE_BRACKET, ESCAPE_LETTER_O };

// ---- output ----------------------------------------------------------------------------------
static void emit(struct line_edit *edit, const char *bytes, uint32_t length) {
    for (uint32_t i = 0; i < length && edit->out_length < LINE_OUT_MAX; i++) {
        edit->out[edit->out_length++] = bytes[i];
    }
}

static void emit_text(struct line_edit *edit, const char *text) {
    while (*text != 0) {
        emit(edit, text++, 1);
    }
}

static void emit_left(struct line_edit *edit, uint32_t columns) {
    if (columns > 0) {
        const char digits[2] = {(char)('0' + columns / 10 % 10), (char)('0' + columns % 10)};
        emit_text(edit, "\x1b[");
        emit(edit, digits, 2);
        emit_text(edit, "D");
    }
}

// ---- characters: a start byte and the UTF-8 continuation bytes (10xxxxxx) after it ------------
static bool starts(const char *bytes, uint32_t at) {
    return at == 0 || ((uint8_t)bytes[at] & 0xc0) != 0x80;
}

static uint32_t columns_between(const char *bytes, uint32_t from, uint32_t to) {
    uint32_t columns = 0;
    for (uint32_t i = from; i < to; i++) {
        columns += starts(bytes, i);
    }
    return columns;
}

static uint32_t step_right(const struct line_text *text, uint32_t at) {
    at += at < text->length;
    while (at < text->length && !starts(text->byte, at)) {
        at++;
    }
    return at;
}

static uint32_t step_left(const struct line_text *text, uint32_t at) {
    at -= at > 0;
    while (!starts(text->byte, at)) {
        at--;
    }
    return at;
}

// ---- drawing ---------------------------------------------------------------------------------
static uint32_t window(const struct line_edit *edit) {
    return LINE_COLUMNS - 1 - columns_between(edit->prompt, 0, edit->prompt_length);
}

static void draw(struct line_edit *edit) {
    const struct line_text *text = &edit->text;
    uint32_t width = window(edit), first = 0;
    uint32_t before = columns_between(text->byte, 0, edit->cursor);
    for (; before > width; before--) {
        first = step_right(text, first);
    }
    uint32_t end = first, columns = 0;
    for (; columns < width && end < text->length; columns++) {
        end = step_right(text, end);
    }
    emit_text(edit, "\r");
    emit(edit, edit->prompt, edit->prompt_length);
    emit(edit, text->byte + first, end - first);
    emit_text(edit, ERASE_TO_END);
    emit_left(edit, columns - before);
    edit->shown = true;
}

void line_edit_show(struct line_edit *edit) {
    if (!edit->shown) {
        draw(edit);
    }
}

void line_edit_hide(struct line_edit *edit) {
    if (edit->shown) {
        emit_text(edit, "\r" ERASE_TO_END);
        edit->shown = false;
    }
}

// ---- changing the text -----------------------------------------------------------------------
static void cursor_set(struct line_edit *edit, uint32_t to) {
    if (to != edit->cursor) {
        edit->cursor = to;
        draw(edit);
    }
}

static void insert(struct line_edit *edit, char byte) {
    struct line_text *text = &edit->text;
    if (text->length == LINE_TEXT_MAX) {
        edit->overflow = true;
        emit_text(edit, BELL);
        return;
    }
    __builtin_memmove(text->byte + edit->cursor + 1, text->byte + edit->cursor,
                      text->length - edit->cursor);
    text->byte[edit->cursor++] = byte;
    text->length++;
    if (edit->cursor == text->length &&
        columns_between(text->byte, 0, text->length) <= window(edit)) {
        emit(edit, &byte, 1);
    } else {
        draw(edit);
    }
}

static void erase(struct line_edit *edit, uint32_t from, uint32_t to) {
    struct line_text *text = &edit->text;
    if (from >= to) {
        emit_text(edit, BELL);
        return;
    }
    __builtin_memmove(text->byte + from, text->byte + to, text->length - to);
    text->length -= to - from;
    edit->cursor = from;
    edit->overflow = false;
    draw(edit);
}

// Start of the word before the cursor, the spaces after it included.
static uint32_t word_start(const struct line_edit *edit) {
    uint32_t at = edit->cursor;
    while (at > 0 && edit->text.byte[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && edit->text.byte[at - 1] != ' ') {
        at--;
    }
    return at;
}

// ---- history ---------------------------------------------------------------------------------
static void history_show(struct line_edit *edit, uint32_t entry) {
    uint32_t count = edit->history_count;
    uint32_t oldest = count > LINE_HISTORY ? count - LINE_HISTORY : 0;
    if (entry < oldest || entry > count) {
        emit_text(edit, BELL);
        return;
    }
    if (edit->browse == count) {
        edit->draft = edit->text;
    }
    edit->text = entry == count ? edit->draft : edit->history[entry % LINE_HISTORY];
    edit->browse = entry;
    edit->overflow = false;
    edit->cursor = edit->text.length;
    draw(edit);
}

static bool text_equal(const struct line_text *a, const struct line_text *b) {
    return a->length == b->length && __builtin_memcmp(a->byte, b->byte, a->length) == 0;
}

// An empty line, and the same line twice in a row, are not kept.
static void history_add(struct line_edit *edit) {
    uint32_t count = edit->history_count;
    bool same = count > 0 && text_equal(&edit->history[(count - 1) % LINE_HISTORY], &edit->text);
    if (edit->text.length > 0 && !same) {
        edit->history[count % LINE_HISTORY] = edit->text;
        edit->history_count++;
    }
    edit->browse = edit->history_count;
}

// ---- lines -----------------------------------------------------------------------------------
static void line_clear(struct line_edit *edit) {
    edit->text.length = 0;
    edit->cursor = 0;
    edit->overflow = false;
    edit->escape = ESCAPE_NONE;
    edit->browse = edit->history_count;
}

static void line_again(struct line_edit *edit, const char *notice) {
    emit_text(edit, notice);
    line_clear(edit);
    emit(edit, edit->prompt, edit->prompt_length);
}

void line_edit_start(struct line_edit *edit, const char *prompt, uint32_t length,
                     uint32_t visible) {
    edit->prompt_length = length < LINE_PROMPT_MAX ? length : LINE_PROMPT_MAX;
    for (uint32_t i = 0; i < edit->prompt_length; i++) {
        bool control = (uint8_t)prompt[i] < 0x20 || prompt[i] == KEY_DELETE;
        edit->prompt[i] = control ? '?' : prompt[i];
    }
    line_clear(edit);
    edit->shown = true;
    if (visible < edit->prompt_length) {
        emit(edit, edit->prompt + visible, edit->prompt_length - visible);
    }
}

// A line of which bytes were refused is not handed on cut: half a command is another command.
static enum line_result line_finish(struct line_edit *edit) {
    if (edit->overflow) {
        line_again(edit, BELL "\r\nthe line is longer than 223 bytes and was refused\r\n");
        return LINE_MORE;
    }
    emit_text(edit, "\r\n");
    edit->shown = false;
    history_add(edit);
    return LINE_DONE;
}

static enum line_result line_end(struct line_edit *edit) {
    if (edit->text.length > 0) {
        erase(edit, edit->cursor, step_right(&edit->text, edit->cursor));
        return LINE_MORE;
    }
    emit_text(edit, "\r\n");
    edit->shown = false;
    return LINE_END;
}

// ---- keys ------------------------------------------------------------------------------------
static enum line_result control_key(struct line_edit *edit, uint8_t byte) {
    uint32_t cursor = edit->cursor, length = edit->text.length;
    switch (byte) {
    case '\r':
    case '\n':
        return line_finish(edit);
    case CONTROL('D'):
        return line_end(edit);
    case CONTROL('C'):
        line_again(edit, "^C\r\n");
        break;
    case CONTROL('A'):
        cursor_set(edit, 0);
        break;
    case CONTROL('E'):
        cursor_set(edit, length);
        break;
    case CONTROL('B'):
        cursor_set(edit, step_left(&edit->text, cursor));
        break;
    case CONTROL('F'):
        cursor_set(edit, step_right(&edit->text, cursor));
        break;
    case CONTROL('K'):
        erase(edit, cursor, length);
        break;
    case CONTROL('U'):
        erase(edit, 0, cursor);
        break;
    case CONTROL('W'):
        erase(edit, word_start(edit), cursor);
        break;
    case CONTROL('H'):
    case KEY_DELETE:
        erase(edit, step_left(&edit->text, cursor), cursor);
        break;
    case CONTROL('P'):
        history_show(edit, edit->browse - 1);
        break;
    case CONTROL('N'):
        history_show(edit, edit->browse + 1);
        break;
    case CONTROL('L'):
        emit_text(edit, "\x1b[H\x1b[2J");
        draw(edit);
        break;
    case '\t':
        insert(edit, ' ');
        break;
    default:  // other control characters mean nothing here
        break;
    }
    return LINE_MORE;
}

// The last byte of an escape sequence, as the control key that does the same.
static uint8_t escape_key(uint8_t last, uint32_t parameter) {
    switch (last) {
    case 'A':
        return CONTROL('P');
    case 'B':
        return CONTROL('N');
    case 'C':
        return CONTROL('F');
    case 'D':
        return CONTROL('B');
    case 'H':
        return CONTROL('A');
    case 'F':
        return CONTROL('E');
    case '~':
        return parameter == 1 || parameter == 7   ? CONTROL('A')
               : parameter == 4 || parameter == 8 ? CONTROL('E')
                                                  : 0;
    default:
        return 0;
    }
}

static void escape_finish(struct line_edit *edit, uint8_t last) {
    edit->escape = ESCAPE_NONE;
    if (last == '~' && edit->parameter == 3) {
        erase(edit, edit->cursor, step_right(&edit->text, edit->cursor));
    } else {
        control_key(edit, escape_key(last, edit->parameter));
    }
}

// A byte from 0x20 on inside an escape sequence. Unknown sequences are swallowed whole.
static void escape_byte(struct line_edit *edit, uint8_t byte) {
    if (edit->escape == ESCAPE_START) {
        edit->parameter = 0;
        edit->escape = byte == '['   ? ESCAPE_BRACKET
                       : byte == 'O' ? ESCAPE_LETTER_O
                                     : ESCAPE_NONE;
    } else if (byte >= '0' && byte <= '9') {
        edit->parameter = (edit->parameter * 10 + byte - '0') % 1000;
    } else if (byte >= 0x40) {
        escape_finish(edit, byte);
    }
}

enum line_result line_edit_byte(struct line_edit *edit, uint8_t byte) {
    bool second_of_pair = byte == '\n' && edit->after_return;
    edit->after_return = byte == '\r';
    if (second_of_pair) {
        return LINE_MORE;
    }
    if (byte == '\x1b') {
        edit->escape = ESCAPE_START;
        return LINE_MORE;
    }
    if (byte < 0x20) {  // also inside an escape sequence, so that ^C and Enter always work
        edit->escape = ESCAPE_NONE;
        return control_key(edit, byte);
    }
    if (edit->escape != ESCAPE_NONE) {
        escape_byte(edit, byte);
        return LINE_MORE;
    }
    if (byte == KEY_DELETE) {
        return control_key(edit, byte);
    }
    insert(edit, (char)byte);
    return LINE_MORE;
}

bool line_edit_check(const struct line_edit *edit) {
    return edit->text.length <= LINE_TEXT_MAX && edit->cursor <= edit->text.length &&
           edit->prompt_length <= LINE_PROMPT_MAX && edit->out_length <= LINE_OUT_MAX &&
           edit->browse <= edit->history_count &&
           edit->history_count - edit->browse <= LINE_HISTORY;
}
