// SPDX-License-Identifier: MIT
// Dispatch for a server: define SERVE_NUMBER (the interface's number in abi/ipc.def), write one
// function per message, include this file (before or after them), then call serve_request().
//
//   static int serve_pager_map(const struct request *request, const struct pager_map_in *in,
//                              struct pager_map_out *out);
//
// It returns an error_t (OK: `out` is sent), or REPLY_LATER. The number of words and handles was
// checked before; values were not: every field is an allegation of the caller's.
// SERVE_ONCE(request), if defined: the caller's struct once_entry, NULL if there is no room for it.
#include "once.h"

#ifndef LIBSYS_SERVE_ONCE
#define LIBSYS_SERVE_ONCE
struct request {
    token_t token;
    badge_t badge;
    uint32_t handles;   // that came with it: message_buffer()->handle[]
    uint32_t number;    // of a ONCE, by the caller's count; 0: it has none
};
#define REPLY_LATER (-1)
#endif

union serve_body {
    uint32_t word[TAG_WORDS_MAX];
#define INTERFACE(...)
#define MESSAGE(interface, message, ...)                        \
    struct interface##_##message##_in interface##_##message##_in_; \
    struct interface##_##message##_out interface##_##message##_out_;
#define IPC_FIRST SERVE_NUMBER
#define IPC_LAST SERVE_NUMBER
#include "ipc.def"
#undef MESSAGE
};

#define MESSAGE(interface, message, ...)                                             \
    static int serve_##interface##_##message(const struct request *request,          \
                                             const struct interface##_##message##_in *in, \
                                             struct interface##_##message##_out *out);
#define IPC_FIRST SERVE_NUMBER
#define IPC_LAST SERVE_NUMBER
#include "ipc.def"
#undef MESSAGE

static uint32_t serve_number(tag_t tag, const uint32_t *word) {
    uint32_t words = 0;
    switch (TAG_LABEL(tag)) {
#define MESSAGE(interface, message, number, mode, ...)                                        \
    case LABEL_##interface##_##message:                                                       \
        words = NUMBER_WORDS_##mode(INTERFACE_##interface) ? WORDS_##interface##_##message : 0; \
        break;
#define IPC_FIRST SERVE_NUMBER
#define IPC_LAST SERVE_NUMBER
#include "ipc.def"
#undef MESSAGE
    default:
        break;
    }
    return words > 0 && TAG_WORDS(tag) == words ? word[words - 1] : 0;
}

static tag_t serve_dispatch(tag_t tag, const struct request *request, const union serve_body *body,
                            union serve_body *reply) {
    int result = E_MESSAGE;
    switch (TAG_LABEL(tag)) {
#define MESSAGE(interface, message, number, mode, right, in, out, takes, gives, list, text)   \
    case LABEL_##interface##_##message:                                                       \
        if (TAG_WORDS(tag) != WORDS_##interface##_##message ||                                \
            request->handles != LIST_LENGTH(takes)) {                                         \
            return TAG_ERROR(E_LENGTH);                                                       \
        }                                                                                     \
        __builtin_memset(reply, 0, sizeof(struct interface##_##message##_out));               \
        result = serve_##interface##_##message(request, &body->interface##_##message##_in_,   \
                                               &reply->interface##_##message##_out_);         \
        if (result == OK) {                                                                   \
            return TAG(TAG_LABEL(tag), BODY_WORDS(struct interface##_##message##_out),        \
                       LIST_LENGTH(gives), 0);                                                \
        }                                                                                     \
        break;
#define IPC_FIRST SERVE_NUMBER
#define IPC_LAST SERVE_NUMBER
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
    default:
        break;
    }
    return result == REPLY_LATER ? 0 : TAG_ERROR(result);
}

// Serve one received request: returns the tag to reply with (body in *reply), or 0 for
// REPLY_LATER. Never call it for events or errors.
static tag_t serve_request(const struct received *received, union serve_body *reply) {
    union serve_body body;
    uint32_t words = TAG_WORDS(received->tag);
    body.word[0] = received->word[0];
    body.word[1] = received->word[1];
    for (uint32_t i = 2; i < words && i < TAG_WORDS_MAX; i++) {
        body.word[i] = message_buffer()->word[i];
    }
    struct request request = {received->token, received->badge, TAG_HANDLES(received->tag),
                              serve_number(received->tag, body.word)};
#ifdef SERVE_ONCE
    struct once_entry *once = request.number == 0 ? NULL : SERVE_ONCE(&request);
    if (request.number != 0 && once == NULL) {
        return TAG_ERROR(E_LIMIT);
    }
    if (once != NULL && once->number == request.number) {  // done before, and never heard of
        __builtin_memcpy(reply->word, once->word, sizeof(once->word));
        return once->tag;
    }
#endif
    tag_t tag = serve_dispatch(received->tag, &request, &body, reply);
#ifdef SERVE_ONCE
    if (once != NULL && tag != 0) {
        once_keep(once, request.number, tag, reply->word);
    }
#endif
    return tag;
}
