// SPDX-License-Identifier: MIT
#include "invoke.h"
#include "cpu.h"
#include "tracepoint.h"

// Where an interface's messages begin in the table of all, in the order of abi/ipc.def.
enum {
#define INTERFACE(name, ...) KINDS_##name, KINDS_BEFORE_##name = KINDS_##name - 1,
#define MESSAGE(interface, name, ...) KIND_##interface##_##name,
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
    KINDS
};

// A number too large for its interface finds another interface's message, or none: with a tag that
// it cannot have.
const struct message_kind kinds[KINDS + MESSAGES_MAX] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, ...)                              \
    {(answer_function)(void (*)(void))answer_##interface##_##name,                      \
     TAG(LABEL_##interface##_##name, BODY_WORDS(struct interface##_##name##_in), 0, 0), \
     TAG(LABEL_##interface##_##name, BODY_WORDS(struct interface##_##name##_out), 0, 0), right},
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};
const uint8_t kinds_first[OBJECT_TYPES] = {
#define INTERFACE(name, number, ...) [number] = KINDS_##name,
#define MESSAGE(...)
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};
#define INTERFACE(...)
#define MESSAGE(interface, name, number, ...)                                              \
    _Static_assert(KIND_##interface##_##name == KINDS_##interface + (number) &&            \
                       (number) < MESSAGES_MAX, "numbers count from 0, and have four bits");
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE

struct object *event_for_source(const struct invocation *invocation, handle_t handle,
                                uint32_t bits, error_t *error) {
    const struct handle_entry *entry =
        handle_find(invocation->task, handle, OBJECT_EVENT, RIGHT_SIGNAL, error);
    if (entry != NULL && entry->badge != 0 && bits & ~entry->badge) {
        *error = E_RIGHT;
        return NULL;
    }
    return entry == NULL ? NULL : entry->object;
}

struct object *invoke_create(const struct invocation *invocation, uint32_t slot,
                             enum object_type type, uint32_t bytes, struct pool *pool,
                             error_t *error) {
    *error = handle_slot_check(invocation->task, slot);
    if (*error != OK) {
        return NULL;
    }
    struct object *object = object_create(type, bytes, pool);
    if (object == NULL) {
        *error = E_MEMORY;
        return NULL;
    }
    handle_set(invocation->task, slot, object, RIGHT_ALL, 0);
    return object;
}

static const struct message_kind *kind_find(const struct object *object, tag_t tag) {
    return &kinds[kinds_first[object->type] + tag % MESSAGES_MAX];
}

static void answer_return(struct thread *thread, tag_t tag, const uint32_t *words) {
    struct registers *r = &thread->registers;
    r->eax = tag;
    r->edi = words[0];
    r->ebp = words[1];
    r->ebx = words[2];
    for (uint32_t i = 3; i < TAG_WORDS(tag); i++) {
        thread->buffer->word[i] = words[i];
    }
}

// Of the one message that is being answered.
struct invocation invoke_now;
uint32_t invoke_in[TAG_WORDS_MAX], invoke_out[TAG_WORDS_MAX];

error_t invoke_object(struct thread *thread, const struct handle_entry *entry, tag_t tag) {
    struct object *object = entry->object;
    const struct message_kind *kind = kind_find(object, tag);
    if (tag != kind->asked || kind->answer == NULL) {
        return TAG_LABEL(tag) == TAG_LABEL(kind->asked) ? E_LENGTH : E_MESSAGE;
    }
    if (kind->rights & ~entry->rights) {
        return E_RIGHT;
    }
    uint32_t *in = invoke_in, *out = invoke_out;
    in[0] = thread->registers.edi;
    in[1] = thread->registers.ebp;
    if (TAG_WORDS(tag) > 2) {
        words_copy(in + 2, thread->buffer->word + 2, TAG_WORDS(tag) - 2);
    }
    out[0] = out[1] = out[2] = 0;
    invoke_now = (struct invocation){thread, thread->task, object->body, entry, thread->buffer};
    error_t error = kind->answer(&invoke_now, in, out);
    if (current_thread != thread) {
        return OK;  // it has ended itself: there is nobody to tell
    }
    // A record that somebody had written stands there already.
    if (__builtin_expect(trace_mask & 1u << EVENT_kernel_call, 0) &&
        TAG_LABEL(tag) != LABEL_trace_emit) {
        trace_record(EVENT_kernel_call, thread, object_slot(object), 0, tag, in[0], in[1], error);
    }
    if (error == OK) {
        answer_return(thread, kind->answered, out);
    }
    return error;
}
