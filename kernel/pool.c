// SPDX-License-Identifier: MIT
#include "pool.h"
#include "kalloc.h"
#include "panic.h"
#include "window.h"

static bool is_kernel_type(enum frame_type type) {
    return type != FRAME_USER;
}

struct pool *pool_root_create(struct pool *storage, uint32_t reserved) {
    *storage = (struct pool){.reserved = reserved, .objects_reserved = objects.count - 1,
                             .objects = 1};
    struct object *object = &objects.table[objects.first_free];
    objects.first_free = object->next;
    objects.used++;
    object->type = OBJECT_POOL;
    object->body = storage;
    object->pool = storage;
    storage->object = object;
    storage->user_frame = FRAME_WORD(FRAME_USER, object_slot(object));
    return storage;
}

static bool can_split(const struct pool *parent, uint32_t reserved, uint32_t low, uint32_t count) {
    return low <= reserved && reserved <= parent->reserved - parent->used - parent->split &&
           low <= frames.free_low - frames.promised && parent->depth < POOL_DEPTH_MAX &&
           count <= parent->objects_reserved - parent->objects - parent->objects_split;
}

struct pool *pool_split(struct pool *parent, uint32_t reserved, uint32_t low, uint32_t count) {
    if (!can_split(parent, reserved, low, count)) {
        return NULL;
    }
    struct object *object = object_create(OBJECT_POOL, sizeof(struct pool), parent);
    if (object == NULL) {
        return NULL;
    }
    if (!can_split(parent, reserved, low, count)) {  // the object took a slot, and perhaps a frame
        object_destroy(object);
        return NULL;
    }
    struct pool *pool = object->body;
    *pool = (struct pool){.object = object, .parent = parent,
                          .user_frame = FRAME_WORD(FRAME_USER, object_slot(object)),
                          .reserved = reserved, .low_reserved = low, .objects_reserved = count,
                          .depth = (uint16_t)(parent->depth + 1)};
    parent->split += reserved;
    parent->objects_split += count;
    frames.promised += low;
    return pool;
}

error_t pool_end(struct pool *pool) {
    if (pool->parent == NULL || pool->used != 0 || pool->objects != 0) {
        return E_STATE;  // a child is an object, too
    }
    pool->parent->split -= pool->reserved;
    pool->parent->objects_split -= pool->objects_reserved;
    frames.promised -= pool->low_reserved;
    object_destroy(pool->object);
    return OK;
}

frame_t pool_take(struct pool *pool, enum frame_type type) {
    if (pool->used + pool->split >= pool->reserved) {
        return FRAME_NONE;
    }
    bool promise = is_kernel_type(type) && pool->low_used < pool->low_reserved;
    frame_t frame = frame_take(type, pool_number(pool), promise);
    if (frame == FRAME_NONE) {
        return FRAME_NONE;
    }
    pool->used++;
    if (is_kernel_type(type)) {
        pool->low_used++;
        frames.promised -= promise;
    }
    window_zero(frame);
    return frame;
}

void pool_release(struct pool *pool, frame_t frame) {
    ASSERT(pool->used > 0);
    if (is_kernel_type(frame_entry(frame)->type)) {
        pool->low_used--;
        frames.promised += pool->low_used < pool->low_reserved;
    }
    pool->used--;
    frame_release(frame);
}

error_t pool_move(struct pool *from, struct pool *to, frame_t frame) {
    if (to->used + to->split >= to->reserved) {
        return E_MEMORY;
    }
    from->used--;
    to->used++;
    frame_entry(frame)->pool = pool_number(to);
    return OK;
}

struct pool *pool_of(frame_t frame) {
    return objects.table[frame_entry(frame)->pool].body;
}
