// SPDX-License-Identifier: MIT
// Builds and takes apart short texts. Pure; what does not fit is cut off, never an error.
#pragma once
#include <stdarg.h>

#include "message.h"

void text_clear(field_text *text);
void text_add(field_text *text, const char *words);
void text_add_bytes(field_text *text, const char *bytes, uint32_t count);
void text_add_number(field_text *text, uint64_t number);
void text_add_hex(field_text *text, uint32_t number);  // 0x and eight digits

// Add all strings up to the closing NULL.
__attribute__((sentinel)) void text_join(field_text *text, ...);
void text_join_list(field_text *text, va_list list);

// A piece of somebody else's text: not ended by 0.
struct word {
    const char *start;
    uint32_t length;
};

// The next word of *rest, where words are separated by characters of `separators` (the end of a
// text is one 0). Empty: there is none left.
struct word word_next(struct word *rest, const char *separators);

// Split at the first `character`: *head becomes what is before it, the result what is after it.
// Without it *head is all of `whole`, and the result starts at NULL.
struct word word_split(struct word whole, char character, struct word *head);

int word_is(struct word word, const char *text);
struct word word_of(const char *text);

// Decimal number below 2^32. False: it is none (empty, other characters, or too large).
int word_number(struct word word, uint32_t *number);

// Copy into a name of NAME_BYTES. False: empty, too long, or with unprintable characters.
int word_name(struct word word, char *name);

int name_is(const char *a, const char *b);
