// SPDX-License-Identifier: MIT
#include "thread.h"
#include "cpu.h"
#include "event.h"
#include "fpu.h"
#include "kalloc.h"
#include "list.h"
#include "panic.h"
#include "port.h"
#include "schedule.h"
#include "window.h"

struct thread *current_thread;
uint32_t slow_flags;

// What names `thread` from before and from behind: its neighbour's link, or the queue's own.
static struct thread **named_before(struct queue *queue, struct thread *previous) {
    return previous != NULL ? &previous->next : &queue->first;
}
static struct thread **named_behind(struct queue *queue, struct thread *next) {
    return next != NULL ? &next->previous : &queue->last;
}

static void link_in(struct queue *queue, struct thread *thread) {
    thread->queue = queue;
    *named_before(queue, thread->previous) = thread;
    *named_behind(queue, thread->next) = thread;
}

void queue_add(struct queue *queue, struct thread *thread) {
    thread->next = NULL;
    thread->previous = queue->last;
    link_in(queue, thread);
}

void queue_add_first(struct queue *queue, struct thread *thread) {
    thread->next = queue->first;
    thread->previous = NULL;
    link_in(queue, thread);
}

void queue_remove(struct thread *thread) {
    struct queue *queue = thread->queue;
    ASSERT(queue != NULL);
    *named_before(queue, thread->previous) = thread->next;
    *named_behind(queue, thread->next) = thread->previous;
    thread->queue = NULL;
}

static error_t buffer_create(struct task *task, vaddr_t page, struct message_buffer **buffer) {
    pte_t *entry = space_entry_make(&task->space, page);
    if (entry == NULL || entry_low(*entry) & ENTRY_PRESENT) {
        return entry == NULL ? E_MEMORY : E_MAPPED;
    }
    *buffer = kalloc_page(task->pool, FRAME_BUFFER);
    if (*buffer == NULL) {
        (void)space_trim(&task->space, page);
        return E_MEMORY;
    }
    space_install(&task->space, entry, window_frame(*buffer), MAP_READ | MAP_WRITE);
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
    struct object *object = object_create(OBJECT_THREAD, sizeof(struct thread), task->pool);
    if (object == NULL) {
        return E_MEMORY;
    }
    struct thread *thread = object->body;
    error_t error = buffer_create(task, buffer, &thread->buffer);
    if (error != OK) {
        object_destroy(object);
        return error;
    }
    object->thread = thread;
    object->token = object->token == 0 ? object_slot(object) : object->token;
    thread->object = object;
    thread->token = object->token;
    thread->task = task;
    thread->handles = task->handles;
    thread->directory = space_directory(&task->space);
    thread->priority = (uint8_t)priority;
    thread->buffer_page = buffer;
    thread_registers_clear(thread);
    LIST_ADD(task->threads, thread, task_next);
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
    LIST_REMOVE(thread, task_next);
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

void thread_return(struct thread *thread, tag_t tag) {
    if (thread->flags & THREAD_FAULTED) {
        thread->flags &= (uint8_t)~THREAD_FAULTED;
    } else {
        thread->registers.eax = tag;
    }
    thread_ready(thread);
}

void thread_fail(struct thread *thread, error_t error) {
    if (thread->state == THREAD_RECEIVING) {
        thread->payer.object = NULL;  // it works for nobody
    }
    thread_return(thread, TAG_ERROR(error));
}

void thread_serve(struct thread *thread, struct task *task) {
    if (thread->served_by != NULL) {
        LIST_REMOVE(thread, served_next);
    }
    thread->served_by = task;
    if (task != NULL) {
        LIST_ADD(task->served, thread, served_next);
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
