// SPDX-License-Identifier: MIT
// What tasks answer about their address spaces, the often asked part of it: map, unmap, protect, scan.
#include "invoke.h"
#include "tracepoint.h"

// A list of one that nobody records goes the short way, which saves no registers.
static inline bool is_short(uint32_t count, uint32_t event, uint32_t *done) {
    *done = 1;
    return count == 1 && !(trace_mask & 1u << event);
}

static __attribute__((noinline)) error_t map_list(const struct invocation *invocation,
                                                  const struct task_map_in *in,
                                                  struct task_map_out *out) {
    struct task *task = invocation->body;
    const struct map_item *list = invocation->buffer->list;
    if (in->count - 1 >= LIST_MAX) {
        return E_ARGUMENT;
    }
    if (task->state == TASK_STATE_DEAD) {
        return E_STATE;
    }
    error_t error = space_map(&task->space, list, in->count, invocation->task->pool, &out->done);
    if (error == OK) {
        trace_map(invocation->thread, task, list, out->done);
    }
    return error;
}

error_t answer_task_map(const struct invocation *invocation, const struct task_map_in *in,
                        struct task_map_out *out) {
    struct task *task = invocation->body;
    if (is_short(in->count, EVENT_map, &out->done) && task->state != TASK_STATE_DEAD) {
        return space_map_one(&task->space, invocation->buffer->list, invocation->task->pool);
    }
    return map_list(invocation, in, out);
}

static error_t change_list(const struct invocation *invocation, uint32_t count, bool protect,
                           uint32_t *done) {
    struct task *task = invocation->body;
    struct map_item *list = invocation->buffer->list;
    if (count - 1 >= LIST_MAX) {
        return E_ARGUMENT;
    }
    error_t error = space_change(&task->space, list, count, protect, done);
    if (error == OK && !protect) {
        trace_items(EVENT_unmap, invocation->thread, task, list, *done);
    }
    return error;
}

error_t answer_task_unmap(const struct invocation *invocation, const struct task_unmap_in *in,
                          struct task_unmap_out *out) {
    if (is_short(in->count, EVENT_unmap, &out->done)) {
        return space_unmap_one(&((struct task *)invocation->body)->space, invocation->buffer->list);
    }
    return change_list(invocation, in->count, false, &out->done);
}

error_t answer_task_protect(const struct invocation *invocation, const struct task_protect_in *in,
                            struct task_protect_out *out) {
    if (in->count == 1) {
        out->done = 1;
        return space_protect_one(&((struct task *)invocation->body)->space,
                                 invocation->buffer->list);
    }
    return change_list(invocation, in->count, true, &out->done);
}

// For the trace: how many of `count` pages were accessed.
static uint32_t accessed_count(const uint32_t *bitmap, uint32_t count) {
    uint32_t accessed = 0;
    for (uint32_t i = 0; i < count; i++) {
        accessed += bitmap[i / 32] >> i % 32 & 1;
    }
    return accessed;
}

error_t answer_task_scan(const struct invocation *invocation, const struct task_scan_in *in,
                         struct task_scan_out *out) {
    struct task *task = invocation->body;
    if (in->count == 0 || in->count > SCAN_MAX) {
        return E_ARGUMENT;
    }
    if (!space_page_valid(in->first) ||
        in->count > (LAYOUT_KERNEL - in->first) >> PAGE_SHIFT) {
        return E_ADDRESS;
    }
    out->present = space_scan(&task->space, in->first, in->count, invocation->buffer->bitmap);
    TRACE_THREAD(scan, invocation->thread, object_slot(task->object), 0, 0, in->first, in->count,
                 accessed_count(invocation->buffer->bitmap[0], in->count));
    return OK;
}
