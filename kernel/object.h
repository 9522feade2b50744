// SPDX-License-Identifier: MIT
// Kernel objects have slots in a table of boot-chosen size. A slot is for ever; its generation
// counts up when the object ends, so that every handle and reference to it dies at once.
#pragma once
#include "ipc.h"

struct pool;

enum object_type {  // numbers of the kernel interfaces in abi/ipc.def
    OBJECT_NONE,
    OBJECT_POOL,
    OBJECT_TASK,
    OBJECT_THREAD,
    OBJECT_PORT,
    OBJECT_EVENT,
    OBJECT_TIMER,
    OBJECT_IRQ,
    OBJECT_PORTS,
    OBJECT_MACHINE,
    OBJECT_TRACE,
    OBJECT_TYPES
};

struct object {
    uint32_t generation;  // never 0
    uint16_t type;        // OBJECT_NONE: free
    uint16_t next;        // free list
    void *body;
    struct pool *pool;    // who pays for the body
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct object) == 16, "16 bytes a slot");

struct object_state {
    struct object *table;
    uint32_t count;
    uint32_t used;
    uint16_t first_free;
};
extern struct object_state objects;

// A reference that does not keep its object alive.
struct reference {
    struct object *object;
    uint32_t generation;
};

#define OBJECTS_MAX 32768u  // a token has 15 bits for a slot

void object_init(struct object *table, uint32_t count);
// Allocate `bytes` for a body from `pool` and a slot for it; NULL: E_MEMORY.
struct object *object_create(enum object_type type, uint32_t bytes, struct pool *pool);
// End it: all handles die, the body is freed.
void object_destroy(struct object *object);

static inline uint16_t object_slot(const struct object *object) {
    return (uint16_t)(object - objects.table);
}
static inline struct reference object_reference(struct object *object) {
    return (struct reference){object, object->generation};
}
// Body of the object referred to, NULL when it has ended (or there was none).
static inline void *reference_body(struct reference reference) {
    return reference.object != NULL && reference.object->generation == reference.generation
               ? reference.object->body
               : NULL;
}
