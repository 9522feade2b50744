// SPDX-License-Identifier: MIT
#include "task.h"
#include "event.h"
#include "kalloc.h"
#include "list.h"
#include "port.h"
#include "schedule.h"

struct task *task_list;

enum { TABLES_A_SLICE = 8, STEPS_A_SLICE = 32 };

struct task *task_create(struct pool *pool, badge_t badge, uint32_t rank, uint32_t ceiling) {
    struct object *object = object_create(OBJECT_TASK, sizeof(struct task), pool);
    if (object == NULL) {
        return NULL;
    }
    struct task *task = object->body;
    *task = (struct task){.object = object, .pool = pool, .badge = badge, .rank = (uint8_t)rank,
                          .ceiling = (uint8_t)ceiling, .state = TASK_STATE_NEW,
                          .share = SHARE_DEFAULT};
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
    task->fault_port.object = objects.table;  // no port: its slot is never used
    LIST_ADD(task_list, task, next);
    return task;
}

// --- the end of a task ---------------------------------------------------------------------------

static struct task *ending;  // linked by ending_next

static void notice_tell(struct notice *notice) {
    struct event *event = reference_body(notice->event);
    uint32_t bits = notice->bits;
    notice_end(notice);
    if (event != NULL) {
        event_signal(event, bits);
    }
}

// Threads first: none of them can take another call then. Returns false when there was nothing to do.
static bool end_step(struct task *task) {
    struct thread *thread = task->stopping;
    if (thread != NULL) {
        task->stopping = thread->task_next;
        thread_stop(thread);
    } else if (task->served != NULL) {
        struct thread *caller = task->served;
        thread_serve(caller, NULL);
        if (caller->state == THREAD_WAITING) {
            port_caller_abandoned(caller);
        }
    } else if (task->state == TASK_STATE_DEAD && task->notices != NULL) {
        notice_tell(task->notices);
    } else {
        return false;
    }
    return true;
}

bool task_end_slice(void) {
    for (uint32_t i = 0; i < STEPS_A_SLICE && ending != NULL; i++) {
        struct task *task = ending;
        if (!end_step(task)) {
            ending = task->ending_next;
            task->ending = false;
        }
    }
    return ending != NULL;
}

void task_abandon(struct task *task) {
    if (!task->ending) {
        task->ending = true;
        task->ending_next = ending;
        ending = task;
        schedule_due();
    }
    (void)task_end_slice();
}

void task_die(struct task *task, uint32_t cause) {
    if (task->state == TASK_STATE_DEAD) {
        return;
    }
    task->state = TASK_STATE_DEAD;
    task->cause = (uint8_t)cause;
    task->stopping = task->threads;
    if (current_thread != NULL && current_thread->task == task) {
        thread_stop(current_thread);
    }
    task_abandon(task);
}

error_t notice_create(struct task *task, struct object *event, uint32_t bits, struct pool *pool) {
    if (task->state == TASK_STATE_DEAD && !task->ending) {
        event_signal(event->body, bits);
        return OK;
    }
    struct object *object = object_create(OBJECT_NOTICE, sizeof(struct notice), pool);
    if (object == NULL) {
        return E_MEMORY;
    }
    struct notice *notice = object->body;
    *notice = (struct notice){.object = object, .event = object_reference(event),
                              .bits = bits};
    LIST_ADD(task->notices, notice, next);
    return OK;
}

void notice_end(struct notice *notice) {
    LIST_REMOVE(notice, next);
    object_destroy(notice->object);
}

uint64_t task_cycles(const struct task *task) {
    uint64_t cycles = task->cycles;
    for (const struct thread *thread = task->threads; thread != NULL; thread = thread->task_next) {
        cycles += thread_cycles(thread);
    }
    return cycles;
}

uint32_t task_destroy(struct task *task) {
    task_die(task, CAUSE_KILLED);
    if (task->ending) {
        return task->thread_count + task->space.tables + 1;
    }
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
    LIST_REMOVE(task, next);
    schedule_forget_payer(task);
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
    uint32_t right = rights & (RIGHT_CALL | RIGHT_RECEIVE), kind = KEY_OTHER_HANDLE;
    if (object->type == OBJECT_PORT && right == RIGHT_CALL) {
        kind = KEY_CALL;
    } else if (object->type == OBJECT_PORT && right == RIGHT_RECEIVE) {
        kind = KEY_RECEIVE_HANDLE;
    }
    task->handles[slot] =
        (struct handle_entry){object, object_generation(object) | kind, badge, rights};
}

void handle_drop(struct task *task, uint32_t slot) {
    task->handles[slot] = (struct handle_entry){.object = objects.table};
}

error_t handle_rank_check(const struct task *task, const struct object *object, uint32_t rights) {
    if (object->type == OBJECT_PORT && rights & RIGHT_CALL) {
        return object->rank > task->rank ? OK : E_RANK;
    }
    return OK;
}
