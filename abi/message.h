// SPDX-License-Identifier: MIT
// Expands ipc.def into labels and typed bodies, and offers the macros for further expansions
// (kernel dispatch, libsys stubs, trace decoder).
#pragma once
#include "ipc.h"

// --- field types ---
typedef uint32_t field_u32, field_number, field_flags, field_page, field_length, field_access,
    field_frame, field_device, field_room, field_handle, field_slot, field_any_slot, field_rights, field_badge,
    field_offset;
#define NAME_BYTES 32u
typedef struct {
    char bytes[NAME_BYTES];  // ends with 0
} field_name;
#define TEXT_BYTES 224u
typedef struct {
    uint32_t length;
    char bytes[TEXT_BYTES];
} field_text;

// --- macros over lists of tuples ---
#define MESSAGE_EXPAND(...) MESSAGE_EXPAND3(MESSAGE_EXPAND3(MESSAGE_EXPAND3(__VA_ARGS__)))
#define MESSAGE_EXPAND3(...) MESSAGE_EXPAND2(MESSAGE_EXPAND2(MESSAGE_EXPAND2(__VA_ARGS__)))
#define MESSAGE_EXPAND2(...) __VA_ARGS__
#define MESSAGE_PARENS ()
#define FOR_EACH(macro, ...) __VA_OPT__(MESSAGE_EXPAND(FOR_EACH_NEXT(macro, __VA_ARGS__)))
#define FOR_EACH_NEXT(macro, first, ...) \
    macro(first) __VA_OPT__(FOR_EACH_AGAIN MESSAGE_PARENS(macro, __VA_ARGS__))
#define FOR_EACH_AGAIN() FOR_EACH_NEXT

#define FIELD_DECLARE_(type, name, ...) field_##type name;
#define FIELD_DECLARE(tuple) FIELD_DECLARE_ tuple
#define FIELD_COUNT_ONE(tuple) +1

// In ipc.def the lists are written IN(...), OUT(...), TAKES(...), GIVES(...): they stay bare lists
// in parentheses until a user unpacks them.
#define IN(...) (__VA_ARGS__)
#define OUT(...) (__VA_ARGS__)
#define TAKES(...) (__VA_ARGS__)
#define GIVES(...) (__VA_ARGS__)
#define MESSAGE_UNPACK(...) __VA_ARGS__
#define FOR_EACH_IN(macro, list) FOR_EACH_IN_(macro, MESSAGE_UNPACK list)
#define FOR_EACH_IN_(macro, ...) FOR_EACH(macro, __VA_ARGS__)
#define LIST_LENGTH(list) (0 FOR_EACH_IN(FIELD_COUNT_ONE, list))

// --- interfaces ---
enum interface {
#define INTERFACE(name, number, kind, text) INTERFACE_##name = number,
#define MESSAGE(...)
#include "ipc.def"
#undef INTERFACE
#undef MESSAGE
};

// --- labels ---
enum label {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, ...) \
    LABEL_##interface##_##name = INTERFACE_##interface << 8 | (number),
#include "ipc.def"
#undef MESSAGE
};
#define LABEL_INTERFACE(label) ((label) >> 8)

// --- typed bodies: struct pool_create_in, struct pool_create_out ... ---
#define MESSAGE(interface, name, number, mode, right, in, out, takes, gives, list, text) \
    __extension__ struct interface##_##name##_in {                                     \
        FOR_EACH_IN(FIELD_DECLARE, in)                                                  \
    };                                                                                  \
    __extension__ struct interface##_##name##_out {                                    \
        FOR_EACH_IN(FIELD_DECLARE, out)                                                 \
    };                                                                                  \
    _Static_assert(sizeof(struct interface##_##name##_in) < TAG_WORDS_MAX * 4,          \
                   #interface "_" #name ": request too long");                          \
    _Static_assert(sizeof(struct interface##_##name##_out) <= TAG_WORDS_MAX * 4,        \
                   #interface "_" #name ": reply too long");                            \
    _Static_assert(LIST_LENGTH(takes) <= TAG_HANDLES_MAX, "too many handles");          \
    _Static_assert(LIST_LENGTH(gives) <= TAG_HANDLES_MAX, "too many handles");          \
    _Static_assert((number) < 256, "a message number is eight bits");
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
#define BODY_WORDS(body) (sizeof(body) / 4)

// Words that a request has: WORDS_pager_map ...; a number follows the body of a ONCE to a server.
#define INTERFACE_FIRST_SERVER 32
#define NUMBER_WORDS_REPEAT(interface) 0
#define NUMBER_WORDS_ONCE(interface) ((interface) >= INTERFACE_FIRST_SERVER)
enum request_words {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, ...)                         \
    WORDS_##interface##_##name = BODY_WORDS(struct interface##_##name##_in) + \
                                 NUMBER_WORDS_##mode(INTERFACE_##interface),
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};

// --- values of fields ---
enum { PAGE_STATE_NONE, PAGE_STATE_UNTOUCHED, PAGE_STATE_RESIDENT, PAGE_STATE_SWAPPED };
enum { ADVICE_FREE = 1 };
enum { FRAMES_ANY, FRAMES_RUN = 1, FRAMES_LOW = 2 };  // frames_alloc flags: one run; below 896 MiB
enum law {  // 0: none is broken
#define LAW(name, number, text) LAW_##name = number,
#include "law.def"
#undef LAW
};
enum {
    LAW_LAST = 0
#define LAW(...) +1
#include "law.def"
#undef LAW
};
enum { PINS_MAX = 15 };  // of a frame at a time
enum { SHARE_DEFAULT = 10, SHARE_MAX = 100 };  // of CPU time: milliseconds in a round
enum { TASK_STATE_NEW, TASK_STATE_ALIVE, TASK_STATE_DEAD };
enum {
    CAUSE_EXIT,      // it said so
    CAUSE_FAULT,     // a fault that its pager refused
    CAUSE_KILLED,    // somebody with the right to
};
