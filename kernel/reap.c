// SPDX-License-Identifier: MIT
#include "reap.h"
#include "iomem.h"
#include "irq.h"
#include "port.h"
#include "timer.h"

enum { FRAMES_A_SLICE = 4096, WAITERS_A_SLICE = 64 };

void reap_object(struct object *object) {
    switch (object->type) {
    case OBJECT_TASK:
        task_destroy(object->body);
        break;
    case OBJECT_THREAD:
        thread_destroy(object->body);
        break;
    case OBJECT_PORT:
        port_destroy(object->body, WAITERS_A_SLICE);
        break;
    case OBJECT_EVENT:
        event_destroy(object->body);
        break;
    case OBJECT_TIMER:
        timer_cancel(object->body);
        object_destroy(object);
        break;
    case OBJECT_IRQ:
        irq_give_up(object->body);
        object_destroy(object);
        break;
    case OBJECT_IOMEM:
        iomem_unmap(object->body);
        object_destroy(object);
        break;
    case OBJECT_NOTICE:
        notice_end(object->body);
        break;
    default:
        object_destroy(object);
    }
}

static error_t frames_end(struct pool *pool, bool *left) {
    frame_t end = MIN_OF(frames.count - pool->reap_next, FRAMES_A_SLICE) + pool->reap_next;
    for (; pool->reap_next < end; pool->reap_next++) {
        if (!pool_owns(pool, pool->reap_next)) {
            continue;
        }
        if (frame_entry(pool->reap_next)->maps & ~FRAME_PINS) {
            return E_MAPPED;
        }
        frame_entry(pool->reap_next)->maps = 0;
        pool_release(pool, pool->reap_next);
    }
    if (pool->reap_next == frames.count) {
        pool->reap_next = 0;
    }
    *left = pool->used != 0;  // a pool that is still used may have got frames behind the search
    return OK;
}

error_t pool_reap(struct pool *asked, bool *left) {
    struct pool *pool = asked;
    if (pool->parent == NULL) {
        return E_STATE;
    }
    struct object *object = object_first(pool);
    while (object != NULL && object->type == OBJECT_POOL) {
        pool = object->body;
        object = object_first(pool);
    }
    *left = true;
    if (object != NULL) {
        reap_object(object);
        return OK;
    }
    error_t error = frames_end(pool, left);
    if (error == OK && !*left && pool != asked) {
        *left = true;
        return pool_end(pool);
    }
    return error;
}
