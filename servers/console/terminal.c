// SPDX-License-Identifier: MIT
// The terminal as its users share it: see terminal.h.
#include "terminal.h"

static void put(struct terminal *terminal, char byte) {
    if (byte == '\n') {
        byte_ring_put(&terminal->out, '\r');
    }
    byte_ring_put(&terminal->out, (uint8_t)byte);
    if (byte == '\n' || byte == '\r') {
        terminal->tail_length = 0;
        return;
    }
    if (terminal->tail_length < LINE_PROMPT_MAX) {
        terminal->tail[terminal->tail_length] = byte;
    }
    terminal->tail_length++;
}

// What the editor wrote moves on to the ring as it is.
static void edit_move(struct terminal *terminal) {
    struct line_edit *edit = &terminal->edit;
    for (uint32_t i = 0; i < edit->out_length; i++) {
        byte_ring_put(&terminal->out, (uint8_t)edit->out[i]);
    }
    edit->out_length = 0;
}

static void row_begin(struct terminal *terminal) {
    if (terminal->tail_length > 0) {
        put(terminal, '\n');
    }
}

void terminal_print(struct terminal *terminal, const char *bytes, uint32_t length) {
    if (terminal->editing) {
        line_edit_hide(&terminal->edit);
        edit_move(terminal);
    }
    for (uint32_t i = 0; i < length && i < TERMINAL_PRINT_MAX; i++) {
        put(terminal, bytes[i]);
    }
    if (terminal->editing && terminal->tail_length == 0) {
        line_edit_show(&terminal->edit);
        edit_move(terminal);
    }
}

void terminal_begin(struct terminal *terminal, const char *prompt, uint32_t length) {
    if (length > 0 || terminal->tail_length > LINE_PROMPT_MAX) {
        row_begin(terminal);
    }
    uint32_t visible = terminal->tail_length;
    if (length == 0) {
        prompt = terminal->tail;
        length = visible;
    }
    line_edit_start(&terminal->edit, prompt, length, visible);
    terminal->tail_length = 0;
    terminal->editing = true;
    edit_move(terminal);
}

enum line_result terminal_type(struct terminal *terminal, uint8_t byte) {
    if (!terminal->edit.shown) {
        row_begin(terminal);
        line_edit_show(&terminal->edit);
        edit_move(terminal);
    }
    enum line_result result = line_edit_byte(&terminal->edit, byte);
    edit_move(terminal);
    terminal->editing = result == LINE_MORE;
    return result;
}

void terminal_abandon(struct terminal *terminal) {
    line_edit_hide(&terminal->edit);
    edit_move(terminal);
    terminal->editing = false;
}
