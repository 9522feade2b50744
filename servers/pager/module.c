// SPDX-License-Identifier: MIT
#include "module.h"

static struct module modules[BOOT_MODULES_MAX];
static uint32_t module_count;

void module_init(void) {
    module_count = 0;
}

static int name_same(const char *a, const char *b) {
    for (uint32_t i = 0; i < NAME_BYTES; i++) {
        if (a[i] != b[i]) {
            return 0;
        }
        if (a[i] == 0) {
            return 1;
        }
    }
    return 1;
}

error_t module_find(const field_name *name, uint32_t *number) {
    for (uint32_t i = 0; i < module_count; i++) {
        if (name_same(modules[i].name, name->bytes)) {
            *number = i;
            return OK;
        }
    }
    return E_NOT_FOUND;
}

error_t module_add(const field_name *name, frame_t first, uint32_t length) {
    uint32_t number;
    if (length == 0 || length > LAYOUT_KERNEL || name->bytes[0] == 0) {
        return E_ARGUMENT;
    }
    if (module_count == BOOT_MODULES_MAX || module_find(name, &number) == OK) {
        return E_LIMIT;
    }
    struct module *module = &modules[module_count++];
    *module = (struct module){.first = first, .length = length};
    for (uint32_t i = 0; i < NAME_BYTES - 1 && name->bytes[i] != 0; i++) {
        module->name[i] = name->bytes[i];
    }
    return OK;
}

const struct module *module_at(uint32_t number) {
    return number < module_count ? &modules[number] : NULL;
}
