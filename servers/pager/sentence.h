// SPDX-License-Identifier: MIT
// Builds one line of text in a buffer, cut at its end. Pure.
#pragma once
#include "types.h"

struct sentence {
    char *bytes;
    uint32_t length, size;  // length < size, so that a 0 fits behind it
};

void sentence_text(struct sentence *sentence, const char *text);
void sentence_bytes(struct sentence *sentence, const char *bytes, uint32_t most);
void sentence_hex(struct sentence *sentence, uint32_t number);  // 0x and eight digits
void sentence_number(struct sentence *sentence, uint32_t number);
