// SPDX-License-Identifier: MIT
// What all commands of the shell need: numbers and texts out of words, and how to complain.
#include "shell.h"

#include <stdio.h>
#include <string.h>

// Says what went wrong with what, and returns the status for it. 0 is success.
int shell_report(const char *what, error_t error) {
    if (error != OK) {
        printf("%s: %s\n", what, error_text(error));
    }
    return error != OK;
}

int shell_usage(const char *sentence) {
    printf("usage: %s\n", sentence);
    return STATUS_USAGE;
}

// A decimal number below 2^32, and nothing else.
bool shell_number(const char *text, uint32_t *number) {
    uint64_t value = 0;
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 10 || text[length] != 0) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *number = (uint32_t)value;
    return value <= UINT32_MAX;
}

// Words of a command line as one text again.
field_text shell_text(int count, char **word) {
    field_text text = {0};
    for (int i = 0; i < count; i++) {
        for (const char *at = word[i]; *at != 0 && text.length < TEXT_BYTES; at++) {
            text.bytes[text.length++] = *at;
        }
        if (i + 1 < count && text.length < TEXT_BYTES) {
            text.bytes[text.length++] = ' ';
        }
    }
    return text;
}
