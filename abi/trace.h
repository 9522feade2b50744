// SPDX-License-Identifier: MIT
// The trace ring: shared by kernel (writer) and tracer (reader). Frame 0 of the ring is the
// header, the rest are records. Single writer, single reader, no lock:
// written - read <= capacity; the writer counts what does not fit in `lost`.
#pragma once
#include "types.h"

enum event_kind {
#define EVENT(name, number, word0, word1, word2, text) EVENT_##name = number,
#include "event.def"
#undef EVENT
};

struct trace_record {
    uint64_t time;      // time stamp counter
    uint16_t kind;      // enum event_kind
    uint16_t task;      // number (badge) of the task that ran
    uint16_t thread;    // object slot of the thread that ran
    uint16_t peer;      // object slot of the other side, 0: none
    uint32_t id;        // of this call or fault (0: the record starts nothing)
    uint32_t cause;     // id of the call or fault that this record serves, 0: none
    uint32_t tag;       // as in the message, where there is one
    uint32_t word[3];   // event.def says what
    uint32_t unused[6];
};
_Static_assert(sizeof(struct trace_record) == 64, "a page holds 64 records");
#define TRACE_RECORD_USED 40u  // bytes of a record that mean something

struct trace_header {
    uint32_t written;   // records written, by the kernel
    uint32_t read;      // records read, by the tracer
    uint32_t capacity;  // records that fit: a power of two
    uint32_t lost;      // records that did not
};
