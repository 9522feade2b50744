// SPDX-License-Identifier: MIT
// Elements on a stack; CDATA and declarations are passed over.
#include "markup.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define DEPTH 64

struct name {
    const char *start;
    size_t length;
};

static const char *name_end(const char *at) {
    while (isalnum((unsigned char)*at) || *at == '-' || *at == ':') {
        at++;
    }
    return at;
}

// From behind the element's name to its '>'; NULL: an attribute is not NAME="VALUE".
static const char *attributes_end(const char *at) {
    for (;;) {
        at += strspn(at, " \n");
        if (*at == '>' || (*at == '/' && at[1] == '>')) {
            return at;
        }
        const char *end = name_end(at);
        if (end == at || end[0] != '=' || end[1] != '"') {
            return NULL;
        }
        at = strchr(end + 2, '"');
        if (at == NULL || memchr(end + 2, '<', (size_t)(at - end - 2)) != NULL) {
            return NULL;
        }
        at++;
    }
}

static const char *entity_end(const char *at) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strncmp(at, known[i], strlen(known[i])) == 0) {
            return at + strlen(known[i]);
        }
    }
    return NULL;
}

static const char *skip_declaration(const char *at) {
    int data = strncmp(at, "<![CDATA[", 9) == 0;
    const char *end = strstr(at, data ? "]]>" : ">");
    return end == NULL ? NULL : end + (data ? 3 : 1);
}

const char *markup_check(const char *text) {
    struct name open[DEPTH];
    size_t depth = 0;
    for (const char *at = text, *next; *at != 0; at = next) {
        next = *at == '&'                     ? entity_end(at)
               : at[0] == '<' && at[1] == '!' ? skip_declaration(at)
                                              : at + 1;
        if (next == NULL) {
            return at;
        }
        if (*at != '<' || at[1] == '!') {
            continue;
        }
        int closes = at[1] == '/';
        struct name name = {at + 1 + closes, 0};
        const char *end = name_end(name.start);
        name.length = (size_t)(end - name.start);
        end = closes ? end : attributes_end(end);
        if (name.length == 0 || end == NULL || depth == DEPTH) {
            return at;
        }
        if (closes) {
            if (*end != '>' || depth == 0 || open[depth - 1].length != name.length ||
                memcmp(open[depth - 1].start, name.start, name.length) != 0) {
                return at;
            }
            depth--;
        } else if (*end == '>') {
            open[depth++] = name;
        }
        next = strchr(end, '>') + 1;
    }
    return depth == 0 ? NULL : open[depth - 1].start;
}
