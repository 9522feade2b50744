// SPDX-License-Identifier: MIT
// Messages to kernel objects: look-up, checks that all of them share, dispatch. The dispatch table
// is an expansion of abi/ipc.def; each answer_ function stands with its object.
#pragma once
#include "message.h"
#include "thread.h"

// One message that is being answered: fast.asm pushes it.
struct invocation {
    struct thread *thread;        // who asks
    struct task *task;
    void *body;                   // of the object that is asked
    const struct handle_entry *handle;  // names it
    struct message_buffer *buffer;  // of the thread; what it holds is the caller's allegation
    const struct message_kind *kind;
    const struct object *object;  // that is asked; it may end
    const struct handle_entry *found;  // what the request's handle names, if its fields were checked
    uint32_t out[TAG_WORDS_MAX], in[TAG_WORDS_MAX];
};

typedef error_t (*answer_function)(struct invocation *, const void *, void *);

// How a message is answered, and what it must be asked with.
struct message_kind {
    answer_function answer;   // to be called: its own answer, or invoke_checked()
    tag_t asked, answered;
    uint32_t rights;
    answer_function checked;  // what its own answer is
    uint16_t fields, field_count;  // which they are in the table of all (invoke.c)
};
#define MESSAGES_MAX 16u  // of an interface

extern const struct message_kind *const kinds_first[];

// fast.asm finds the message, calls its answer and returns what that says. These: what is wrong with
// a message that it refuses; the trace of one that was answered.
error_t invoke_error(const struct handle_entry *entry, tag_t tag);
void invoke_trace(tag_t answer, const struct invocation *invocation);

// The event in which a source (timer, interrupt, death) shall set `bits`: as with OP_SIGNAL, a handle
// with a badge is good for the badge's bits only. NULL: *error says why.
struct handle_entry *invoke_source(const struct invocation *invocation, handle_t handle,
                                   uint32_t bits, error_t *error);

// A new object charged to `pool`; its handle goes into the caller's empty slot with all rights, but for
// calls that its rank forbids. NULL: E_MEMORY.
struct object *invoke_create(const struct invocation *invocation, uint32_t slot,
                             enum object_type type, uint32_t bytes, struct pool *pool);
// The answer of all that ends at once when it is destroyed.
error_t invoke_reap(const struct invocation *invocation);
void invoke_handle_new(const struct invocation *invocation, uint32_t slot, struct object *object);

// answer_pool_info(), answer_pool_create() ...: check what the fields' types do not say, then act
// without failing. They share one signature, and few need all of it.
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define INTERFACE(...)
#define MESSAGE(interface, name, ...)                                                        \
    error_t answer_##interface##_##name(const struct invocation *invocation,                 \
                                        const struct interface##_##name##_in *in,            \
                                        struct interface##_##name##_out *out);
#define IPC_FIRST 1
#define IPC_LAST 11
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
