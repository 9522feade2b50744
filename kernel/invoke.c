// SPDX-License-Identifier: MIT
#include "invoke.h"
#include "cpu.h"
#include "tracepoint.h"

typedef error_t (*answer_function)(const struct invocation *, const void *, void *);

struct message_kind {
    answer_function answer;
    uint8_t in_words, out_words;
    uint8_t rights;
};

#define MESSAGES_MAX 16u
static const struct message_kind kinds[OBJECT_TYPES][MESSAGES_MAX] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, ...)                              \
    [INTERFACE_##interface][number] = {(answer_function)(void (*)(void))answer_##interface##_##name, \
                                       BODY_WORDS(struct interface##_##name##_in),      \
                                       BODY_WORDS(struct interface##_##name##_out), right},
#define IPC_FIRST 1
#define IPC_LAST 10
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};

static const struct message_kind *kind_find(uint32_t label, uint32_t type) {
    uint32_t number = label & 0xffu;
    if (LABEL_INTERFACE(label) != type || number >= MESSAGES_MAX ||
        kinds[type][number].answer == NULL) {
        return NULL;
    }
    return &kinds[type][number];
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

error_t invoke_object(struct thread *thread, const struct handle_entry *entry, tag_t tag) {
    const struct message_kind *kind = kind_find(TAG_LABEL(tag), entry->object->type);
    if (kind == NULL) {
        return E_MESSAGE;
    }
    if (tag != TAG(TAG_LABEL(tag), kind->in_words, 0, 0)) {
        return E_LENGTH;
    }
    if ((entry->rights & kind->rights) != kind->rights) {
        return E_RIGHT;
    }
    uint32_t in[TAG_WORDS_MAX], out[TAG_WORDS_MAX];
    uint32_t peer = object_slot(entry->object);
    in[0] = thread->registers.edi;
    in[1] = thread->registers.ebp;
    for (uint32_t i = 2; i < kind->in_words; i++) {
        in[i] = thread->buffer->word[i];
    }
    out[0] = out[1] = out[2] = 0;
    struct invocation invocation = {thread, thread->task, entry->object, entry->object->body,
                                    entry, thread->buffer};
    error_t error = kind->answer(&invocation, in, out);
    if (current_thread != thread) {
        return OK;  // it has ended itself: there is nobody to tell
    }
    if (TAG_LABEL(tag) != LABEL_trace_emit) {  // whose record stands there already
        TRACE_THREAD(kernel_call, thread, peer, 0, tag, in[0], in[1], error);
    }
    if (error == OK) {
        answer_return(thread, TAG(TAG_LABEL(tag), kind->out_words, 0, 0), out);
    }
    return error;
}
