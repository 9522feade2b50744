// SPDX-License-Identifier: MIT
// Turns records into text. How a word is shown follows from its name in abi/event.def or its type
// in abi/ipc.def; nothing here knows a single message.
#include "trace_print.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "trace_names.h"

#define WORDS_IN_RECORD 2u  // of a message: what travels in registers

struct text {
    char *start;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->start + text->used, text->size - text->used, format, arguments);
    va_end(arguments);
    text->used = MIN_OF(text->used + (size_t)MAX_OF(length, 0), text->size - 1);
}

static void put_number(struct text *text, uint32_t value) {
    put(text, value < 1000000 ? "%" PRIu32 : "0x%" PRIx32, value);
}

// The letters in words of a name or text; "..." when it goes on behind them.
static void put_letters(struct text *text, const uint32_t *word, uint32_t count, uint32_t length) {
    char letters[TRACE_WORDS * 4 + 1] = {0};
    memcpy(letters, word, count * 4);
    letters[MIN_OF(length, count * 4)] = 0;
    for (char *at = letters; *at != 0; at++) {
        *at = *at >= ' ' && *at < 127 && *at != '"' ? *at : '.';
    }
    put(text, "\"%s\"%s", letters, strlen(letters) == count * 4 && length > count * 4 ? "..." : "");
}

static void put_rights(struct text *text, uint32_t rights) {
    put(text, "%c%c%c", rights & MAP_READ ? 'r' : '-', rights & MAP_WRITE ? 'w' : '-',
        rights & MAP_EXECUTE ? 'x' : '-');
}

// A field of a message whose first word is words[at].
static void put_field(struct text *text, struct trace_state *state,
                      const struct trace_field *field, const uint32_t *words, uint32_t at) {
    put(text, "%s%s=", at == 0 ? "" : ", ", field->name);
    if (strcmp(field->type, "name") == 0) {
        put_letters(text, words + at, WORDS_IN_RECORD - at, NAME_BYTES);
    } else if (strcmp(field->type, "text") == 0) {
        put_letters(text, words + at + 1, WORDS_IN_RECORD - at - 1, words[at]);
    } else if (strcmp(field->type, "handle") == 0) {
        put(text, "slot %" PRIu32, HANDLE_INDEX(words[at]));
    } else if (strcmp(field->type, "badge") == 0 || strcmp(field->name, "task") == 0) {
        put(text, "%s", trace_task_name(state, words[at]));
    } else if (strcmp(field->type, "page") == 0 || strcmp(field->name, "eip") == 0 ||
               strcmp(field->name, "address") == 0) {
        put(text, "0x%" PRIx32, words[at]);
    } else if (strcmp(field->type, "access") == 0 && words[at] <= MAP_RIGHTS) {
        put_rights(text, words[at]);
    } else {
        put_number(text, words[at]);
    }
}

// All fields of which the record has the first word.
static void put_fields(struct text *text, struct trace_state *state,
                       const struct trace_field *field, const uint32_t *words) {
    uint32_t at = 0;
    for (; field->type != NULL && at < WORDS_IN_RECORD; field++) {
        put_field(text, state, field, words, at);
        at += trace_field_words(field);
    }
    put(text, field->type != NULL ? ", ..." : "");
}

static void put_request(struct text *text, struct trace_state *state,
                        const struct trace_record *record) {
    const struct trace_message *message = trace_message_find(TAG_LABEL(record->tag));
    if (message == NULL) {
        put(text, "message 0x%" PRIx32 "(%" PRIu32 " words)", TAG_LABEL(record->tag),
            TAG_WORDS(record->tag));
        return;
    }
    put(text, "%s.%s(", message->interface, message->name);
    put_fields(text, state, message->in, record->word);
    put(text, ")");
}

static void put_error(struct text *text, uint32_t error) {
    const char *name = trace_error_name(error);
    if (name != NULL) {
        put(text, "%s", name);
    } else {
        put(text, "error %" PRIu32, error);
    }
}

// The request of a reply names the message; a reply of map items names the pages.
static void put_reply(struct text *text, struct trace_state *state,
                      const struct trace_record *record) {
    const struct trace_request *request = trace_request_find(state, record->cause);
    uint32_t label = request != NULL ? TAG_LABEL(request->record.tag) : TAG_LABEL(record->tag);
    const struct trace_message *message = trace_message_find(label);
    if (message != NULL) {
        put(text, "%s.%s ", message->interface, message->name);
    }
    put(text, "= ");
    if (TAG_IS_ERROR(record->tag)) {
        put_error(text, TAG_TO_ERROR(record->tag));
    } else if (TAG_ITEMS(record->tag) > 0) {
        put(text, "%" PRIu32 " page%s mapped", TAG_ITEMS(record->tag),
            TAG_ITEMS(record->tag) == 1 ? "" : "s");
    } else if (message != NULL && message->out[0].type != NULL) {
        put_fields(text, state, message->out, record->word);
    } else {
        put(text, "OK");
    }
    if (request != NULL) {
        put(text, "  to %s after %.3f us", trace_task_name(state, request->record.task),
            (double)(record->time - request->record.time) / 1000.0);
    }
}

// A word of a record, shown as its name in abi/event.def asks. Servers count in pages.
static void put_word(struct text *text, struct trace_state *state,
                     const struct trace_record *record, const char *name, uint32_t value) {
    if (strcmp(name, "page") == 0 && trace_names_task(record)) {
        put(text, "page=0x%" PRIx32, value << PAGE_SHIFT);
    } else if (record->kind == EVENT_policy && trace_policy_name(value) != NULL &&
               (strcmp(name, "old") == 0 || strcmp(name, "new") == 0)) {
        put(text, "%s=%s", name, trace_policy_name(value));
    } else if (strcmp(name, "page_rights") == 0) {
        put(text, "page=0x%" PRIx32 " ", PAGE_DOWN(value));
        put_rights(text, value);
    } else if (strcmp(name, "frame_flags") == 0) {
        put(text, "frame=%" PRIu32 "%s%s%s", value >> 8, value & FRAME_ZERO ? " zeroed" : "",
            value & FRAME_ACCESSED ? " accessed" : "", value & FRAME_DIRTY ? " dirty" : "");
    } else if (strcmp(name, "page") == 0 || strcmp(name, "first") == 0 ||
               strcmp(name, "address") == 0 || strcmp(name, "eip") == 0) {
        put(text, "%s=0x%" PRIx32, name, value);
    } else if (strcmp(name, "task") == 0 || strcmp(name, "badge") == 0) {
        put(text, "%s=%s", name, trace_task_name(state, value));
    } else if (strcmp(name, "type") == 0 && trace_interface_name(value) != NULL) {
        put(text, "%s", trace_interface_name(value));
    } else {
        put(text, "%s=", name);
        put_number(text, value);
    }
}

static void put_words(struct text *text, struct trace_state *state,
                      const struct trace_event *event, const struct trace_record *record) {
    for (uint32_t i = 0; i < TRACE_WORDS; i++) {
        if (strcmp(event->word[i], "-") != 0) {
            put(text, text->used == 0 ? "" : ", ");
            put_word(text, state, record, event->word[i], record->word[i]);
        }
    }
}

// The other side: an object of the kernel's, or the task that a server decided about.
static void put_peer(struct text *text, struct trace_state *state,
                     const struct trace_record *record) {
    const char *comma = text->used == 0 ? "" : ", ";
    if (record->peer != 0 && trace_names_task(record)) {
        put(text, "%sof %s", comma, trace_task_name(state, record->peer));
    } else if (record->peer != 0) {
        put(text, "%sobject %u", comma, record->peer);
    }
}

// Records whose words are those of a message, and those whose words event.def names.
void trace_text(char *start, size_t size, struct trace_state *state,
                const struct trace_record *record) {
    struct text text = {start, size, 0};
    const struct trace_event *event = trace_event_find(record->kind);
    start[0] = 0;
    if (trace_is_request(record)) {
        put_request(&text, state, record);
    } else if (record->kind == EVENT_receive) {
        put_request(&text, state, record);
        put(&text, " from %s", trace_task_name(state, record->word[2]));
    } else if (record->kind == EVENT_kernel_call) {
        put_request(&text, state, record);
        put(&text, " = ");
        put_error(&text, record->word[2]);
    } else if (record->kind == EVENT_reply) {
        put_reply(&text, state, record);
    } else if (record->kind == EVENT_task_name) {
        put(&text, "task %u is ", record->peer);
        put_letters(&text, record->word, TRACE_WORDS, TRACE_WORDS * 4);
    } else if (event != NULL) {
        put_words(&text, state, event, record);
        put_peer(&text, state, record);
    } else {
        put(&text, "unknown kind of record");
    }
}

void trace_title(char *start, size_t size, struct trace_state *state,
                 const struct trace_record *record) {
    struct text text = {start, size, 0};
    const struct trace_event *event = trace_event_find(record->kind);
    const struct trace_request *request =
        record->kind == EVENT_reply ? trace_request_find(state, record->cause) : NULL;
    bool labelled = trace_is_request(record) || record->kind == EVENT_receive ||
                    record->kind == EVENT_kernel_call || record->kind == EVENT_reply;
    uint32_t label = TAG_LABEL(request != NULL ? request->record.tag : record->tag);
    const struct trace_message *message = labelled ? trace_message_find(label) : NULL;
    start[0] = 0;
    if (message != NULL) {
        put(&text, "%s.%s", message->interface, message->name);
    } else if (event != NULL) {
        put(&text, "%s", event->name);
    } else {
        put(&text, "kind %u", record->kind);
    }
}

void trace_line(char *start, size_t size, struct trace_state *state,
                const struct trace_record *record) {
    char says[TRACE_LINE_BYTES];
    const struct trace_event *event = trace_event_find(record->kind);
    struct text text = {start, size, 0};
    trace_text(says, sizeof(says), state, record);
    put(&text, "%5" PRIu64 ".%09" PRIu64 " %-12s %-11s %s", record->time / 1000000000,
        record->time % 1000000000, trace_task_name(state, record->task),
        event != NULL ? event->name : "?", says);
    if (record->id != 0) {
        put(&text, "  #%" PRIu32, record->id);
    }
    if (record->cause != 0) {
        put(&text, "  <- #%" PRIu32, record->cause);
    }
}
