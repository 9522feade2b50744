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
    for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
        handle_drop(task, slot);
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
        struct thread *caller = task->served;
        thread_serve(caller, NULL);
        if (caller->state == THREAD_WAITING) {
            port_caller_abandoned(caller);
        }
    }
    struct event *event = reference_body(task->death_event);
    if (event != NULL) {
        event_signal(event, task->death_bits);
    }
}

uint64_t task_cycles(const struct task *task) {
    uint64_t cycles = task->cycles;
    for (const struct thread *thread = task->threads; thread != NULL; thread = thread->task_next) {
        cycles += thread_cycles(thread);
    }
    return cycles;
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

static bool handle_alive(const struct handle_entry *entry) {
    return (entry->key & KEY_GENERATION) == object_generation(entry->object);
}

struct handle_entry *handle_find(struct task *task, handle_t handle, enum object_type type,
                                 uint32_t rights, error_t *error) {
    uint32_t index = HANDLE_INDEX(handle);
    *error = E_HANDLE;
    if (index >= SLOT_COUNT || handle % 16 != 0) {
        return NULL;
    }
    struct handle_entry *entry = &task->handles[index];
    if (!handle_alive(entry)) {
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
    return handle_alive(&task->handles[slot]) ? E_SLOT : OK;
}

void handle_set(struct task *task, uint32_t slot, struct object *object, uint32_t rights,
                badge_t badge) {
    uint32_t right = rights & (RIGHT_CALL | RIGHT_RECEIVE), key = object_generation(object);
    if (object->type == OBJECT_PORT && right == RIGHT_CALL) {
        key |= KEY_CALL;
    } else if (object->type == OBJECT_PORT && right == RIGHT_RECEIVE) {
        key |= KEY_RECEIVE;
    }
    task->handles[slot] = (struct handle_entry){object, key, badge, rights};
}

void handle_drop(struct task *task, uint32_t slot) {
    task->handles[slot] = (struct handle_entry){.object = objects.table};
}

error_t handle_rank_check(const struct task *task, const struct object *object, uint32_t rights) {
    if (object->type == OBJECT_PORT && rights & RIGHT_CALL) {
        const struct port *port = object->body;
        return port->rank > task->rank ? OK : E_RANK;
    }
    return OK;
}
