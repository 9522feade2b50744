// SPDX-License-Identifier: MIT
#include "sentence.h"

static void letter_add(struct sentence *sentence, char letter) {
    if (sentence->length + 1 < sentence->size) {
        sentence->bytes[sentence->length++] = letter;
        sentence->bytes[sentence->length] = 0;
    }
}

void sentence_bytes(struct sentence *sentence, const char *bytes, uint32_t most) {
    for (uint32_t i = 0; i < most && bytes[i] != 0; i++) {
        letter_add(sentence, bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '?');
    }
}

void sentence_text(struct sentence *sentence, const char *text) {
    sentence_bytes(sentence, text, UINT32_MAX);
}

void sentence_hex(struct sentence *sentence, uint32_t number) {
    sentence_text(sentence, "0x");
    for (uint32_t shift = 32; shift > 0; shift -= 4) {
        letter_add(sentence, "0123456789abcdef"[number >> (shift - 4) & 15]);
    }
}

void sentence_number(struct sentence *sentence, uint32_t number) {
    char digits[10];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        letter_add(sentence, digits[--count]);
    }
}
