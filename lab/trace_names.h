// SPDX-License-Identifier: MIT
// Names of everything that a trace record holds: expansions of abi/ipc.def, abi/event.def,
// abi/error.def and the pager's policies.def for the host's tools. No list of its own.
#pragma once
#include <stdint.h>
#include "message.h"
#include "trace.h"

#define TRACE_FIELDS_MAX 16u
#define TRACE_WORDS 3u

struct trace_field {
    const char *type, *name;
};

struct trace_message {
    uint32_t label;
    const char *interface, *name;
    struct trace_field in[TRACE_FIELDS_MAX], out[TRACE_FIELDS_MAX];  // end: type NULL
};

struct trace_event {
    uint32_t kind;
    const char *name, *word[TRACE_WORDS], *text;  // word "-": unused
};

// All of them, in the order of the files; the last has a NULL name.
extern const struct trace_message trace_messages[];
extern const struct trace_event trace_events[];

// NULL: there is none of that number.
const struct trace_message *trace_message_find(uint32_t label);
const struct trace_event *trace_event_find(uint32_t kind);
const char *trace_error_name(uint32_t error);
const char *trace_interface_name(uint32_t number);
const char *trace_policy_name(uint32_t number);

// Words that a field takes in a message.
uint32_t trace_field_words(const struct trace_field *field);
