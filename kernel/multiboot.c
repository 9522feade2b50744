// SPDX-License-Identifier: MIT
// Multiboot 1 (specification 0.6.96, section 3.3) and Multiboot 2 (section 3.6) information.
// QEMU's -kernel puts the kernel's path first on the command line, and each module's string starts
// with its path; GRUB leaves both to the menu entry.
#include "multiboot.h"
#include "layout.h"

#define MAGIC1 0x2badb002u
#define MAGIC2 0x36d76289u

static const void *physical(uint32_t address) {
    return (const void *)(uintptr_t)(LAYOUT_KERNEL + address);
}

static void text_copy(char *to, const char *from, uint32_t bytes) {
    uint32_t i = 0;
    for (; i + 1 < bytes && from[i] != 0; i++) {
        to[i] = from[i];
    }
    to[i] = 0;
}

// The last path component of the first word.
static void name_copy(char *to, const char *from) {
    const char *start = from;
    const char *end = from;
    for (; *end != 0 && *end != ' '; end++) {
        if (*end == '/') {
            start = end + 1;
        }
    }
    uint32_t length = MIN_OF((uint32_t)(end - start), BOOT_NAME_MAX - 1);
    for (uint32_t i = 0; i < length; i++) {
        to[i] = start[i];
    }
    to[length] = 0;
}

// A first word with a slash is the kernel's path, not an option.
static void command_copy(struct multiboot_info *info, const char *command) {
    const char *end = command;
    bool path = false;
    for (; *end != 0 && *end != ' '; end++) {
        path |= *end == '/';
    }
    text_copy(info->command, path ? end + (*end == ' ') : command, BOOT_COMMAND_MAX);
}

static const char *module_add(struct multiboot_info *info, uint32_t start, uint32_t end,
                              const char *text) {
    if (info->module_count == BOOT_MODULES_MAX) {
        return "more than 32 boot modules: take some out of the boot entry";
    }
    if (PAGE_OFFSET(start) != 0 || end < start) {
        return "a boot module does not begin on a page: use a Multiboot loader that aligns modules";
    }
    struct boot_module *module = &info->module[info->module_count++];
    name_copy(module->name, text);
    module->first_frame = start >> PAGE_SHIFT;
    module->length = end - start;
    info->end = MAX_OF(info->end, PAGE_UP(end));
    return NULL;
}

static void range_add(struct multiboot_info *info, uint64_t first, uint64_t length) {
    if (info->range_count < MULTIBOOT_RANGES_MAX && length > 0) {
        info->range[info->range_count++] = (struct memory_range){
            (first + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1),
            (first + length) & ~(uint64_t)(PAGE_SIZE - 1)};
    }
}

struct information1 {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4],
        mmap_length, mmap_addr;
};
struct module1 {
    uint32_t start, end, string, reserved;
};
struct __attribute__((packed)) range1 {
    uint32_t size;
    uint64_t first, length;
    uint32_t type;
};

static const char *read1(uint32_t address, struct multiboot_info *info) {
    const struct information1 *from = physical(address);
    if (!(from->flags & 1u << 6)) {
        return "the boot loader gives no memory map: boot with GRUB 2 or QEMU's -kernel";
    }
    if (from->flags & 1u << 2) {
        command_copy(info, physical(from->cmdline));
    }
    const struct module1 *module = physical(from->mods_addr);
    for (uint32_t i = 0; from->flags & 1u << 3 && i < from->mods_count; i++) {
        const char *wrong =
            module_add(info, module[i].start, module[i].end, physical(module[i].string));
        if (wrong != NULL) {
            return wrong;
        }
    }
    for (uint32_t at = 0; at < from->mmap_length;) {
        const struct range1 *range = physical(from->mmap_addr + at);
        if (range->type == 1) {
            range_add(info, range->first, range->length);
        }
        at += range->size + 4;
    }
    return NULL;
}

struct tag2 {
    uint32_t type, size;
};
struct module2 {
    struct tag2 tag;
    uint32_t start, end;
    char string[];
};
struct map2 {
    struct tag2 tag;
    uint32_t entry_size, entry_version;
};
struct range2 {
    uint64_t first, length;
    uint32_t type, reserved;
};

static const char *read2(uint32_t address, struct multiboot_info *info) {
    enum { END = 0, COMMAND = 1, MODULE = 3, MAP = 6 };
    const struct tag2 *tag = physical(address + 8);
    for (; tag->type != END;
         tag = (const struct tag2 *)((const char *)tag + ((tag->size + 7) & ~7u))) {
        const char *wrong = NULL;
        if (tag->type == COMMAND) {
            command_copy(info, (const char *)(tag + 1));
        } else if (tag->type == MODULE) {
            const struct module2 *module = (const struct module2 *)tag;
            wrong = module_add(info, module->start, module->end, module->string);
        } else if (tag->type == MAP) {
            const struct map2 *map = (const struct map2 *)tag;
            for (uint32_t at = sizeof(struct map2); at < tag->size; at += map->entry_size) {
                const struct range2 *range = (const struct range2 *)((const char *)tag + at);
                if (range->type == 1) {
                    range_add(info, range->first, range->length);
                }
            }
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return info->range_count == 0
               ? "the boot loader gives no memory map: boot with GRUB 2 or QEMU's -kernel"
               : NULL;
}

const char *multiboot_read(uint32_t magic, uint32_t address, struct multiboot_info *info) {
    *info = (struct multiboot_info){0};
    if (magic == MAGIC1) {
        return read1(address, info);
    }
    if (magic == MAGIC2) {
        return read2(address, info);
    }
    return "not started by a Multiboot loader: boot with GRUB 2 or QEMU's -kernel";
}
