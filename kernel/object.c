// SPDX-License-Identifier: MIT
#include "object.h"
#include "kalloc.h"
#include "thread.h"
#include "tracepoint.h"

struct object_state objects;
struct thread thread_none;

void object_init(struct object *table, uint32_t count) {
    objects = (struct object_state){.table = table, .count = count, .first_free = 1};
    for (uint32_t i = 0; i < count; i++) {
        table[i] = (struct object){.key = KEY_SLOW | 1, .thread = &thread_none,
                                   .next = (uint16_t)(i + 1 < count ? i + 1 : 0)};
    }
}

struct object *object_create(enum object_type type, uint32_t bytes, struct pool *pool) {
    if (objects.first_free == 0) {
        return NULL;
    }
    void *body = kalloc(pool, bytes);
    if (body == NULL) {
        return NULL;
    }
    struct object *object = &objects.table[objects.first_free];
    objects.first_free = object->next;
    objects.used++;
    object->type = (uint16_t)type;
    object->body = body;
    object->pool = pool;
    TRACE(create, 0, object_slot(object), 0, 0, type, object_slot(object), 0);
    return object;
}

void object_destroy(struct object *object) {
    TRACE(destroy, 0, object_slot(object), 0, 0, object->type, 0, 0);
    kfree(object->pool, object->body);
    uint32_t generation = object_generation(object);
    object->key = KEY_SLOW | (generation == KEY_GENERATION ? 1 : generation + 1);
    object->thread = &thread_none;
    object->type = OBJECT_NONE;
    object->body = NULL;
    object->next = objects.first_free;
    objects.first_free = object_slot(object);
    objects.used--;
}
