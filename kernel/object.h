// SPDX-License-Identifier: MIT
// Kernel objects have slots in a table of boot-chosen size. A slot is for ever; its generation
// counts up when the object ends, so that every handle and reference to it dies at once. A slot
// whose generation has reached its end is not used again: no generation ever comes back.
#pragma once
#include "ipc.h"
#include "start.h"

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
    OBJECT_IOMEM,
    OBJECT_NOTICE,        // has no handles: ends with its task (task.h)
    OBJECT_TYPES
};

// A key is a generation and, above it, what a port is ready for, so that the fast path finds out by
// one comparison that a handle is alive, has the right, and that nobody has to wait:
//   object: KEY_CALL     a thread receives there (`receiver`)
//           KEY_RECEIVE  nobody receives, no caller waits
//           KEY_SLOW     neither, and whatever is no port
//   handle: KEY_CALL, KEY_RECEIVE_HANDLE: of a port, with just that one right of the two;
//           KEY_OTHER_HANDLE: any other; 0: empty slot
// A call compares the two keys, a receive the object's with the handle's less (KEY_RECEIVE_HANDLE -
// KEY_RECEIVE): no two others become equal.
#define KEY_CALL 0x20000000u
#define KEY_RECEIVE 0x40000000u
#define KEY_SLOW 0x60000000u
#define KEY_RECEIVE_HANDLE 0x80000000u
#define KEY_OTHER_HANDLE 0xe0000000u
#define KEY_GENERATION 0x1fffffffu  // never 0
// From here on a slot is not used again: the end of an object counts up by one, or by two.
#define GENERATION_RETIRED (KEY_GENERATION - 1)

struct thread;

struct object {
    uint32_t key;
    uint16_t type;            // OBJECT_NONE: free
    uint16_t next;            // free list; else objects of the same pool, in a ring
    void *body;
    struct pool *pool;        // who pays for the body
    struct thread *receiver;  // port with KEY_CALL: who waits there
    struct thread *thread;    // of a thread: itself, to find it by its token; else &thread_none
    token_t token;            // of the last thread in this slot: its successor counts on
    uint16_t previous;        // in the ring
    uint16_t rank;            // port: priority that its server works at
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct object) == 32, "32 bytes a slot");

struct object_state {
    struct object *table;
    uint32_t count;       // a power of two, so that a token finds a slot without a test
    uint32_t mask;        // count - 1
    uint32_t used;        // retired slots included
    uint16_t first_free;
};
extern struct object_state objects;

// A reference that does not keep its object alive.
struct reference {
    struct object *object;
    uint32_t generation;
};

#define OBJECTS_MAX 32768u  // a token has 15 bits for a slot

BOOT_TEXT void object_init(struct object *table, uint32_t count);
// Allocate `bytes` for a body from `pool` and a slot of the pool's for it; NULL: E_MEMORY.
struct object *object_create(enum object_type type, uint32_t bytes, struct pool *pool);
// All handles and references die, while the object lives on: before an end in slices, once.
void object_handles_end(struct object *object);
// End it: all handles die, the body is freed.
void object_destroy(struct object *object);

// An object charged to the pool, its child pools last; NULL: none.
struct object *object_first(const struct pool *pool);

static inline uint16_t object_slot(const struct object *object) {
    return (uint16_t)(object - objects.table);
}
static inline uint32_t object_generation(const struct object *object) {
    return object->key & KEY_GENERATION;
}
static inline struct reference object_reference(struct object *object) {
    return (struct reference){object, object_generation(object)};
}
// Body of the object referred to, NULL when it has ended (or there was none).
void *reference_body(struct reference reference);
