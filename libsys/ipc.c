// SPDX-License-Identifier: MIT
// Moves words between C structs, the message buffer and the five registers.
#include "ipc.h"

static void words_copy(uint32_t *to, const uint32_t *from, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

error_t ipc_call(handle_t handle, uint32_t label, const void *in, uint32_t in_words, void *out,
                 uint32_t out_words, uint32_t takes) {
    const uint32_t *request = in;
    uint32_t *reply = out;
    struct message_buffer *buffer = message_buffer();
    struct ipc_registers r = {.eax = handle | OP_CALL, .ebx = TAG(label, in_words, takes, 0)};
    if (in_words > 0) {
        r.edi = request[0];
    }
    if (in_words > 1) {
        r.ebp = request[1];
    }
    if (in_words > 2) {
        words_copy(buffer->word + 2, request + 2, in_words - 2);
    }
    ipc_enter(&r);
    if (TAG_IS_ERROR(r.eax)) {
        return TAG_TO_ERROR(r.eax);
    }
    uint32_t registers[3] = {r.edi, r.ebp, r.ebx};
    uint32_t got = MIN_OF(TAG_WORDS(r.eax), out_words);
    words_copy(reply, registers, MIN_OF(got, 3));
    if (got > 3) {
        words_copy(reply + 3, buffer->word + 3, got - 3);
    }
    for (uint32_t i = got; i < out_words; i++) {
        reply[i] = 0;
    }
    return OK;
}

uint32_t ipc_number(void) {
    static uint32_t last;
    last += last == UINT32_MAX ? 2 : 1;
    return last;
}

static void receive(handle_t port, enum operation operation, struct received *received) {
    struct ipc_registers r = {.eax = port | operation};
    ipc_enter(&r);
    *received = (struct received){r.eax, r.ebx, r.esi, {r.edi, r.ebp}};
}

void ipc_receive(handle_t port, struct received *received) {
    receive(port, OP_RECEIVE, received);
}

void ipc_poll(handle_t port, struct received *received) {
    receive(port, OP_POLL, received);
}

static struct ipc_registers reply_registers(handle_t port, enum operation operation, token_t token,
                                            tag_t tag, const uint32_t *words) {
    struct ipc_registers r = {.eax = port | operation, .ebx = token, .esi = tag};
    uint32_t count = TAG_IS_ERROR(tag) ? 0 : TAG_WORDS(tag);
    if (count > 0) {
        r.edi = words[0];
    }
    if (count > 1) {
        r.ebp = words[1];
    }
    if (count > 2) {
        words_copy(message_buffer()->word + 2, words + 2, count - 2);
    }
    return r;
}

error_t ipc_reply(token_t token, tag_t tag, const uint32_t *words) {
    struct ipc_registers r = reply_registers(0, OP_REPLY, token, tag, words);
    ipc_enter(&r);
    return TAG_TO_ERROR(r.eax);
}

void ipc_reply_receive(handle_t port, token_t token, tag_t tag, const uint32_t *words,
                       struct received *received) {
    struct ipc_registers r = reply_registers(port, OP_REPLY_RECEIVE, token, tag, words);
    ipc_enter(&r);
    *received = (struct received){r.eax, r.ebx, r.esi, {r.edi, r.ebp}};
}

static struct ipc_registers map_registers(handle_t port, enum operation operation, token_t token,
                                          const struct map_item *items, uint32_t count) {
    struct message_buffer *buffer = message_buffer();
    for (uint32_t i = 1; i < count; i++) {
        buffer->item[i] = items[i];
    }
    return (struct ipc_registers){.eax = port | operation, .ebx = token,
                                  .esi = TAG(0, 0, 0, count), .edi = items[0].page,
                                  .ebp = items[0].frame};
}

error_t ipc_reply_map(token_t token, const struct map_item *items, uint32_t count) {
    struct ipc_registers r = map_registers(0, OP_REPLY, token, items, count);
    ipc_enter(&r);
    return TAG_TO_ERROR(r.eax);
}

void ipc_reply_map_receive(handle_t port, token_t token, const struct map_item *items,
                           uint32_t count, struct received *received) {
    struct ipc_registers r = map_registers(port, OP_REPLY_RECEIVE, token, items, count);
    ipc_enter(&r);
    *received = (struct received){r.eax, r.ebx, r.esi, {r.edi, r.ebp}};
}

error_t ipc_signal(handle_t event) {
    struct ipc_registers r = {.eax = event | OP_SIGNAL};
    ipc_enter(&r);
    return TAG_TO_ERROR(r.eax);
}

const char *error_text(error_t error) {
    switch (error) {
#define ERROR(name, number, text) \
    case name:                    \
        return text;
#include "error.def"
#undef ERROR
    }
    return "an unknown error";
}
