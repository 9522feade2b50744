// SPDX-License-Identifier: MIT
#include "event.h"
#include "port.h"
#include "schedule.h"
#include "tracepoint.h"

// Let a thread that receives have the pending bits of its event.
static void deliver(struct thread *thread) {
    if (thread->state == THREAD_RECEIVING && event_collect(thread)) {
        port_receiver_remove(thread);
        thread_ready(thread);
    }
}

error_t event_bind(struct event *event, struct thread *thread) {
    if (event->thread != NULL && event->thread != thread) {
        return E_STATE;
    }
    if (thread->event != NULL) {
        thread->event->thread = NULL;
    }
    event->thread = thread;
    thread->event = event;
    thread->pending = event->bits;
    deliver(thread);  // it may be receiving, and bits may be pending
    return OK;
}

bool event_collect(struct thread *thread) {
    struct event *event = thread->event;
    if (event == NULL || event->bits == 0) {
        return false;
    }
    struct registers *r = &thread->registers;
    r->eax = LABEL_EVENT;
    r->ebx = 0;
    r->esi = 0;
    r->edi = event->bits;
    r->ebp = 0;
    event->bits = thread->pending = 0;
    thread->serves_id = 0;
    schedule_serve(thread, NULL);
    return true;
}

void event_signal(struct event *event, uint32_t bits) {
    event->bits |= bits;
    TRACE(signal, event->object, bits);
    if (event->thread != NULL) {
        event->thread->pending = event->bits;
        deliver(event->thread);
    }
}

void event_destroy(struct event *event) {
    struct thread *thread = event->thread;
    if (thread != NULL) {
        thread->event = NULL;
        thread->pending = 0;
        if (thread->state == THREAD_RECEIVING && thread->port == NULL) {
            thread_fail(thread, E_DEAD);  // it waited for nothing else
        }
    }
    object_destroy(event->object);
}
