// SPDX-License-Identifier: MIT
#include "invoke.h"
#include "cpu.h"
#include "tracepoint.h"

typedef error_t (*answer_function)(const struct invocation *, const void *, void *);

struct message_kind {
    answer_function answer;
    tag_t asked, answered;
    uint32_t rights;
};

#define MESSAGES_MAX 16u
static const struct message_kind kinds[OBJECT_TYPES][MESSAGES_MAX] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, ...)                              \
    [INTERFACE_##interface][number] = {(answer_function)(void (*)(void))answer_##interface##_##name, \
                                       TAG(LABEL_##interface##_##name,                  \
                                           BODY_WORDS(struct interface##_##name##_in), 0, 0), \
                                       TAG(LABEL_##interface##_##name,                  \
                                           BODY_WORDS(struct interface##_##name##_out), 0, 0), \
                                       right},
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};

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

// A tag that is not the one of any message with this number: an unknown label, or a wrong length.
static __attribute__((noinline)) error_t tag_error(tag_t tag, uint32_t type) {
    uint32_t number = TAG_LABEL(tag) & 0xffu;
    bool known = LABEL_INTERFACE(TAG_LABEL(tag)) == type && number < MESSAGES_MAX &&
                 kinds[type][number].answer != NULL;
    return known ? E_LENGTH : E_MESSAGE;
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
static uint32_t in[TAG_WORDS_MAX], out[TAG_WORDS_MAX];
static struct invocation invocation;

error_t invoke_object(struct thread *thread, const struct handle_entry *entry, tag_t tag) {
    struct object *object = entry->object;
    const struct message_kind *kind = &kinds[object->type][tag % MESSAGES_MAX];
    if (tag != kind->asked || kind->answer == NULL) {
        return tag_error(tag, object->type);
    }
    if (kind->rights & ~entry->rights) {
        return E_RIGHT;
    }
    in[0] = thread->registers.edi;
    in[1] = thread->registers.ebp;
    if (TAG_WORDS(tag) > 2) {
        words_copy(in + 2, thread->buffer->word + 2, TAG_WORDS(tag) - 2);
    }
    out[0] = out[1] = out[2] = 0;
    invocation = (struct invocation){thread, thread->task, object, object->body, entry,
                                     thread->buffer};
    error_t error = kind->answer(&invocation, in, out);
    if (current_thread != thread) {
        return OK;  // it has ended itself: there is nobody to tell
    }
    // A record that somebody had written stands there already.
    if (__builtin_expect(trace_mask & 1u << EVENT_kernel_call, 0) && TAG_LABEL(tag) != LABEL_trace_emit) {
        trace_record(EVENT_kernel_call, thread, object_slot(object), 0, tag, in[0], in[1], error);
    }
    if (error == OK) {
        answer_return(thread, kind->answered, out);
    }
    return error;
}
