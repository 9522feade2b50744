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

// For fast.asm, valid until the next entry into the C code: the task that pays and has time left
// (NULL: it has not): to one of its threads the CPU may go without schedule(), if its priority is at
// least that of all ready ones.
extern struct task *schedule_fast;
extern uint8_t schedule_highest;

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
