// SPDX-License-Identifier: MIT
// The wired servers: what they are given, and how they come to life.
#pragma once
#include "image.h"
#include "init.h"

// Indexed by task number. A slot of 0: it has none.
struct server {
    const struct manifest_server *plan;  // NULL: it is not started
    const struct boot_module *module;
    struct image image;
    uint32_t pool, task, thread, port, event;  // slots in init's handle table
    uint32_t ports, irq;                       // of its device
    uint32_t argument[4];                      // for start_info
    uint32_t store_frames;                     // block: frames of a store in RAM
};
extern struct server servers[TASK_SERVERS_END];

static inline handle_t server_task(uint32_t number) {
    return HANDLE(servers[number].task);
}

// Names by task number.
extern const char *const server_names[TASK_SERVERS_END];

// Find plan, module and image of each server; decide on the devices. Ends the system if one is
// missing or wrong.
void servers_plan(void);
// Pools, objects, address spaces, handles. Nothing runs yet.
void servers_create(void);
// Let them run: the pager first, who serves nobody before it serves itself.
void servers_start(void);
