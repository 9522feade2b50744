// SPDX-License-Identifier: MIT
// Which thread runs: of those whose task has time left in this round the one of the highest
// priority; and which task pays for the time that passes.
#pragma once
#include "thread.h"

#define PRIORITIES (PRIORITY_MAX + 1)

extern uint64_t schedule_idle_cycles;
// `idle=spin`: with nobody ready the CPU runs on instead of halting. Under QEMU's -icount the
// clock then counts nothing but instructions; a halt lets it jump by a host-dependent few.
extern bool schedule_spins;

// Whose the CPU is, as fast.asm finds it and as schedule() leaves it.
struct cpu {
    struct task *payer;   // of the time that passes now; NULL: nobody, or one that has ended
    struct task *fast;    // the same, if it has time left in this round; else NULL: to one of its
                          // threads the CPU may go without schedule()
    uint64_t charged_at;  // time is billed until then
    uint64_t on_account;  // ticks charged to this payer in a row
    struct queue *queue;  // of ready threads with time in this round, by priority
    uint32_t ready;       // bit p: queue[p] is not empty
    uint32_t round;
    uint8_t highest;      // priority of a thread in `queue`
    bool contended;       // others are ready: time counts against the share
};
extern struct cpu cpu;

// schedule() has to look before the entry ends: who is ready has changed, or work was left to it.
void schedule_due(void);
void schedule_add(struct thread *thread);
// Take a thread out of whatever queue it stands in.
void schedule_unqueue(struct thread *thread);
// The thread is about to end.
void schedule_forget(const struct thread *thread);
void schedule_forget_payer(const struct task *task);
// The server works for this client from now on, NULL: on its own account.
void schedule_serve(struct thread *server, struct thread *client);
// The server answers the client: what it did on its own account just now was done for it.
void schedule_served(const struct thread *server, const struct thread *client);
// The interrupt that timer_slice_begin() asked for: see whether the payer's time is over.
void schedule_slice_end(void);
// Choose who runs next and make it current; waits for interrupts while nobody is ready. Then the
// assembly leaves to current_thread.
void schedule(void);
