// SPDX-License-Identifier: MIT
// Texts of init: see text.h.
#include "text.h"

void text_clear(field_text *text) {
    text->length = 0;
    text->bytes[0] = 0;
}

void text_add_bytes(field_text *text, const char *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count && text->length < TEXT_BYTES - 1; i++) {
        text->bytes[text->length++] = bytes[i];
    }
    text->bytes[text->length] = 0;
}

void text_add(field_text *text, const char *words) {
    text_add_bytes(text, words, word_of(words).length);
}

void text_add_number(field_text *text, uint64_t number) {
    char digits[20];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add_bytes(text, digits + at, (uint32_t)sizeof digits - at);
}

void text_add_hex(field_text *text, uint32_t number) {
    text_add(text, "0x");
    for (int shift = 28; shift >= 0; shift -= 4) {
        text_add_bytes(text, &"0123456789abcdef"[number >> shift & 15], 1);
    }
}

void text_join_list(field_text *text, va_list list) {
    for (const char *part; (part = va_arg(list, const char *)) != NULL;) {
        text_add(text, part);
    }
}

void text_join(field_text *text, ...) {
    va_list list;
    va_start(list, text);
    text_join_list(text, list);
    va_end(list);
}

struct word word_of(const char *text) {
    uint32_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    return (struct word){text, length};
}

static int is_one_of(char character, const char *set) {
    for (; *set != 0; set++) {
        if (*set == character) {
            return 1;
        }
    }
    return 0;
}

struct word word_next(struct word *rest, const char *separators) {
    while (rest->length > 0 && is_one_of(*rest->start, separators)) {
        rest->start++;
        rest->length--;
    }
    struct word word = {rest->start, 0};
    while (rest->length > 0 && !is_one_of(*rest->start, separators)) {
        rest->start++;
        rest->length--;
        word.length++;
    }
    return word;
}

struct word word_split(struct word whole, char character, struct word *head) {
    *head = whole;
    for (uint32_t i = 0; i < whole.length; i++) {
        if (whole.start[i] == character) {
            head->length = i;
            return (struct word){whole.start + i + 1, whole.length - i - 1};
        }
    }
    return (struct word){NULL, 0};
}

int word_is(struct word word, const char *text) {
    struct word other = word_of(text);
    if (word.length != other.length) {
        return 0;
    }
    for (uint32_t i = 0; i < word.length; i++) {
        if (word.start[i] != text[i]) {
            return 0;
        }
    }
    return 1;
}

int name_is(const char *a, const char *b) {
    return word_is(word_of(a), b);
}

int word_number(struct word word, uint32_t *number) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < word.length; i++) {
        char digit = word.start[i];
        value = value * 10 + (uint32_t)(digit - '0');
        if (digit < '0' || digit > '9' || value > UINT32_MAX) {
            return 0;
        }
    }
    *number = (uint32_t)value;
    return word.length > 0;
}

int word_name(struct word word, char *name) {
    if (word.length == 0 || word.length >= NAME_BYTES) {
        return 0;
    }
    for (uint32_t i = 0; i < NAME_BYTES; i++) {
        name[i] = i < word.length ? word.start[i] : 0;
        if (i < word.length && (name[i] <= ' ' || name[i] > '~')) {
            return 0;
        }
    }
    return 1;
}
