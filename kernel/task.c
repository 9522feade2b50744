// SPDX-License-Identifier: MIT
#include "task.h"
#include "event.h"
#include "kalloc.h"
#include "port.h"
#include "thread.h"

struct task *task_list;

enum { TABLES_A_SLICE = 8 };

struct task *task_create(struct pool *pool, badge_t badge, uint32_t rank, uint32_t ceiling) {
    struct object *object = object_create(OBJECT_TASK, sizeof(struct task), pool);
    if (object == NULL) {
        return NULL;
    }
    struct task *task = object->body;
    *task = (struct task){.object = object, .pool = pool, .badge = badge, .rank = (uint8_t)rank,
                          .ceiling = (uint8_t)ceiling, .state = TASK_STATE_NEW};
    task->handles = kalloc_page(pool, FRAME_OBJECT);
    if (task->handles == NULL || space_create(&task->space, pool) != OK) {
        if (task->handles != NULL) {
            kfree_page(pool, task->handles);
        }
        object_destroy(object);
        return NULL;
    }
    task->next = task_list;
    if (task_list != NULL) {
        task_list->previous = task;
    }
    task_list = task;
    return task;
}

void task_die(struct task *task, uint32_t cause) {
    if (task->state == TASK_STATE_DEAD) {
        return;
    }
    task->state = TASK_STATE_DEAD;
    task->cause = (uint8_t)cause;
    for (struct thread *thread = task->threads; thread != NULL; thread = thread->task_next) {
        thread_stop(thread);
    }
    while (task->served != NULL) {
        port_caller_abandoned(task->served);
    }
    struct event *event = reference_body(task->death_event);
    if (event != NULL) {
        event_signal(event, task->death_bits);
    }
}

static void task_unlink(struct task *task) {
    if (task->next != NULL) {
        task->next->previous = task->previous;
    }
    if (task->previous != NULL) {
        task->previous->next = task->next;
    } else {
        task_list = task->next;
    }
}

uint32_t task_destroy(struct task *task) {
    task_die(task, CAUSE_KILLED);
    for (uint32_t i = 0; task->threads != NULL; i++) {
        if (i == TABLES_A_SLICE) {
            return task->thread_count + task->space.tables;
        }
        thread_destroy(task->threads);
    }
    uint32_t left = space_destroy(&task->space, TABLES_A_SLICE);
    if (left > 0) {
        return left;
    }
    task_unlink(task);
    kfree_page(task->pool, task->handles);
    object_destroy(task->object);
    return 0;
}

struct handle_entry *handle_find(struct task *task, handle_t handle, enum object_type type,
                                 uint32_t rights, error_t *error) {
    uint32_t index = HANDLE_INDEX(handle);
    *error = E_HANDLE;
    if (index >= SLOT_COUNT || handle % 16 != 0) {
        return NULL;
    }
    struct handle_entry *entry = &task->handles[index];
    if (entry->object == NULL || entry->object->generation != entry->generation) {
        return NULL;
    }
    *error = E_TYPE;
    if (type != OBJECT_NONE && entry->object->type != type) {
        return NULL;
    }
    *error = E_RIGHT;
    if ((entry->rights & rights) != rights) {
        return NULL;
    }
    *error = OK;
    return entry;
}

error_t handle_slot_check(const struct task *task, uint32_t slot) {
    if (slot == 0 || slot >= SLOT_COUNT) {
        return E_SLOT;
    }
    const struct handle_entry *entry = &task->handles[slot];
    bool stale = entry->object == NULL || entry->object->generation != entry->generation;
    return stale ? OK : E_SLOT;
}

void handle_set(struct task *task, uint32_t slot, struct object *object, uint32_t rights,
                badge_t badge) {
    task->handles[slot] = (struct handle_entry){object, object->generation, badge, rights};
}

error_t handle_rank_check(const struct task *task, const struct object *object, uint32_t rights) {
    if (object->type == OBJECT_PORT && rights & RIGHT_CALL) {
        const struct port *port = object->body;
        return port->rank > task->rank ? OK : E_RANK;
    }
    return OK;
}
