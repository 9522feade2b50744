// SPDX-License-Identifier: MIT
#include "invoke.h"
#include "reap.h"
#include "tracepoint.h"

// Where an interface's messages, and a message's fields, begin in the tables of all, in the order of
// abi/ipc.def.
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
enum {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, in, ...) \
    FIELDS_##interface##_##name,                               \
        FIELDS_END_##interface##_##name = FIELDS_##interface##_##name + LIST_LENGTH(in) - 1,
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};

// What is legal for a field, as far as its type and the bounds in ipc.def say. What depends on the
// object that is asked (frame, device, room, rights, offset ...) is left to the answer, as u32 is.
enum check { CHECK_NONE, CHECK_NUMBER, CHECK_FLAGS, CHECK_PAGE, CHECK_HANDLE, CHECK_SLOT };
struct field {
    uint32_t most;  // CHECK_HANDLE: rights; CHECK_PAGE: the first page
    uint8_t least;  // CHECK_HANDLE: type
    uint8_t check;
};
#define CHECKS_u32() 0, 0, CHECK_NONE
#define CHECKS_number(least, most) most, least, CHECK_NUMBER
#define CHECKS_flags(all) all, 0, CHECK_FLAGS
#define CHECKS_page(...) CHECKS_page_(__VA_ARGS__ __VA_OPT__(,) LAYOUT_USER_FIRST, 0)
#define CHECKS_page_(least, ...) least, 0, CHECK_PAGE
#define CHECKS_frame() CHECKS_u32()
#define CHECKS_device() CHECKS_u32()
#define CHECKS_room() CHECKS_u32()
#define CHECKS_handle(type, rights) rights, INTERFACE_##type, CHECK_HANDLE
#define CHECKS_slot() 0, 0, CHECK_SLOT
#define CHECKS_any_slot() CHECKS_u32()
#define CHECKS_rights() CHECKS_u32()
#define CHECKS_badge(...) CHECKS_badge_(__VA_ARGS__ __VA_OPT__(,) 0, UINT32_MAX, 0)
#define CHECKS_badge_(least, most, ...) most, least, CHECK_NUMBER
#define CHECKS_offset() CHECKS_u32()
#define CHECKS_text() TEXT_BYTES, 0, CHECK_NUMBER
#define CHECKS_(type, name, ...) {CHECKS_##type(__VA_ARGS__)},
#define CHECKS(tuple) CHECKS_ tuple
#define INTERFACE_any OBJECT_NONE
static const struct field fields[] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, in, ...) FOR_EACH_IN(CHECKS, in)
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};

// These check all by themselves: what is asked often, lists of frames, what names another's slot.
#define CHECKS_ITSELF(label)                                                                     \
    ((label) == LABEL_task_map || (label) == LABEL_task_unmap || (label) == LABEL_task_protect || \
     (label) == LABEL_task_scan || (label) == LABEL_task_handle_give ||                          \
     (label) == LABEL_pool_frames_alloc || (label) == LABEL_pool_frames_free ||                  \
     (label) == LABEL_pool_frames_give || (label) == LABEL_pool_frames_pin ||                    \
     (label) == LABEL_pool_frames_unpin || (label) == LABEL_trace_attach)

static error_t invoke_checked(struct invocation *invocation, const void *in, void *out);

// A number too large for its interface finds another interface's message, or none: with a tag that
// it cannot have.
#define ANSWER(interface, name) ((answer_function)(void (*)(void))answer_##interface##_##name)
static const struct message_kind kinds[KINDS + MESSAGES_MAX] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, in, ...)                          \
    {LIST_LENGTH(in) == 0 || CHECKS_ITSELF(LABEL_##interface##_##name)                  \
         ? ANSWER(interface, name) : invoke_checked,                                    \
     TAG(LABEL_##interface##_##name, BODY_WORDS(struct interface##_##name##_in), 0, 0), \
     TAG(LABEL_##interface##_##name, BODY_WORDS(struct interface##_##name##_out), 0, 0), right, \
     ANSWER(interface, name), FIELDS_##interface##_##name, LIST_LENGTH(in)},
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};
const struct message_kind *const kinds_first[OBJECT_TYPES] = {
#define INTERFACE(name, number, ...) [number] = &kinds[KINDS_##name],
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

struct handle_entry *invoke_source(const struct invocation *invocation, handle_t handle,
                                   uint32_t bits, error_t *error) {
    struct handle_entry *entry =
        handle_find(invocation->task, handle, OBJECT_EVENT, RIGHT_SIGNAL, error);
    if (entry != NULL && entry->badge != 0 && bits & ~entry->badge) {
        *error = E_RIGHT;
        return NULL;
    }
    return entry;
}

void invoke_handle_new(const struct invocation *invocation, uint32_t slot, struct object *object) {
    uint32_t rights = RIGHT_ALL;
    if (handle_rank_check(invocation->task, object, rights) != OK) {
        rights &= ~(uint32_t)RIGHT_CALL;
    }
    handle_set(invocation->task, slot, object, rights, 0);
}

error_t invoke_reap(const struct invocation *invocation) {
    reap_object(invocation->handle->object);
    return OK;
}

struct object *invoke_create(const struct invocation *invocation, uint32_t slot,
                             enum object_type type, uint32_t bytes, struct pool *pool) {
    struct object *object = object_create(type, bytes, pool);
    if (object != NULL) {
        invoke_handle_new(invocation, slot, object);
    }
    return object;
}

static __attribute__((noinline)) error_t field_check(struct invocation *invocation, const struct field *field,
                           const uint32_t *word) {
    error_t error = OK;
    switch ((enum check)field->check) {
    case CHECK_NUMBER:
        return *word - field->least > field->most - field->least ? E_ARGUMENT : OK;
    case CHECK_FLAGS:
        return (*word & ~field->most) != 0 ? E_ARGUMENT : OK;
    case CHECK_PAGE:
        return PAGE_OFFSET(*word) == 0 && *word - field->most < LAYOUT_KERNEL - field->most
                   ? OK : E_ADDRESS;
    case CHECK_SLOT:
        return handle_slot_check(invocation->task, *word);
    case CHECK_HANDLE:  // of an event, to signal: the bits follow
        invocation->found =
            field->most == RIGHT_SIGNAL
                ? invoke_source(invocation, *word, word[1], &error)
                : handle_find(invocation->task, *word, field->least, field->most, &error);
        return error;
    case CHECK_NONE:
        break;
    }
    return OK;
}

static error_t invoke_checked(struct invocation *invocation, const void *in, void *out) {
    const struct message_kind *kind = invocation->kind;
    error_t error = OK;
    for (uint32_t i = 0; i < kind->field_count && error == OK; i++) {
        error = field_check(invocation, &fields[kind->fields + i], (const uint32_t *)in + i);
    }
    return error == OK ? kind->checked(invocation, in, out) : error;
}

error_t invoke_error(const struct handle_entry *entry, tag_t tag) {
    const struct message_kind *kind = &kinds_first[entry->object->type][tag % MESSAGES_MAX];
    if (tag == kind->asked && kind->answer != NULL) {
        return E_RIGHT;
    }
    return TAG_LABEL(tag) == TAG_LABEL(kind->asked) ? E_LENGTH : E_MESSAGE;
}

// A record that somebody had written stands there already.
void invoke_trace(tag_t answer, const struct invocation *invocation) {
    tag_t asked = invocation->kind->asked;
    if (TAG_LABEL(asked) != LABEL_trace_emit) {
        TRACE_THREAD(kernel_call, invocation->thread, object_slot(invocation->object), 0, asked,
                     invocation->in[0], invocation->in[1],
                     TAG_TO_ERROR(answer));
    }
}
