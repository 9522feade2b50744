// SPDX-License-Identifier: MIT
// One typed call per message of abi/ipc.def:
//   error_t pool_frames_alloc(handle_t object, u32 count, u32 flags, struct pool_frames_alloc_out *out)
// A message without reply fields has no `out`; handles that travel with the request (TAKES) come
// after the fields. Lists are read from and written to message_buffer()->list.
// A message to a server that was restarted before it answered is sent again; one that must be done
// only once carries the same number then, and the new server knows what the old one has done.
#pragma once
#include "ipc.h"

#define STUB_PARAMETER_(type, name, ...) , field_##type name
#define STUB_PARAMETER(tuple) STUB_PARAMETER_ tuple
#define STUB_VALUE_(type, name, ...) .name = name,
#define STUB_VALUE(tuple) STUB_VALUE_ tuple
#define STUB_TAKE(name) , handle_t take_##name
#define STUB_TAKE_STORE(name) message_buffer()->handle[taken++] = take_##name;
#define STUB_OUT(body, list) STUB_OUT_(body, MESSAGE_UNPACK list)
#define STUB_OUT_(body, ...) STUB_OUT__(body, __VA_ARGS__)
#define STUB_OUT__(body, ...) __VA_OPT__(, body *out)

#define INTERFACE(...)
#define MESSAGE(interface, message, number, mode, right, in, out_fields, takes, gives, list, text) \
    __attribute__((warn_unused_result)) static inline error_t interface##_##message(               \
        handle_t object FOR_EACH_IN(STUB_PARAMETER, in) FOR_EACH_IN(STUB_TAKE, takes)                  \
            STUB_OUT(struct interface##_##message##_out, out_fields)) {                            \
        __extension__ struct {                                                                     \
            struct interface##_##message##_in body;                                                \
            uint32_t once;                                                                         \
        } request = {{FOR_EACH_IN(STUB_VALUE, in)}, 0};                                            \
        if (NUMBER_WORDS_##mode(INTERFACE_##interface)) {                                          \
            request.once = ipc_number();                                                           \
        }                                                                                          \
        for (;;) {                                                                                 \
            uint32_t taken = 0;                                                                    \
            FOR_EACH_IN(STUB_TAKE_STORE, takes)                                                    \
            error_t error = ipc_call(object, LABEL_##interface##_##message, &request,              \
                                     WORDS_##interface##_##message, STUB_OUT_USE(out_fields),      \
                                     BODY_WORDS(struct interface##_##message##_out), taken);       \
            if (error != E_RESTARTED || (INTERFACE_##interface) < INTERFACE_FIRST_SERVER) {        \
                return error;  /* kernel objects are never restarted */                            \
            }                                                                                      \
        }                                                                                          \
    }
#define STUB_OUT_USE(list) STUB_OUT_USE_(MESSAGE_UNPACK list)
#define STUB_OUT_USE_(...) STUB_OUT_USE__(__VA_ARGS__)
#define STUB_OUT_USE__(...) (void *)(__VA_OPT__(out +) 0)
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
