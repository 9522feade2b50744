// SPDX-License-Identifier: MIT
#include "schedule.h"
#include "cpu.h"
#include "descriptor.h"
#include "fpu.h"
#include "timer.h"
#include "tracepoint.h"

void entry_idle(void);
void entry_spin(void);

// Ready threads of a priority: those that waited for something and have time of their slice left go
// before those that were stopped while they ran. So a thread that faults or calls often gets its
// share beside one that never waits. Whoever has used up its slice goes behind all others.
static struct queue woken[PRIORITIES];
static struct queue ready[PRIORITIES];
static uint32_t ready_mask;  // bit p: woken[p] or ready[p] is not empty
static uint64_t switched_at;
// Whose slice runs: the last thread chosen of the lowest priority since the CPU was idle. What
// servers above it do meanwhile is done for it, or at least in its time.
static struct thread *slice_owner;
static bool slice_over;
struct task *schedule_fast;
uint8_t schedule_highest;
uint64_t schedule_idle_cycles;
bool schedule_spins;

static bool slice_used_up(struct thread *thread) {
    return thread->slice_used >= timer_slice_ticks();
}

static void add_last(struct thread *thread) {
    thread->slice_used = 0;
    queue_add(&ready[thread->priority], thread);
}

void schedule_add(struct thread *thread) {
    if (thread == current_thread) {
        return;  // it runs: schedule() decides
    }
    ready_mask |= 1u << thread->priority;
    if (slice_used_up(thread)) {
        add_last(thread);
    } else {
        queue_add(&woken[thread->priority], thread);
    }
}

// It ran, and another one runs now.
static void add_stopped(struct thread *thread) {
    ready_mask |= 1u << thread->priority;
    if (slice_used_up(thread)) {
        add_last(thread);
    } else {
        queue_add_first(&ready[thread->priority], thread);
    }
}

static struct thread *first_of(uint32_t priority) {
    return woken[priority].first != NULL ? woken[priority].first : ready[priority].first;
}

static bool is_ready_queue(const struct queue *queue) {
    return (queue >= ready && queue < ready + PRIORITIES) ||
           (queue >= woken && queue < woken + PRIORITIES);
}

void schedule_unqueue(struct thread *thread) {
    struct queue *queue = thread->queue;
    if (queue == NULL) {
        return;
    }
    queue_remove(thread);
    if (is_ready_queue(queue) && first_of(thread->priority) == NULL) {
        ready_mask &= ~(1u << thread->priority);
    }
}

void schedule_forget(const struct thread *thread) {
    if (thread == current_thread) {
        current_thread = NULL;
    }
    if (thread == slice_owner) {
        slice_owner = NULL;
    }
}

void schedule_slice_end(void) {
    slice_over = true;
}

static void account(void) {
    uint64_t now = tsc_read();
    if (slice_owner != NULL) {
        slice_owner->slice_used += now - switched_at;
    }
    switched_at = now;
}

static void slice_begin(const struct thread *thread) {
    uint64_t ticks = timer_slice_ticks();
    timer_slice_begin(thread->slice_used < ticks ? ticks - thread->slice_used : 0);
}

// Work that ending tasks have left goes on at each kernel entry: there shall be one soon.
static void end_tasks(void) {
    if (task_end_slice()) {
        timer_slice_begin(0);
    }
}

// The running thread stops, `next` runs instead (NULL: nobody).
static void thread_leave(struct thread *next) {
    if (current_thread != NULL) {
        current_thread->cycles += switched_at;
        fpu_leave(current_thread);
    }
    current_thread = next;
    if (next != NULL) {
        next->cycles -= switched_at;
    }
}

static void idle(void) {
    account();
    thread_leave(NULL);
    slice_owner = NULL;
    while (ready_mask == 0) {
        if (schedule_spins) {
            entry_spin();
        } else {
            entry_idle();
        }
        end_tasks();
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
    thread_leave(thread);
    if (slice_owner == NULL || thread->priority <= slice_owner->priority) {
        slice_owner = thread;
    }
    descriptor_thread(thread);
    space_load(&thread->task->space);
}

// The slice's interrupt came: has the running thread used up its own?
static bool slice_check(void) {
    if (!slice_over) {
        return false;
    }
    slice_over = false;
    account();
    return slice_used_up(current_thread);
}

static void choose(void) {
    bool runs = current_thread != NULL && current_thread->state == THREAD_READY;
    if (ready_mask == 0 && !runs) {
        idle();
    }
    if (ready_mask == 0) {
        return;
    }
    uint32_t best = bit_highest(ready_mask);
    bool turn = runs && slice_check();
    if (runs && (best < current_thread->priority || (best == current_thread->priority && !turn))) {
        if (best == current_thread->priority) {
            slice_begin(current_thread);
        }
        return;
    }
    struct thread *next = first_of(best);
    schedule_unqueue(next);
    struct thread *before = current_thread;
    switch_to(next);
    if (runs) {
        add_stopped(before);
    }
    if (first_of(best) != NULL) {
        slice_begin(next);
    }
}

void schedule(void) {
    end_tasks();
    trace_wake();
    choose();
    bool pays = slice_owner != NULL && !slice_used_up(slice_owner);
    schedule_fast = pays ? slice_owner->task : NULL;
    schedule_highest = ready_mask == 0 ? 0 : (uint8_t)bit_highest(ready_mask);
}
