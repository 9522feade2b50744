// SPDX-License-Identifier: MIT
// What a task finds when it starts: the kernel writes it for init, init for the wired servers.
#pragma once
#include "types.h"

#define BOOT_MODULES_MAX 32u
#define BOOT_NAME_MAX 32u
#define BOOT_COMMAND_MAX 512u

struct boot_module {
    char name[BOOT_NAME_MAX];  // last part of the path, ends with 0
    frame_t first_frame;       // modules start on a frame boundary and own their last frame whole
    uint32_t length;           // bytes
};

// Mapped read-only at LAYOUT_START. For init `module` lists all boot modules, whose frames belong
// to the root pool; for other servers it lists what init hands over.
struct start_info {
    uint32_t abi_hash;
    uint32_t frames_total;   // frames of RAM that the kernel tracks
    uint32_t frames_free;    // of them free when the task started
    uint32_t module_count;
    badge_t task;            // number of the task: the badge its messages carry
    frame_t clock;           // for init: the clock's frame (clock_page.h)
    uint32_t argument[4];    // what init tells this server; the server's header says what
    char command[BOOT_COMMAND_MAX];  // kernel command line
    struct boot_module module[BOOT_MODULES_MAX];
};
_Static_assert(sizeof(struct start_info) <= PAGE_SIZE, "start_info fits one page");
