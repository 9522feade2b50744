// SPDX-License-Identifier: MIT
#include "thread.h"
#include "cpu.h"
#include "event.h"
#include "fpu.h"
#include "kalloc.h"
#include "panic.h"
#include "port.h"
#include "schedule.h"
#include "window.h"

struct thread *current_thread;
uint32_t slow_flags;

void queue_add(struct queue *queue, struct thread *thread) {
    thread->queue = queue;
    thread->next = NULL;
    thread->previous = queue->last;
    if (queue->last != NULL) {
        queue->last->next = thread;
    } else {
        queue->first = thread;
    }
    queue->last = thread;
}

void queue_add_first(struct queue *queue, struct thread *thread) {
    thread->queue = queue;
    thread->previous = NULL;
    thread->next = queue->first;
    if (queue->first != NULL) {
        queue->first->previous = thread;
    } else {
        queue->last = thread;
    }
    queue->first = thread;
}

void queue_remove(struct thread *thread) {
    struct queue *queue = thread->queue;
    ASSERT(queue != NULL);
    if (thread->next != NULL) {
        thread->next->previous = thread->previous;
    } else {
        queue->last = thread->previous;
    }
    if (thread->previous != NULL) {
        thread->previous->next = thread->next;
    } else {
        queue->first = thread->next;
    }
    thread->queue = NULL;
    thread->next = thread->previous = NULL;
}

static error_t buffer_create(struct task *task, vaddr_t page, struct message_buffer **buffer) {
    pte_t *entry = space_entry(&task->space, page);
    if (entry != NULL && entry_bits(*entry) & ENTRY_PRESENT) {
        return E_MAPPED;
    }
    struct message_buffer *made = kalloc_page(task->pool, FRAME_BUFFER);
    entry = made == NULL ? NULL : space_entry_make(&task->space, page);
    if (entry == NULL) {
        if (made != NULL) {
            kfree_page(task->pool, made);
        }
        return E_MEMORY;
    }
    space_install(&task->space, entry, window_frame(made), MAP_READ | MAP_WRITE);
    *buffer = made;
    return OK;
}

static void buffer_destroy(struct thread *thread) {
    pte_t *entry = space_entry(&thread->task->space, thread->buffer_page);
    ASSERT(entry != NULL && ENTRY_FRAME(*entry) == window_frame(thread->buffer));
    space_remove(&thread->task->space, thread->buffer_page, entry);
    kfree_page(thread->task->pool, thread->buffer);
}

void thread_registers_clear(struct thread *thread) {
    thread->registers = (struct registers){.cs = SELECTOR_USER_CODE, .ss = SELECTOR_USER_DATA,
                                           .eflags = EFLAGS_USER};
}

error_t thread_create(struct task *task, vaddr_t buffer, uint32_t priority,
                      struct thread **created) {
    struct message_buffer *message = NULL;
    error_t error = buffer_create(task, buffer, &message);
    if (error != OK) {
        return error;
    }
    struct object *object = object_create(OBJECT_THREAD, sizeof(struct thread), task->pool);
    if (object == NULL) {
        space_remove(&task->space, buffer, space_entry(&task->space, buffer));
        space_trim(&task->space, buffer);
        kfree_page(task->pool, message);
        return E_MEMORY;
    }
    struct thread *thread = object->body;
    object->thread = thread;
    object->token = object->token == 0 ? object_slot(object) : object->token;
    thread->object = object;
    thread->token = object->token;
    thread->task = task;
    thread->handles = task->handles;
    thread->directory = space_directory(&task->space);
    thread->priority = (uint8_t)priority;
    thread->buffer = message;
    thread->buffer_page = buffer;
    thread_registers_clear(thread);
    thread->task_next = task->threads;
    if (task->threads != NULL) {
        task->threads->task_previous = thread;
    }
    task->threads = thread;
    task->thread_count++;
    *created = thread;
    return OK;
}

void thread_stop(struct thread *thread) {
    if (thread->state == THREAD_WAITING) {
        port_caller_forget(thread);
    } else if (thread->state == THREAD_RECEIVING) {
        port_receiver_remove(thread);
    } else if (thread->state == THREAD_SENDING) {
        port_caller_remove(thread);
    } else {
        schedule_unqueue(thread);
    }
    thread->flags &= (uint8_t)~THREAD_FAULTED;
    thread->state = THREAD_STOPPED;
}

void thread_destroy(struct thread *thread) {
    struct task *task = thread->task;
    thread_stop(thread);
    fpu_forget(thread);
    thread_serve(thread, NULL);
    task->cycles += thread_cycles(thread);
    thread->object->token = thread->token + TOKEN_STEP;
    if (thread->event != NULL) {
        thread->event->thread = NULL;
    }
    if (thread->fpu != NULL) {
        kfree(task->pool, thread->fpu);
    }
    buffer_destroy(thread);
    if (thread->task_next != NULL) {
        thread->task_next->task_previous = thread->task_previous;
    }
    if (thread->task_previous != NULL) {
        thread->task_previous->task_next = thread->task_next;
    } else {
        task->threads = thread->task_next;
    }
    if (task->stopping == thread) {
        task->stopping = thread->task_next;
    }
    schedule_forget(thread);
    object_destroy(thread->object);
    if (--task->thread_count == 0) {
        task_abandon(task);
    }
}

void thread_ready(struct thread *thread) {
    thread->state = THREAD_READY;
    schedule_add(thread);
}

void thread_fail(struct thread *thread, error_t error) {
    if (thread->state == THREAD_RECEIVING) {
        thread->payer.object = NULL;  // it works for nobody
    }
    thread->registers.eax = TAG_ERROR(error);
    thread_ready(thread);
}

void thread_serve(struct thread *thread, struct task *task) {
    struct task *before = thread->served_by;
    if (before == task) {
        return;
    }
    if (before != NULL) {
        if (thread->served_next != NULL) {
            thread->served_next->served_previous = thread->served_previous;
        }
        if (thread->served_previous != NULL) {
            thread->served_previous->served_next = thread->served_next;
        } else {
            before->served = thread->served_next;
        }
    }
    thread->served_by = task;
    if (task != NULL) {
        thread->served_previous = NULL;
        thread->served_next = task->served;
        if (task->served != NULL) {
            task->served->served_previous = thread;
        }
        task->served = thread;
    }
}

uint64_t thread_cycles(const struct thread *thread) {
    return thread->cycles + (thread == current_thread ? tsc_read() : 0);
}

void thread_priority_set(struct thread *thread, uint32_t priority) {
    schedule_due();  // it may be the running one's, and another is above it now
    if (thread->state == THREAD_READY && thread->queue != NULL) {
        schedule_unqueue(thread);
        thread->priority = (uint8_t)priority;
        schedule_add(thread);
    } else {
        thread->priority = (uint8_t)priority;
    }
}
