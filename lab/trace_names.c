// SPDX-License-Identifier: MIT
// The expansions, and searches in them.
#include "trace_names.h"
#include <string.h>

#define FIELD_INFO_(type, name, ...) {#type, #name},
#define FIELD_INFO(tuple) FIELD_INFO_ tuple
#define FIELD_END {NULL, NULL}

const struct trace_message trace_messages[] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, in, out, takes, gives, list, text)        \
    {LABEL_##interface##_##name, #interface, #name, {FOR_EACH_IN(FIELD_INFO, in) FIELD_END},    \
     {FOR_EACH_IN(FIELD_INFO, out) FIELD_END}},
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
    {.name = NULL},
};

const struct trace_event trace_events[] = {
#define EVENT(name, number, word0, word1, word2, text) \
    {number, #name, {word0, word1, word2}, text},
#include "event.def"
#undef EVENT
    {.name = NULL},
};

#define MESSAGE(interface, name, number, mode, right, in, out, ...)                       \
    _Static_assert(LIST_LENGTH(in) < TRACE_FIELDS_MAX && LIST_LENGTH(out) < TRACE_FIELDS_MAX, \
                   "a field list ends with an empty field");
#define INTERFACE(...)
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE

const struct trace_message *trace_message_find(uint32_t label) {
    for (const struct trace_message *message = trace_messages; message->name != NULL; message++) {
        if (message->label == label) {
            return message;
        }
    }
    return NULL;
}

const struct trace_event *trace_event_find(uint32_t kind) {
    for (const struct trace_event *event = trace_events; event->name != NULL; event++) {
        if (event->kind == kind) {
            return event;
        }
    }
    return NULL;
}

const char *trace_error_name(uint32_t error) {
    switch (error) {
#define ERROR(name, number, text) \
    case number:                  \
        return #name;
#include "error.def"
#undef ERROR
    default:
        return NULL;
    }
}

const char *trace_interface_name(uint32_t number) {
    switch (number) {
#define INTERFACE(name, interface_number, kind, text) \
    case interface_number:                            \
        return #name;
#define MESSAGE(...)
#include "ipc.def"
#undef INTERFACE
#undef MESSAGE
    default:
        return NULL;
    }
}

const char *trace_policy_name(uint32_t number) {
    static const char *const names[] = {
#define POLICY(name, ...) #name,
#include "servers/pager/policy/policies.def"
#undef POLICY
    };
    return number < ARRAY_LENGTH(names) ? names[number] : NULL;
}

uint32_t trace_field_words(const struct trace_field *field) {
    return strcmp(field->type, "name") == 0   ? sizeof(field_name) / 4
           : strcmp(field->type, "text") == 0 ? sizeof(field_text) / 4
                                              : 1;
}
