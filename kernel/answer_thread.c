// SPDX-License-Identifier: MIT
// What threads, events and timers answer (abi/ipc.def).
#include "invoke.h"
#include "descriptor.h"
#include "event.h"
#include "schedule.h"
#include "timer.h"

error_t answer_thread_start(const struct invocation *invocation, const struct thread_start_in *in,
                            struct thread_start_out *out) {
    struct thread *thread = invocation->body;
    if (thread->state != THREAD_STOPPED || thread->task->state == TASK_STATE_DEAD) {
        return E_STATE;
    }
    thread_registers_clear(thread);
    thread->registers.eip = in->eip;
    thread->registers.esp = in->esp;
    thread->registers.eax = in->argument;
    thread->task->state = TASK_STATE_ALIVE;
    thread_ready(thread);
    return OK;
}

// What the thread waited for is cancelled; a fault under way is tried again when it resumes.
error_t answer_thread_suspend(const struct invocation *invocation,
                              const struct thread_suspend_in *in,
                              struct thread_suspend_out *out) {
    struct thread *thread = invocation->body;
    bool in_call = thread->state != THREAD_READY && thread->state != THREAD_STOPPED &&
                   !(thread->flags & THREAD_FAULTED);
    thread_stop(thread);
    if (in_call) {
        thread->registers.eax = TAG_ERROR(E_CANCELLED);
    }
    return OK;
}

error_t answer_thread_resume(const struct invocation *invocation, const struct thread_resume_in *in,
                             struct thread_resume_out *out) {
    struct thread *thread = invocation->body;
    if (thread->state != THREAD_STOPPED || thread->task->state != TASK_STATE_ALIVE) {
        return E_STATE;
    }
    thread_ready(thread);
    return OK;
}

// The registers in the order of their messages.
#define PLACE(name) (offsetof(struct registers, name) / 4)
static const uint8_t places[] = {PLACE(eip), PLACE(esp), PLACE(eflags), PLACE(eax), PLACE(ebx),
                                 PLACE(ecx), PLACE(edx), PLACE(esi), PLACE(edi), PLACE(ebp)};
_Static_assert(sizeof(struct thread_registers_set_in) == 4 * ARRAY_LENGTH(places) &&
                   offsetof(struct thread_registers_out, state) == 4 * ARRAY_LENGTH(places),
               "all of them");

error_t answer_thread_registers(const struct invocation *invocation,
                                const struct thread_registers_in *in,
                                struct thread_registers_out *out) {
    const struct thread *thread = invocation->body;
    for (uint32_t i = 0; i < ARRAY_LENGTH(places); i++) {
        (&out->eip)[i] = ((const uint32_t *)&thread->registers)[places[i]];
    }
    out->state = thread->state;
    return OK;
}

error_t answer_thread_registers_set(const struct invocation *invocation,
                                    const struct thread_registers_set_in *in,
                                    struct thread_registers_set_out *out) {
    struct thread *thread = invocation->body;
    if (thread->state != THREAD_STOPPED) {
        return E_STATE;
    }
    thread_registers_clear(thread);
    for (uint32_t i = 0; i < ARRAY_LENGTH(places); i++) {
        ((uint32_t *)&thread->registers)[places[i]] = (&in->eip)[i];
    }
    thread->registers.eflags = (in->eflags & EFLAGS_SETTABLE) | EFLAGS_USER;
    return OK;
}

error_t answer_thread_tls(const struct invocation *invocation, const struct thread_tls_in *in,
                          struct thread_tls_out *out) {
    struct thread *thread = invocation->body;
    if (thread->task != invocation->task && !(invocation->handle->rights & RIGHT_CONTROL)) {
        return E_RIGHT;
    }
    thread->tls_base = in->base;
    thread->gs = in->base == 0 ? 0 : SELECTOR_TLS;
    out->selector = SELECTOR_TLS;
    if (thread == invocation->thread) {
        descriptor_thread(thread);
    }
    return OK;
}

error_t answer_thread_priority(const struct invocation *invocation,
                               const struct thread_priority_in *in,
                               struct thread_priority_out *out) {
    struct thread *thread = invocation->body;
    if (in->priority > thread->task->ceiling) {
        return E_ARGUMENT;
    }
    thread_priority_set(thread, in->priority);
    return OK;
}

error_t answer_thread_event(const struct invocation *invocation, const struct thread_event_in *in,
                            struct thread_event_out *out) {
    struct thread *thread = invocation->body;
    if (thread->task != invocation->task && !(invocation->handle->rights & RIGHT_CONTROL)) {
        return E_RIGHT;
    }
    return event_bind(invocation->found->object->body, thread);
}

error_t answer_thread_destroy(const struct invocation *invocation,
                              const struct thread_destroy_in *in,
                              struct thread_destroy_out *out) {
    thread_destroy(invocation->body);
    return OK;
}

error_t answer_event_destroy(const struct invocation *invocation, const struct event_destroy_in *in,
                             struct event_destroy_out *out) {
    return invoke_reap(invocation);
}

error_t answer_timer_set(const struct invocation *invocation, const struct timer_set_in *in,
                         struct timer_set_out *out) {
    timer_set(invocation->body, (uint64_t)in->ns_high << 32 | in->ns_low, invocation->found->object,
              in->bits);
    return OK;
}

error_t answer_timer_cancel(const struct invocation *invocation, const struct timer_cancel_in *in,
                            struct timer_cancel_out *out) {
    timer_cancel(invocation->body);
    return OK;
}

error_t answer_timer_destroy(const struct invocation *invocation, const struct timer_destroy_in *in,
                             struct timer_destroy_out *out) {
    return invoke_reap(invocation);
}
