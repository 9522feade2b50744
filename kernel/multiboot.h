// SPDX-License-Identifier: MIT
// What the boot loader told, in one form for Multiboot 1 and 2.
#pragma once
#include <stdbool.h>
#include "boot.h"

#define MULTIBOOT_RANGES_MAX 64u

struct memory_range {
    uint64_t first, end;  // bytes; usable RAM
};

struct multiboot_info {
    char command[BOOT_COMMAND_MAX];
    uint32_t range_count;
    struct memory_range range[MULTIBOOT_RANGES_MAX];
    uint32_t module_count;
    struct boot_module module[BOOT_MODULES_MAX];
    uint32_t end;  // physical end of what must be kept: the modules
};

// Read what the loader left at `address` (physical). NULL, or a sentence that says what is wrong.
const char *multiboot_read(uint32_t magic, uint32_t address, struct multiboot_info *info);
