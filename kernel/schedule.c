// SPDX-License-Identifier: MIT
// Time is dealt out in rounds: in each of them a task may use its share, and who has some left goes
// by priority. A round ends when nobody who is ready has any left. So tasks of equal priority get
// the CPU by share, and none of high priority keeps it for ever.
// Time is billed to the task that pays: a server that was called spends its caller's. It finishes
// when that is used up, on credit of as much again; from then on it spends its own.
#include "schedule.h"
#include "cpu.h"
#include "descriptor.h"
#include "fpu.h"
#include "panic.h"
#include "timer.h"
#include "tracepoint.h"

#define MOVES_MAX 16u  // threads without time looked at in one go

void entry_idle(void);
void entry_spin(void);

// Ready threads of a priority: those with time in this round, those that wait for the next.
static struct queue queues[2][PRIORITIES];
static struct queue *next_queue = queues[1];
static uint32_t next_ready;  // bit p: the queue of priority p is not empty
struct cpu cpu = {.queue = queues[0], .round = 1};
static bool slice_over;
uint64_t schedule_idle_cycles;
bool schedule_spins;

void schedule_due(void) {
    slow_flags |= SLOW_SCHEDULE;
}

// --- who pays ------------------------------------------------------------------------------------

static __attribute__((noinline)) int64_t share_ticks(const struct task *task) {
    return task->share == SHARE_UNLIMITED ? INT64_MAX / 2
                                          : (int64_t)((uint64_t)task->share * timer_tsc_khz());
}

// The round's share comes with the first tick of it that is charged; debts are kept.
static int64_t time_left(struct task *task) {
    if (task->round != cpu.round) {
        int64_t share = share_ticks(task);
        task->left = cpu.round - task->round > 1 ? share : MIN_OF(share, task->left + share);
        task->round = cpu.round;
    }
    return task->left;
}

static struct task *payer_of(const struct thread *thread) {
    struct task *task = reference_body(thread->payer);
    return task != NULL ? task : thread->task;
}

static void take_time(struct task *task, uint64_t ticks) {
    task->left = time_left(task) - (int64_t)ticks;
    if (task->left <= 0) {
        task->over = cpu.round;
    }
}

static void charge(void) {
    uint64_t now = tsc_read(), spent = now - cpu.charged_at;
    cpu.charged_at = now;
    if (cpu.payer != NULL) {
        cpu.payer->billed += spent;
        cpu.on_account += spent;
        if (cpu.contended) {
            take_time(cpu.payer, spent);
        }
    }
}

static bool others_wait(void) {
    return (cpu.ready | next_ready) != 0;
}

// This task pays from now on. While others are ready time counts against its share, and an
// interrupt comes when that is used up.
static void pay(struct task *task) {
    ASSERT(task != NULL);
    charge();
    if (task != cpu.payer) {
        cpu.payer = task;
        cpu.on_account = 0;
    }
    cpu.contended = others_wait();
    cpu.fast = task->over == cpu.round ? NULL : task;
    if (cpu.contended && task->share != SHARE_UNLIMITED) {
        int64_t left = time_left(task);
        left += task->over == cpu.round ? share_ticks(task) : 0;
        timer_slice_begin(cpu.charged_at + (uint64_t)left);  // at once if it is over
    }
}

// A server may use as much again of its client's time, then it pays itself.
static bool has_credit(struct thread *thread, const struct task *client) {
    if (client != thread->task && client->left > -share_ticks(client)) {
        return true;
    }
    thread->payer.object = NULL;
    return thread->task->over != cpu.round;
}

// May the thread run in this round?
static inline bool has_time(struct thread *thread) {
    const struct task *task = payer_of(thread);
    return task->over != cpu.round || has_credit(thread, task);
}

static __attribute__((noinline)) void payer_keep(struct thread *thread) {
    thread->payer = object_reference(cpu.payer->object);
}

void schedule_serve(struct thread *server, struct thread *client) {
    if (client == NULL) {
        server->payer.object = NULL;
    } else if (client != current_thread) {
        server->payer = client->payer;
    } else {
        payer_keep(server);
    }
    if (server == current_thread) {
        pay(payer_of(server));
    }
}

void schedule_served(const struct thread *server, const struct thread *client) {
    struct task *task = payer_of(client);
    if (cpu.payer != server->task || task == cpu.payer) {
        return;
    }
    charge();
    cpu.payer->billed -= cpu.on_account;
    task->billed += cpu.on_account;
    if (cpu.contended) {
        cpu.payer->left = MIN_OF(cpu.payer->left + (int64_t)cpu.on_account, share_ticks(cpu.payer));
        take_time(task, cpu.on_account);
    }
    cpu.on_account = 0;
}

// --- queues --------------------------------------------------------------------------------------

// Behind all others of this round, or of the next if it has no time left.
static void add_last(struct thread *thread, bool time) {
    uint32_t *ready = time ? &cpu.ready : &next_ready;
    *ready |= 1u << thread->priority;
    queue_add((time ? cpu.queue : next_queue) + thread->priority, thread);
}

// Whoever waited goes first: one that faults or calls often gets its share beside one that never
// waits.
static void add(struct thread *thread) {
    if (!has_time(thread)) {
        add_last(thread, false);
        return;
    }
    cpu.ready |= 1u << thread->priority;
    queue_add_first(&cpu.queue[thread->priority], thread);
}

void schedule_add(struct thread *thread) {
    if (thread != current_thread) {  // it runs: schedule() decides
        schedule_due();
        add(thread);
    }
}

void schedule_unqueue(struct thread *thread) {
    schedule_due();
    struct queue *queue = thread->queue;
    if (queue == NULL) {
        return;
    }
    queue_remove(thread);
    if (queue->first == NULL) {
        uint32_t *ready = queue == &cpu.queue[thread->priority] ? &cpu.ready : &next_ready;
        *ready &= ~(1u << thread->priority);
    }
}

static void round_begin(void) {
    struct queue *queue = cpu.queue;
    cpu.queue = next_queue;
    next_queue = queue;
    cpu.ready = next_ready;
    next_ready = 0;
    cpu.round++;
}

// The next thread to run, still in its queue. NULL: nobody is ready. Of a task's threads the one
// that used up its time goes behind the others, or they would never run.
static struct thread *pick(void) {
    for (uint32_t moves = 0; cpu.ready != 0 || next_ready != 0; moves++) {
        if (cpu.ready == 0) {
            round_begin();
        }
        struct thread *thread = cpu.queue[bit_highest(cpu.ready)].first;
        bool last = thread->flags & THREAD_LAST, time = has_time(thread);
        if ((time && !last) || moves == MOVES_MAX) {
            return thread;
        }
        thread->flags &= (uint8_t)~THREAD_LAST;
        schedule_unqueue(thread);
        add_last(thread, time);
    }
    return NULL;
}

void schedule_forget(const struct thread *thread) {
    if (thread == current_thread) {
        current_thread = NULL;
        schedule_due();
    }
}

void schedule_slice_end(void) {
    slice_over = true;
    schedule_due();
}

void schedule_forget_payer(const struct task *task) {
    if (cpu.payer == task) {
        cpu.payer = cpu.fast = NULL;
        schedule_slice_end();  // schedule() looks for another one
    }
}

// --- the switch ----------------------------------------------------------------------------------

// What was left to be done between two entries. Work that ending tasks have left goes on at each
// entry: there shall be one soon.
static void work_left(void) {
    if (task_end_slice()) {
        timer_slice_begin(1);  // at once
    }
    trace_wake();
}

// The running thread stops, `next` runs instead (NULL: nobody).
static void thread_leave(struct thread *next) {
    uint64_t now = tsc_read();
    if (current_thread != NULL) {
        current_thread->cycles += now;
        fpu_leave(current_thread);
    }
    current_thread = next;
    if (next != NULL) {
        next->cycles -= now;
    }
}

static void idle(void) {
    charge();
    thread_leave(NULL);
    cpu.payer = NULL;
    uint64_t since = cpu.charged_at;
    while (!others_wait()) {
        if (schedule_spins) {
            entry_spin();
        } else {
            entry_idle();
        }
        work_left();
    }
    charge();
    schedule_idle_cycles += cpu.charged_at - since;
}

static void switch_to(struct thread *thread) {
    TRACE(switch, thread->object, 0);
    thread_leave(thread);
    descriptor_thread(thread);
    space_load(&thread->task->space);
}

static __attribute__((noinline)) uint8_t highest(void) {
    return (uint8_t)bit_highest(cpu.ready | 1);  // nobody: 0
}

// The running thread's time is over, or one of higher priority is ready.
static bool must_stop(struct thread *thread) {
    if (slice_over) {
        charge();
        if (!has_time(thread)) {
            thread->flags |= THREAD_LAST;
            return true;
        }
    }
    return highest() > thread->priority;
}

static void thread_choose(struct thread *before, bool runs) {
    if (runs) {
        add(before);
    }
    struct thread *next = pick();
    if (next == NULL) {
        idle();
        next = pick();
    }
    schedule_unqueue(next);
    if (next != current_thread) {
        switch_to(next);
    }
}

void schedule(void) {
    work_left();
    struct thread *before = current_thread;
    bool runs = before != NULL && before->state == THREAD_READY;
    if (runs && !(slow_flags & SLOW_SCHEDULE)) {
        return;
    }
    if (before != NULL) {
        cpu.payer = cpu.payer != NULL ? cpu.payer : before->task;
        payer_keep(before);
    }
    if (!runs || must_stop(before)) {
        thread_choose(before, runs);
    }
    cpu.highest = highest();
    struct task *task = payer_of(current_thread);
    if (slice_over || task != cpu.payer || cpu.contended != others_wait()) {
        slice_over = false;
        pay(task);
    }
    slow_flags &= ~SLOW_SCHEDULE;
}
