// SPDX-License-Identifier: MIT
// Threads: saved registers and what a thread waits for. One kernel stack serves all of them.
#pragma once
#include "task.h"

// In push order of entry.asm.
struct registers {
    uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags, esp, ss;
};

#define VECTOR_SYSENTER 0x100u  // in registers.vector: entered by sysenter
#define VECTOR_PAGE_FAULT 14u
#define SELECTOR_KERNEL_CODE 0x08u
#define SELECTOR_KERNEL_DATA 0x10u
#define SELECTOR_USER_CODE 0x1bu
#define SELECTOR_USER_DATA 0x23u
#define SELECTOR_TLS 0x2bu
#define EFLAGS_KERNEL 0x2u
#define EFLAGS_USER 0x202u
#define EFLAGS_TRAP 0x100u
#define EFLAGS_SETTABLE 0x250dd5u  // ID, AC, RF, and arithmetic, direction and trap flags

enum thread_state {
    THREAD_STOPPED,  // new, suspended or dead
    THREAD_READY,    // in a ready queue, or running
    THREAD_SENDING,  // in a port's queue of callers
    THREAD_WAITING,  // received by a server: waits for the reply
    THREAD_RECEIVING,
};

// Whatever needs the C code instead of fast.asm.
extern uint32_t slow_flags;
#define SLOW_TRACE 1u
#define SLOW_CHECK 2u
#define SLOW_FPU 4u  // the running thread's state is in the FPU
#define SLOW_SCHEDULE 8u  // others became ready, or this thread stopped; never set while user code runs

#define THREAD_FAULTED 1u  // flags: what it sent is a fault
#define THREAD_FPU 2u      // its state is in the FPU
#define THREAD_LAST 4u     // it used up its task's time: other threads of the task go first

struct queue {
    struct thread *first, *last;
};

struct thread {
    struct registers registers;  // must be first: TSS.esp0 points past it
    uint8_t state;      // enum thread_state; state and flags are set by one store
    uint8_t flags;
    uint8_t priority;   // works at: its own, or the rank of the port it serves
    // one line of the cache: what the fast path needs (fast.asm)
    struct task *task;
    struct handle_entry *handles;    // of the task
    token_t token;                   // of the call under way, or of its next
    uintptr_t server;                // WAITING: address of the task that received, + 1 for a fault
    struct object *port;             // SENDING, RECEIVING: the port's; NULL: only its event
    struct queue *queue;             // that it stands in, if any
    struct thread *next, *previous;  // there
    uint32_t tls_base;
    uint32_t pending;                // bits of its event that it has not received yet
    uint64_t cycles;                 // CPU time; while it runs, less the time it was started
    struct message_buffer *buffer;
    struct object *object;
    struct reference payer;  // while it does not run: whose time it spends; none: its task's
    struct task *served_by;  // who received its last call: it stands in that task's list
    uint32_t directory;      // CR3 of its task
    uint32_t gs;             // selector: 0 without a TLS base
    struct thread *served_next;
    void *served_at;
    struct thread *task_next;  // threads of the task
    void *task_at;
    tag_t tag;            // as sent
    badge_t badge;        // the server sees
    uint32_t word[2];     // as sent
    struct event *event;  // bound: a receive also waits for its bits
    vaddr_t buffer_page;
    void *fpu;            // 512 bytes, once it used the FPU
    uint32_t call_id;     // number of its call under way
    uint32_t serves_id;   // trace: the call it works for
};

extern struct thread *current_thread;  // NULL while idle
extern struct thread thread_none;      // never waits, has no token

void queue_add(struct queue *queue, struct thread *thread);
void queue_add_first(struct queue *queue, struct thread *thread);
void queue_remove(struct thread *thread);

// A suspended thread with its message buffer mapped at `buffer` (a checked page address).
error_t thread_create(struct task *task, vaddr_t buffer, uint32_t priority,
                      struct thread **created);
// All registers as a new thread has them: it leaves the kernel by iret, which sets all of them.
void thread_registers_clear(struct thread *thread);
// Cancel what it waits for and stop it, wherever it is.
void thread_stop(struct thread *thread);
void thread_destroy(struct thread *thread);
// Put into a ready queue.
void thread_ready(struct thread *thread);
// Put the thread into the list of those whose last call `task` received; NULL: into none.
void thread_serve(struct thread *thread, struct task *task);
// CPU time, in time stamp ticks.
uint64_t thread_cycles(const struct thread *thread);
// Let the thread run, with what its call returns; what sent a fault is tried again.
void thread_return(struct thread *thread, tag_t tag);
void thread_fail(struct thread *thread, error_t error);
void thread_priority_set(struct thread *thread, uint32_t priority);
