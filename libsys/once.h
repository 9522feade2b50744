// SPDX-License-Identifier: MIT
// What a server remembers so that a request marked ONCE is done once, though the server is killed
// before its answer arrives and the caller sends the request again: of each caller the number and
// the answer of its last one. serve.h looks here first if the server defines SERVE_ONCE.
// Pure. The table lies in the server's arena: an entry counts with what the request changed, so it
// must be written by the same commit.
#pragma once
#include "ipc.h"

#define ONCE_WORDS 4u  // most words that a reply to such a message has: see the check below

struct once_entry {
    badge_t badge;
    uint32_t thread;  // object slot of the caller, 0: empty entry
    uint32_t number;  // of the request, by its caller's count
    tag_t tag;        // of the answer
    uint32_t word[ONCE_WORDS];
};

#define ONCE_CHECK_REPEAT(out)
#define ONCE_CHECK_ONCE(out) _Static_assert(sizeof(out) <= ONCE_WORDS * 4, "reply too long to keep");
#define INTERFACE(...)
#define MESSAGE(interface, message, number, mode, ...) \
    ONCE_CHECK_##mode(struct interface##_##message##_out)
#define IPC_FIRST INTERFACE_FIRST_SERVER
#define IPC_LAST 255
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE

// The entry of a caller, an empty one if it has none. NULL: the table of `count` is full.
static inline struct once_entry *once_find(struct once_entry *table, uint32_t count, badge_t badge,
                                           token_t token) {
    struct once_entry *empty = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (table[i].badge == badge && table[i].thread == TOKEN_SLOT(token)) {
            return &table[i];
        }
        empty = table[i].thread == 0 && empty == NULL ? &table[i] : empty;
    }
    if (empty != NULL) {
        *empty = (struct once_entry){.badge = badge, .thread = TOKEN_SLOT(token)};
    }
    return empty;
}

static inline void once_keep(struct once_entry *entry, uint32_t number, tag_t tag,
                             const uint32_t *word) {
    entry->number = number;
    entry->tag = tag;
    for (uint32_t i = 0; i < ONCE_WORDS; i++) {
        entry->word[i] = word[i];
    }
}

// The clients with this badge are gone.
static inline void once_forget(struct once_entry *table, uint32_t count, badge_t badge) {
    for (uint32_t i = 0; i < count; i++) {
        table[i].thread = table[i].badge == badge ? 0 : table[i].thread;
    }
}
