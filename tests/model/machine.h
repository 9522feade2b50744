// SPDX-License-Identifier: MIT
// The small machine that is searched: frame table, object table and RAM of the kernel's sources, a
// snapshot of them all, their laws, and defects that can be planted into them.
#pragma once
#include <setjmp.h>
#include <stdbool.h>
#include "kernel/invoke.h"

#define MACHINE_FRAMES 64u  // at most

enum bug {
    BUG_NONE,
    BUG_UNMAP_KEEPS_COUNT,
    BUG_MAP_ENTRY_UNCOUNTED,
    BUG_PROTECT_KEEPS_WRITE,
    BUG_FREE_KEEPS_BIT,
    BUG_FREE_KEEPS_CHARGE,
    BUG_GIVE_TO_NOBODY,
    BUG_END_KEEPS_PROMISE,
    BUG_END_KEEPS_SPLIT,
    BUG_DESTROY_KEEPS_GENERATION,
    BUG_GIVE_ALL_RIGHTS,
    BUG_REFUSED_GIVE_ACTS,
    BUG_COUNT
};
extern enum bug planted;

// RAM of `low` frames within the kernel's reach and `high` ones above. Returns the root pool.
struct pool *machine_make(uint32_t low, uint32_t high);
// A task that pays for itself out of a pool of its own.
struct task *machine_task(struct pool *root, uint32_t reserved, uint32_t low);
// The state of the machine and of the `bytes` at `shadow` (the world's own) goes to and from a copy.
size_t machine_bytes(void);
void machine_shadow(void *shadow, size_t bytes);
void machine_save(char *copy);
void machine_restore(const char *copy);
// The first law that is broken; NULL: all hold.
const char *machine_laws(void);
// Where an assertion of the kernel's continues, and its text.
extern jmp_buf machine_escape;
extern const char *machine_assertion;

// What a handler is called with: `caller` asks `object`, whose handle has all rights.
struct invocation machine_ask(struct task *caller, struct object *object);
extern struct message_buffer machine_buffer;

// Is there too little for `need` more kernel frames of this pool?
bool machine_short(const struct pool *pool, uint32_t need);
