// SPDX-License-Identifier: MIT
#include "machine.h"
#include <string.h>
#include "kernel/check.h"
#include "kernel/kalloc.h"
#include "kernel/panic.h"
#include "kernel/tracepoint.h"
#include "kernel/window.h"

enum { OBJECTS = 16 };

static struct {
    struct frame frame[MACHINE_FRAMES];
    struct object object[OBJECTS];
    uint32_t bitmap[MACHINE_FRAMES];
    struct pool root;
} table;
char window_memory[MACHINE_FRAMES * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static size_t memory_bytes;

static struct {
    void *at;
    size_t bytes;
} part[] = {  // all that changes, but for RAM; the last one is the world's
    {&table, sizeof table},         {&frames, sizeof frames}, {&objects, sizeof objects},
    {&task_list, sizeof task_list}, {NULL, 0},
};

enum bug planted;
jmp_buf machine_escape;
const char *machine_assertion;
struct message_buffer machine_buffer;
struct thread *current_thread;
uint32_t trace_mask;
static struct thread thread;

void panic(const char *file, uint32_t line, const char *reason) {
    (void)file, (void)line;
    machine_assertion = reason;
    longjmp(machine_escape, 1);
}

void window_zero(frame_t frame) {
    memset(window_address(frame), 0, PAGE_SIZE);
}

struct pool *machine_make(uint32_t low, uint32_t high) {
    uint32_t count = 2 + low + high;  // frame 0 is firmware's, 1 the kernel's image
    memset(&table, 0, sizeof table);
    memory_bytes = (2 + low) * PAGE_SIZE;  // what lies above is never read
    memset(window_memory, 0xa5, sizeof window_memory);
    task_list = NULL;
    space_no_execute_use();
    object_init(table.object, OBJECTS);
    frame_init(table.frame, table.bitmap, count, 2 + low);
    struct pool *root = pool_root_create(&table.root, 0);
    for (frame_t frame = 1; frame < count; frame++) {
        frame_add(frame, frame == 1 ? FRAME_KERNEL : FRAME_FREE, 0);
    }
    root->reserved = frames.free;
    return root;
}

struct task *machine_task(struct pool *root, uint32_t reserved, uint32_t low) {
    struct pool *pool = pool_split(root, reserved, low, 3);
    struct task *task = pool == NULL ? NULL : task_create(pool, 2, 0, PRIORITY_MAX);
    if (task == NULL) {
        panic(__FILE__, __LINE__, "the machine is too small for its tasks");
    }
    return task;
}

void machine_shadow(void *shadow, size_t bytes) {
    part[ARRAY_LENGTH(part) - 1].at = shadow;
    part[ARRAY_LENGTH(part) - 1].bytes = bytes;
}

size_t machine_bytes(void) {
    size_t bytes = memory_bytes;
    for (size_t i = 0; i < ARRAY_LENGTH(part); i++) {
        bytes += part[i].bytes;
    }
    return bytes;
}

void machine_save(char *copy) {
    for (size_t i = 0; i < ARRAY_LENGTH(part); copy += part[i++].bytes) {
        memcpy(copy, part[i].at, part[i].bytes);
    }
    memcpy(copy, window_memory, memory_bytes);
}

// Frames that are free then are zeroed before anybody reads them: they need not come back.
void machine_restore(const char *copy) {
    for (size_t i = 0; i < ARRAY_LENGTH(part); copy += part[i++].bytes) {
        memcpy(part[i].at, copy, part[i].bytes);
    }
    for (frame_t frame = 0; frame < memory_bytes / PAGE_SIZE; frame++) {
        if (frame_entry(frame)->type > FRAME_KERNEL) {
            memcpy(window_address(frame), copy + frame * PAGE_SIZE, PAGE_SIZE);
        }
    }
}

// What frame_check() leaves to others: kernel frames by pool, and the list of free slots.
static const char *objects_law(void) {
    uint32_t used = 0, free = 0, low[OBJECTS] = {0};
    for (frame_t frame = 0; frame < frames.count; frame++) {
        enum frame_type type = frame_entry(frame)->type;
        low[frame_entry(frame)->pool] += type > FRAME_KERNEL;
    }
    for (uint32_t slot = 1; slot < OBJECTS; slot++) {
        const struct object *object = &objects.table[slot];
        used += object->type != OBJECT_NONE || object_generation(object) >= GENERATION_RETIRED;
        if (object->type == OBJECT_POOL && ((struct pool *)object->body)->low_used != low[slot]) {
            return "kernel frames of a pool = those counted in low_used";
        }
        if (object_generation(object) == 0) {
            return "no generation is 0";
        }
    }
    for (uint32_t slot = objects.first_free; slot != 0; slot = objects.table[slot].next) {
        if (objects.table[slot].type != OBJECT_NONE || ++free > OBJECTS) {
            return "free slots are free, and once in their list";
        }
    }
    return used != objects.used || used + free != OBJECTS - 1 ? "free + used = all slots" : NULL;
}

const char *machine_laws(void) {
    struct frame_check check = frame_check();
    return check.violations != 0 ? check_law_text(check.law) : objects_law();
}

struct invocation machine_ask(struct task *caller, struct object *object) {
    static struct handle_entry all = {.rights = RIGHT_ALL};
    current_thread = &thread;
    return (struct invocation){.thread = &thread, .task = caller,
                               .body = object->body, .handle = &all, .buffer = &machine_buffer};
}

bool machine_short(const struct pool *pool, uint32_t need) {
    uint32_t promised = pool->low_reserved - MIN_OF(pool->low_used, pool->low_reserved);
    return pool->used + pool->split + need > pool->reserved ||
           (need > promised && frames.free_low - frames.promised < need - promised);
}
