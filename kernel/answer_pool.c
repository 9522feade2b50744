// SPDX-License-Identifier: MIT
// What pools answer (abi/ipc.def, interface pool): frames, and the creation of objects.
#include "invoke.h"
#include "cpu.h"
#include "event.h"
#include "port.h"
#include "reap.h"
#include "schedule.h"
#include "timer.h"
#include "trap.h"
#include "window.h"

enum { FRAMES_A_SLICE = 16, RUN_MAX = 64 };  // frames zeroed in one message; a run is not cut
enum { WAITERS_A_SLICE = 64 };  // threads woken in one message

error_t answer_pool_info(const struct invocation *invocation, const struct pool_info_in *in,
                         struct pool_info_out *out) {
    const struct pool *pool = invocation->body;
    *out = (struct pool_info_out){pool->reserved, pool->used, pool->split, pool->low_reserved,
                                  pool->low_used, pool_number(pool), pool->objects_reserved,
                                  pool->objects, pool->objects_split};
    return OK;
}

// A new object's handle goes into the caller's slot with all rights; rank rules call rights out.
static void handle_new(const struct invocation *invocation, uint32_t slot, struct object *object) {
    uint32_t rights = RIGHT_ALL;
    if (handle_rank_check(invocation->task, object, rights) != OK) {
        rights &= ~(uint32_t)RIGHT_CALL;
    }
    handle_set(invocation->task, slot, object, rights, 0);
}

error_t answer_pool_create(const struct invocation *invocation, const struct pool_create_in *in,
                           struct pool_create_out *out) {
    error_t error = handle_slot_check(invocation->task, in->slot);
    if (error != OK) {
        return error;
    }
    const struct pool *parent = invocation->body;
    if (parent->depth >= POOL_DEPTH_MAX) {
        return E_LIMIT;
    }
    struct pool *pool = pool_split(invocation->body, in->frames, in->low, in->objects);
    if (pool == NULL) {
        return E_MEMORY;
    }
    handle_new(invocation, in->slot, pool->object);
    return OK;
}

error_t answer_pool_destroy(const struct invocation *invocation, const struct pool_destroy_in *in,
                            struct pool_destroy_out *out) {
    return pool_end(invocation->body);
}

static error_t alloc_run(struct pool *pool, uint32_t count, struct map_item *list) {
    if (count > pool->reserved - pool->used - pool->split || count > RUN_MAX) {
        return count > RUN_MAX ? E_ARGUMENT : E_MEMORY;
    }
    frame_t first = frame_take_run(count, pool_number(pool));
    if (first == FRAME_NONE) {
        return E_MEMORY;
    }
    pool->used += count;
    for (uint32_t i = 0; i < count; i++) {
        window_zero(first + i);
        list[i] = (struct map_item){0, (first + i) << 8};
    }
    return OK;
}

// As many as there are, from the top, a word of the bitmap at a time.
_Static_assert(WINDOW_FRAMES % 32 == 0, "what frame_take_some() takes is all low or all high");
static uint32_t alloc_any(struct pool *pool, uint32_t count, struct map_item *list) {
    uint32_t done = 0, taken;
    count = MIN_OF(count, pool->reserved - pool->used - pool->split);
    do {
        frame_t first = frame_take_some(count - done, pool_number(pool), &taken);
        for (uint32_t left = taken; left != 0; done++) {
            uint32_t bit = bit_highest(left);
            left ^= 1u << bit;
            window_zero(first + bit);
            list[done] = (struct map_item){0, (first + bit) << 8};
        }
    } while (taken != 0 && done < count);
    pool->used += done;
    return done;
}

error_t answer_pool_reap(const struct invocation *invocation, const struct pool_reap_in *in,
                         struct pool_reap_out *out) {
    bool left = false;
    error_t error = pool_reap(invocation->body, &left);
    if (current_thread == invocation->thread) {
        out->left = left;
    }
    return error;
}

error_t answer_pool_frames_alloc(const struct invocation *invocation,
                                 const struct pool_frames_alloc_in *in,
                                 struct pool_frames_alloc_out *out) {
    struct pool *pool = invocation->body;
    struct map_item *list = invocation->buffer->list;
    if (in->count == 0 || in->count > LIST_MAX || in->flags & ~(FRAMES_RUN | FRAMES_LOW)) {
        return E_ARGUMENT;
    }
    if (in->flags & FRAMES_RUN) {
        out->done = in->count;
        return alloc_run(pool, in->count, list);
    }
    uint32_t count = MIN_OF(in->count, FRAMES_A_SLICE);
    if (!(in->flags & FRAMES_LOW)) {
        out->done = alloc_any(pool, count, list);
        return out->done == 0 ? E_MEMORY : OK;
    }
    error_t error = OK;
    for (out->done = 0; out->done < count && error == OK; out->done += error == OK) {
        error = alloc_run(pool, 1, &list[out->done]);
    }
    return out->done == 0 ? error : OK;
}

// Frames that may leave the pool: its own, unmapped, not pinned, each once.
static error_t frames_check(const struct pool *pool, struct map_item *list, uint32_t count,
                            uint32_t *good) {
    for (*good = 0; *good < count; ++*good) {
        frame_t frame = ITEM_FRAME(list[*good]);
        if (!frame_owned(frame, pool_number(pool))) {
            return E_OWNER;
        }
        if (frame_entry(frame)->maps != 0) {
            return E_MAPPED;
        }
    }
    return OK;
}

error_t answer_pool_frames_free(const struct invocation *invocation,
                                const struct pool_frames_free_in *in,
                                struct pool_frames_free_out *out) {
    struct pool *pool = invocation->body;
    struct map_item *list = invocation->buffer->list;
    if (in->count == 0 || in->count > LIST_MAX) {
        return E_ARGUMENT;
    }
    uint32_t good;
    error_t error = frames_check(pool, list, in->count, &good);
    if (error != OK && (good == 0 || in->count <= TAG_ITEMS_MAX)) {
        return error;
    }
    for (out->done = 0; out->done < good; out->done++) {
        frame_t frame = ITEM_FRAME(list[out->done]);
        if (!frame_owned(frame, pool_number(pool))) {
            break;  // named twice: it is free by now
        }
        pool_release(pool, frame);
    }
    return OK;
}

error_t answer_pool_frames_give(const struct invocation *invocation,
                                const struct pool_frames_give_in *in,
                                struct pool_frames_give_out *out) {
    struct pool *pool = invocation->body;
    struct map_item *list = invocation->buffer->list;
    error_t error;
    const struct handle_entry *to =
        handle_find(invocation->task, in->to, OBJECT_POOL, RIGHT_ALLOCATE, &error);
    if (to == NULL) {
        return error;
    }
    if (in->count == 0 || in->count > LIST_MAX) {
        return E_ARGUMENT;
    }
    uint32_t good;
    error = frames_check(pool, list, in->count, &good);
    if (error != OK && (good == 0 || in->count <= TAG_ITEMS_MAX)) {
        return error;
    }
    const struct pool *target = to->object->body;
    if (in->count <= TAG_ITEMS_MAX && target->reserved - target->used - target->split < in->count) {
        return E_MEMORY;
    }
    for (out->done = 0; out->done < good; out->done++) {
        frame_t frame = ITEM_FRAME(list[out->done]);
        if (!frame_owned(frame, pool_number(pool)) ||
            pool_move(pool, to->object->body, frame) != OK) {
            return out->done == 0 ? E_MEMORY : OK;
        }
    }
    return OK;
}

error_t answer_pool_frame_zero(const struct invocation *invocation,
                               const struct pool_frame_zero_in *in,
                               struct pool_frame_zero_out *out) {
    if (!frame_owned(in->frame, pool_number(invocation->body))) {
        return E_OWNER;
    }
    window_zero(in->frame);
    return OK;
}

error_t answer_pool_frame_copy(const struct invocation *invocation,
                               const struct pool_frame_copy_in *in,
                               struct pool_frame_copy_out *out) {
    error_t error;
    const struct handle_entry *source =
        handle_find(invocation->task, in->source, OBJECT_POOL, RIGHT_ACCESS, &error);
    if (source == NULL) {
        return error;
    }
    if (in->first > in->end || in->end > PAGE_SIZE) {
        return E_ARGUMENT;
    }
    if (!frame_owned(in->to, pool_number(invocation->body)) ||
        !frame_owned(in->from, object_slot(source->object)) || in->to == in->from) {
        return E_OWNER;
    }
    window_copy(in->to, in->from, in->first, in->end);
    return OK;
}

error_t answer_pool_task_create(const struct invocation *invocation,
                                const struct pool_task_create_in *in,
                                struct pool_task_create_out *out) {
    error_t error = handle_slot_check(invocation->task, in->slot);
    if (error != OK) {
        return error;
    }
    if (in->rank >= PRIORITIES || in->ceiling >= PRIORITIES ||
        in->ceiling > invocation->task->ceiling || in->badge <= BADGE_INIT ||
        in->badge > UINT16_MAX) {
        return E_ARGUMENT;
    }
    struct task *task = task_create(invocation->body, in->badge, in->rank, in->ceiling);
    if (task == NULL) {
        return E_MEMORY;
    }
    handle_new(invocation, in->slot, task->object);
    return OK;
}

error_t answer_pool_port_create(const struct invocation *invocation,
                                const struct pool_port_create_in *in,
                                struct pool_port_create_out *out) {
    error_t error = handle_slot_check(invocation->task, in->slot);
    if (error != OK) {
        return error;
    }
    if (in->rank > invocation->task->ceiling) {
        return E_ARGUMENT;
    }
    struct object *object = object_create(OBJECT_PORT, sizeof(struct port), invocation->body);
    if (object == NULL) {
        return E_MEMORY;
    }
    struct port *port = object->body;
    *port = (struct port){.object = object};
    object->rank = in->rank;
    object->key = object_generation(object) | KEY_RECEIVE;
    handle_new(invocation, in->slot, object);
    return OK;
}

// The port must be charged to this pool: its owner's right to end it.
error_t answer_pool_port_destroy(const struct invocation *invocation,
                                 const struct pool_port_destroy_in *in,
                                 struct pool_port_destroy_out *out) {
    error_t error;
    const struct handle_entry *entry =
        handle_find(invocation->task, in->port, OBJECT_PORT, RIGHT_CONTROL, &error);
    if (entry == NULL) {
        return error;
    }
    if (entry->object->pool != invocation->body) {
        return E_OWNER;
    }
    out->left = port_destroy(entry->object->body, WAITERS_A_SLICE) ? 0 : 1;
    return OK;
}

error_t answer_pool_event_create(const struct invocation *invocation,
                                 const struct pool_event_create_in *in,
                                 struct pool_event_create_out *out) {
    error_t error;
    struct object *object = invoke_create(invocation, in->slot, OBJECT_EVENT, sizeof(struct event),
                                          invocation->body, &error);
    if (object != NULL) {
        ((struct event *)object->body)->object = object;
    }
    return error;
}

error_t answer_pool_timer_create(const struct invocation *invocation,
                                 const struct pool_timer_create_in *in,
                                 struct pool_timer_create_out *out) {
    error_t error;
    invoke_create(invocation, in->slot, OBJECT_TIMER, sizeof(struct timer), invocation->body,
                  &error);
    return error;
}
