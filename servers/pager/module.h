// SPDX-License-Identifier: MIT
// Boot modules: the files that programs are started from and may map. Their frames belong to the
// pager's pool and lie one behind the other.
#pragma once
#include "boot.h"
#include "layout.h"
#include "message.h"

struct module {
    char name[NAME_BYTES];
    frame_t first;
    uint32_t length;  // bytes
};

void module_init(void);
// Names are untrusted: NAME_BYTES bytes, of which the last may be anything.
error_t module_add(const field_name *name, frame_t first, uint32_t length);
error_t module_find(const field_name *name, uint32_t *number);
// NULL: no such number.
const struct module *module_at(uint32_t number);
