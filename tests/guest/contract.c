// SPDX-License-Identifier: MIT
#include "contract.h"
#include "trace.h"

#ifndef CONTRACT_FIRST
#define CONTRACT_FIRST 1
#define CONTRACT_LAST 11
#endif

#define INTERFACE_any 0
#define BOUNDS_u32() 0, UINT32_MAX
#define BOUNDS_number(least, most) least, most
#define BOUNDS_flags(all) 0, all
#define BOUNDS_page(...) BOUNDS_page_(__VA_ARGS__ __VA_OPT__(,) LAYOUT_USER_FIRST, 0)
#define BOUNDS_page_(least, ...) least, LAYOUT_KERNEL - PAGE_SIZE
#define BOUNDS_frame() 0, 0
#define BOUNDS_device() 0, 0
#define BOUNDS_room() 0, 0
#define BOUNDS_handle(type, rights) INTERFACE_##type, rights
#define BOUNDS_slot() 1, SLOT_COUNT - 1
#define BOUNDS_any_slot() 1, SLOT_COUNT - 1
#define BOUNDS_rights() 0, RIGHT_ALL
#define BOUNDS_badge(...) BOUNDS_badge_(__VA_ARGS__ __VA_OPT__(,) 0, UINT32_MAX, 0)
#define BOUNDS_badge_(least, most, ...) least, most
#define BOUNDS_offset() 0, 0
#define BOUNDS_name(...) BOUNDS_name_(__VA_ARGS__ __VA_OPT__(,) 1, 0)
#define BOUNDS_name_(least, ...) least, NAME_BYTES - 1  // letters
#define BOUNDS_text() 0, TEXT_BYTES
#define BOUNDS_length() 1, LAYOUT_KERNEL
#define BOUNDS_access() 0, MAP_RIGHTS
#define FIELD_SPEC_(kind, name, ...) {KIND_##kind, #name, BOUNDS_##kind(__VA_ARGS__)},
#define FIELD_SPEC(tuple) FIELD_SPEC_ tuple

const struct message contract[] = {
#define INTERFACE(...)
#define MESSAGE(interface, name, number, mode, right, in, out, takes, gives, list, text)        \
    {LABEL_##interface##_##name, #interface "." #name, right,                                   \
     WORDS_##interface##_##name, LIST_LENGTH(takes), KIND_##list,                               \
     {FOR_EACH_IN(FIELD_SPEC, in) {KIND_end, NULL, 0, 0}}},
#define IPC_FIRST CONTRACT_FIRST
#define IPC_LAST CONTRACT_LAST
#include "ipc.def"
#undef MESSAGE
#undef INTERFACE
};

const uint32_t contract_count = ARRAY_LENGTH(contract);
