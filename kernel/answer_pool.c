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

error_t answer_pool_create(const struct invocation *invocation, const struct pool_create_in *in,
                           struct pool_create_out *out) {
    const struct pool *parent = invocation->body;
    if (parent->depth >= POOL_DEPTH_MAX) {
        return E_LIMIT;
    }
    struct pool *pool = pool_split(invocation->body, in->frames, in->low, in->objects);
    if (pool == NULL) {
        return E_MEMORY;
    }
    invoke_handle_new(invocation, in->slot, pool->object);
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
        for (uint32_t left = taken; left != 0;) {
            uint32_t bit = bit_highest(left);
            left &= ~(1u << bit);
            list[done++] = (struct map_item){0, (first + bit) << 8};
            window_zero(first + bit);
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

// A change of the holds on each frame of a list, and what they may be before.
struct hold {
    uint32_t step, least, most;
    error_t error;
};
_Static_assert(PINS_MAX == FRAME_PINS / FRAME_PIN, "as many pins as the frame table can count");
static const struct hold hold_pin = {FRAME_PIN, 0, FRAME_PINS - 1, E_LIMIT};
static const struct hold hold_unpin = {-FRAME_PIN, FRAME_PIN, UINT32_MAX, E_STATE};
static const struct hold hold_leave = {FRAME_PIN, 0, 0, E_MAPPED};

static void frames_step(const struct map_item *list, uint32_t count, uint32_t step) {
    for (uint32_t i = 0; i < count; i++) {
        frame_entry(ITEM_FRAME(list[i]))->maps += step;
    }
}

// Up to TAG_ITEMS_MAX frames: all or none; of more, those before the first that is refused.
static error_t frames_hold(const struct invocation *invocation, uint32_t count,
                           const struct hold *hold, uint32_t *done) {
    const struct map_item *list = invocation->buffer->list;
    error_t error = count == 0 || count > LIST_MAX ? E_ARGUMENT : OK;
    for (*done = 0; error == OK && *done < count; *done += error == OK) {
        frame_t frame = ITEM_FRAME(list[*done]);
        if (!pool_owns(invocation->body, frame)) {
            error = E_OWNER;
        } else if (frame_entry(frame)->maps - hold->least > hold->most - hold->least) {
            error = hold->error;
        } else {
            frame_entry(frame)->maps += hold->step;
        }
    }
    if (error != OK && *done > 0 && count > TAG_ITEMS_MAX) {
        return OK;
    }
    if (error != OK) {
        frames_step(list, *done, -hold->step);
    }
    return error;
}

error_t answer_pool_frames_pin(const struct invocation *invocation,
                               const struct pool_frames_pin_in *in,
                               struct pool_frames_pin_out *out) {
    return frames_hold(invocation, in->count, &hold_pin, &out->done);
}

error_t answer_pool_frames_unpin(const struct invocation *invocation,
                                 const struct pool_frames_unpin_in *in,
                                 struct pool_frames_unpin_out *out) {
    return frames_hold(invocation, in->count, &hold_unpin, &out->done);
}

// Frames that may leave the pool: its own, unmapped, not pinned; pinned for the look at the rest of
// the list, so that each is named once.
static error_t frames_check(const struct invocation *invocation, uint32_t count, uint32_t *good) {
    error_t error = frames_hold(invocation, count, &hold_leave, good);
    if (error == OK) {
        frames_step(invocation->buffer->list, *good, -FRAME_PIN);
    }
    return error;
}

error_t answer_pool_frames_free(const struct invocation *invocation,
                                const struct pool_frames_free_in *in,
                                struct pool_frames_free_out *out) {
    error_t error = frames_check(invocation, in->count, &out->done);
    for (uint32_t i = 0; error == OK && i < out->done; i++) {
        pool_release(invocation->body, ITEM_FRAME(invocation->buffer->list[i]));
    }
    return error;
}

error_t answer_pool_frames_give(const struct invocation *invocation,
                                const struct pool_frames_give_in *in,
                                struct pool_frames_give_out *out) {
    error_t error;
    const struct handle_entry *to =
        handle_find(invocation->task, in->to, OBJECT_POOL, RIGHT_ALLOCATE, &error);
    if (to == NULL) {
        return error;
    }
    error = frames_check(invocation, in->count, &out->done);
    if (error != OK) {
        return error;
    }
    struct pool *target = to->object->body;
    uint32_t room = MIN_OF(out->done, target->reserved - target->used - target->split);
    if (room < out->done && (room == 0 || in->count <= TAG_ITEMS_MAX)) {
        return E_MEMORY;
    }
    for (out->done = 0; error == OK && out->done < room; out->done++) {
        error = pool_move(invocation->body, target, ITEM_FRAME(invocation->buffer->list[out->done]));
    }
    return error;
}

error_t answer_pool_frame_zero(const struct invocation *invocation,
                               const struct pool_frame_zero_in *in,
                               struct pool_frame_zero_out *out) {
    if (!pool_owns(invocation->body, in->frame)) {
        return E_OWNER;
    }
    window_zero(in->frame);
    return OK;
}

error_t answer_pool_frame_copy(const struct invocation *invocation,
                               const struct pool_frame_copy_in *in,
                               struct pool_frame_copy_out *out) {
    if (in->first > in->end) {
        return E_ARGUMENT;
    }
    if (!pool_owns(invocation->body, in->to) ||
        !pool_owns(invocation->found->object->body, in->from) || in->to == in->from) {
        return E_OWNER;
    }
    window_copy(in->to, in->from, in->first, in->end);
    return OK;
}

error_t answer_pool_task_create(const struct invocation *invocation,
                                const struct pool_task_create_in *in,
                                struct pool_task_create_out *out) {
    if (in->ceiling > invocation->task->ceiling) {
        return E_ARGUMENT;
    }
    struct task *task = task_create(invocation->body, in->badge, in->rank, in->ceiling);
    if (task == NULL) {
        return E_MEMORY;
    }
    invoke_handle_new(invocation, in->slot, task->object);
    return OK;
}

error_t answer_pool_port_create(const struct invocation *invocation,
                                const struct pool_port_create_in *in,
                                struct pool_port_create_out *out) {
    if (in->rank > invocation->task->ceiling) {
        return E_ARGUMENT;
    }
    struct object *object = object_create(OBJECT_PORT, sizeof(struct port), invocation->body);
    if (object == NULL) {
        return E_MEMORY;
    }
    ((struct port *)object->body)->object = object;
    object->rank = (uint16_t)in->rank;
    object->key = object_generation(object) | KEY_RECEIVE;
    invoke_handle_new(invocation, in->slot, object);
    return OK;
}

// The port must be charged to this pool: its owner's right to end it.
error_t answer_pool_port_destroy(const struct invocation *invocation,
                                 const struct pool_port_destroy_in *in,
                                 struct pool_port_destroy_out *out) {
    const struct handle_entry *entry = invocation->found;
    if (entry->object->pool != invocation->body) {
        return E_OWNER;
    }
    if (!port_destroy(entry->object->body, WAITERS_A_SLICE)) {
        // This handle alone lives on, to go on with: nothing that calls can be made of it.
        handle_set(invocation->task, HANDLE_INDEX(in->port), entry->object, RIGHT_CONTROL, 0);
        out->left = 1;
    }
    return OK;
}

error_t answer_pool_event_create(const struct invocation *invocation,
                                 const struct pool_event_create_in *in,
                                 struct pool_event_create_out *out) {
    struct object *object = invoke_create(invocation, in->slot, OBJECT_EVENT, sizeof(struct event),
                                          invocation->body);
    if (object == NULL) {
        return E_MEMORY;
    }
    ((struct event *)object->body)->object = object;
    return OK;
}

error_t answer_pool_timer_create(const struct invocation *invocation,
                                 const struct pool_timer_create_in *in,
                                 struct pool_timer_create_out *out) {
    return invoke_create(invocation, in->slot, OBJECT_TIMER, sizeof(struct timer),
                         invocation->body) == NULL ? E_MEMORY : OK;
}
