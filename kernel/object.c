// SPDX-License-Identifier: MIT
#include "object.h"
#include "kalloc.h"
#include "thread.h"
#include "tracepoint.h"

struct object_state objects;
struct thread thread_none;

void object_init(struct object *table, uint32_t count) {
    objects = (struct object_state){.table = table, .count = count, .mask = count - 1,
                                    .first_free = 1};
    for (uint32_t i = 0; i < count; i++) {
        table[i] = (struct object){.key = KEY_SLOW | 1, .thread = &thread_none,
                                   .next = (uint16_t)(i + 1 < count ? i + 1 : 0)};
    }
}

struct object *object_first(const struct pool *pool) {
    return pool->first_object == 0 ? NULL : &objects.table[pool->first_object];
}

void *reference_body(struct reference reference) {
    return reference.object != NULL && object_generation(reference.object) == reference.generation
               ? reference.object->body
               : NULL;
}

// Pools go to the end of the ring, others to its beginning.
static void ring_add(struct pool *pool, struct object *object) {
    uint16_t slot = object_slot(object);
    struct object *first = object_first(pool);
    object->next = object->previous = slot;
    if (first != NULL) {
        object->next = pool->first_object;
        object->previous = first->previous;
        objects.table[first->previous].next = slot;
        first->previous = slot;
    }
    if (first == NULL || object->type != OBJECT_POOL) {
        pool->first_object = slot;
    }
}

static void ring_remove(struct pool *pool, const struct object *object) {
    uint16_t slot = object_slot(object);
    objects.table[object->next].previous = object->previous;
    objects.table[object->previous].next = object->next;
    if (pool->first_object == slot) {
        pool->first_object = object->next == slot ? 0 : object->next;
    }
}

struct object *object_create(enum object_type type, uint32_t bytes, struct pool *pool) {
    if (objects.first_free == 0 || pool->objects + pool->objects_split >= pool->objects_reserved) {
        return NULL;
    }
    void *body = kalloc(pool, bytes);
    if (body == NULL) {
        return NULL;
    }
    struct object *object = &objects.table[objects.first_free];
    objects.first_free = object->next;
    objects.used++;
    pool->objects++;
    object->type = (uint16_t)type;
    object->body = body;
    object->pool = pool;
    ring_add(pool, object);
    TRACE(create, object, type);
    return object;
}

void object_handles_end(struct object *object) {
    object->key++;
}

void object_destroy(struct object *object) {
    TRACE(destroy, object, object->type);
    kfree(object->pool, object->body);
    ring_remove(object->pool, object);
    object->pool->objects--;
    object->thread = &thread_none;
    object->type = OBJECT_NONE;
    object->body = NULL;
    object->key = KEY_SLOW | (object_generation(object) + 1);
    if (object_generation(object) >= GENERATION_RETIRED) {
        return;  // retired: no handle is ever made with this generation
    }
    object->next = objects.first_free;
    objects.first_free = object_slot(object);
    objects.used--;
}
