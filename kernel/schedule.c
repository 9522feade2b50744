// SPDX-License-Identifier: MIT
#include "schedule.h"
#include "cpu.h"
#include "descriptor.h"
#include "fpu.h"
#include "timer.h"
#include "tracepoint.h"

void entry_idle(void);
void entry_spin(void);

static struct queue ready[PRIORITIES];
static uint32_t ready_mask;  // bit p: ready[p] is not empty
static uint64_t switched_at;
static bool slice_over;
uint64_t schedule_idle_cycles;
bool schedule_spins;

void schedule_add(struct thread *thread) {
    if (thread == current_thread) {
        return;  // it runs: schedule() decides
    }
    queue_add(&ready[thread->priority], thread);
    ready_mask |= 1u << thread->priority;
}

void schedule_unqueue(struct thread *thread) {
    struct queue *queue = thread->queue;
    if (queue == NULL) {
        return;
    }
    queue_remove(thread);
    if (queue >= ready && queue < ready + PRIORITIES && queue->first == NULL) {
        ready_mask &= ~(1u << (queue - ready));
    }
}

void schedule_forget(struct thread *thread) {
    if (thread == current_thread) {
        current_thread = NULL;
    }
}

void schedule_slice_end(void) {
    slice_over = true;
}

static void account(void) {
    uint64_t now = tsc_read();
    if (current_thread != NULL) {
        current_thread->task->cycles += now - switched_at;
    }
    switched_at = now;
}

static void idle(void) {
    account();
    fpu_leave(current_thread);
    current_thread = NULL;
    while (ready_mask == 0) {
        if (schedule_spins) {
            entry_spin();
        } else {
            entry_idle();
        }
        trace_wake();
    }
    uint64_t now = tsc_read();
    schedule_idle_cycles += now - switched_at;
    switched_at = now;
}

static void switch_to(struct thread *thread) {
    struct thread *before = current_thread;
    account();
    TRACE_THREAD(switch, before, object_slot(thread->object), 0, 0, 0, 0, 0);
    fpu_leave(before);
    current_thread = thread;
    descriptor_thread(&thread->registers + 1, thread->tls_base);
    space_load(&thread->task->space);
}

void schedule(void) {
    trace_wake();
    bool runs = current_thread != NULL && current_thread->state == THREAD_READY;
    if (ready_mask == 0 && !runs) {
        idle();
    }
    if (ready_mask != 0) {
        uint32_t best = bit_highest(ready_mask);
        bool turn = slice_over && runs && best == current_thread->priority;
        if (runs && best <= current_thread->priority && !turn) {
            if (best == current_thread->priority) {
                timer_slice_begin();
            }
            return;
        }
        struct thread *next = ready[best].first;
        schedule_unqueue(next);
        struct thread *before = current_thread;
        switch_to(next);
        if (runs && slice_over) {  // even when one of higher priority is why it stops
            schedule_add(before);
        } else if (runs) {  // preempted: it goes on before its equals
            queue_add_first(&ready[before->priority], before);
            ready_mask |= 1u << before->priority;
        }
        slice_over = false;
        if (ready[next->priority].first != NULL) {
            timer_slice_begin();
        }
    }
}
