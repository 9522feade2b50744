// SPDX-License-Identifier: MIT
// What abi/ipc.def says of messages, as a table: an expansion of it. In guest suites those to kernel
// objects, in programs those to servers.
#pragma once
#include "layout.h"
#include "message.h"

enum field_kind {
    KIND_end,
    KIND_u32,
    KIND_number,
    KIND_flags,
    KIND_page,
    KIND_frame,
    KIND_device,
    KIND_room,
    KIND_handle,
    KIND_slot,
    KIND_any_slot,
    KIND_rights,
    KIND_badge,
    KIND_offset,
    KIND_name,
    KIND_text,
    KIND_length,
    KIND_access,
};

enum list_kind {
    KIND_NO_LIST,
    KIND_FRAMES_IN,
    KIND_FRAMES_OUT,
    KIND_MAP_IN,
    KIND_UNMAP_BOTH,
    KIND_PROTECT_BOTH,
    KIND_ENTRIES_OUT,
    KIND_BITMAP_OUT,
    KIND_BYTES_IN,
    KIND_BATCH_BOTH,
};

#define FIELDS_MAX 12u
struct field {
    enum field_kind kind;
    const char *name;
    uint32_t least, most;  // handle: type of the object (0: any), rights; flags: 0, all that exist
};

struct message {
    uint32_t label;
    const char *name;
    uint32_t right, words, handles;  // that the request carries
    enum list_kind list;
    struct field field[FIELDS_MAX];  // the last is of KIND_end
};

extern const struct message contract[];
extern const uint32_t contract_count;
