// SPDX-License-Identifier: MIT
// The message path for programs and servers: raw operations and one generic call under all stubs.
// Does not know any single message: stubs.h expands those from abi/ipc.def.
#pragma once
#include "boot.h"
#include "layout.h"
#include "message.h"

struct ipc_registers {
    uint32_t eax, ebx, esi, edi, ebp;
};

// Enter the kernel with these registers; DESIGN of each operation in abi/ipc.h.
void ipc_enter(struct ipc_registers *registers);

// The message buffer of the task's first thread. Threads that a program makes itself use
// ipc_enter() with buffers of their own.
static inline struct message_buffer *message_buffer(void) {
    return (struct message_buffer *)LAYOUT_BUFFER;
}

// What start_info a wired server finds.
static inline const struct start_info *start_info(void) {
    return (const struct start_info *)LAYOUT_START;
}

struct received {
    tag_t tag;      // error (TAG_IS_ERROR), LABEL_EVENT with word[0] = bits, or a request
    token_t token;  // names the waiting caller in the reply
    badge_t badge;  // which client
    uint32_t word[2];
};

// Call: send `in` (in_words words) with `label`, wait, put the reply's words into `out`
// (at most out_words; the rest of out is zeroed when the reply is shorter).
// takes handles must stand in message_buffer()->handle. Returns the error of kernel or server.
__attribute__((warn_unused_result)) error_t ipc_call(handle_t handle, uint32_t label,
                                                     const void *in, uint32_t in_words, void *out,
                                                     uint32_t out_words, uint32_t takes);

// A number for a request that must be done once: never 0, and another one each time.
uint32_t ipc_number(void);

// Receive from `port` (0: the thread's event alone). Never returns for ipc_receive() without a
// message, an event or an error; ipc_poll() returns E_EMPTY in *received's tag at once. Any receive
// may end with E_EMPTY after messages were turned away for their handles: receive again.
void ipc_receive(handle_t port, struct received *received);
void ipc_poll(handle_t port, struct received *received);

// Reply words (words[0 .. TAG_WORDS(tag))) to the caller named by token. E_TOKEN: it no longer
// waits. tag may be TAG_ERROR(e). Words 2 and up are copied through the message buffer.
__attribute__((warn_unused_result)) error_t ipc_reply(token_t token, tag_t tag,
                                                      const uint32_t *words);

// Reply, then receive in the same kernel entry. If the reply fails, nothing is received and
// received->tag is the error; with E_EMPTY the reply has arrived, and nothing is received.
void ipc_reply_receive(handle_t port, token_t token, tag_t tag, const uint32_t *words,
                       struct received *received);

// Answer a fault with `count` map items (1 to 16), alone or followed by a receive.
__attribute__((warn_unused_result)) error_t ipc_reply_map(token_t token,
                                                          const struct map_item *items,
                                                          uint32_t count);
void ipc_reply_map_receive(handle_t port, token_t token, const struct map_item *items,
                           uint32_t count, struct received *received);

// Set the bits of the handle's badge in the event.
__attribute__((warn_unused_result)) error_t ipc_signal(handle_t event);

// The English sentence of abi/error.def.
const char *error_text(error_t error);

static inline field_name name_of(const char *text) {
    field_name name = {{0}};
    for (uint32_t i = 0; *text != 0 && i < NAME_BYTES - 1; i++) {
        name.bytes[i] = *text++;
    }
    return name;
}

static inline field_text text_of(const char *text) {
    field_text field = {0};
    while (*text != 0 && field.length < TEXT_BYTES) {
        field.bytes[field.length++] = *text++;
    }
    return field;
}
