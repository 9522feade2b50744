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
#define SELECTOR_KERNEL_CODE 0x08u
#define SELECTOR_KERNEL_DATA 0x10u
#define SELECTOR_USER_CODE 0x1bu
#define SELECTOR_USER_DATA 0x23u
#define SELECTOR_TLS 0x2bu
#define EFLAGS_KERNEL 0x2u
#define EFLAGS_USER 0x202u
#define EFLAGS_TRAP 0x100u

enum thread_state {
    THREAD_STOPPED,  // new, suspended or dead
    THREAD_READY,    // in a ready queue, or running
    THREAD_SENDING,  // in a port's queue of callers
    THREAD_WAITING,  // received by a server: waits for the reply
    THREAD_RECEIVING,
};

#define THREAD_FAULTED 1u  // flags: what it sent is a fault
#define THREAD_FPU 2u      // its state is in the FPU

struct queue {
    struct thread *first, *last;
};

struct thread {
    struct registers registers;  // must be first: TSS.esp0 points past it
    struct object *object;
    struct task *task;
    uint8_t state;      // enum thread_state
    uint8_t priority;   // works at: its own, or the rank of the port it serves
    uint8_t flags;
    uint64_t slice_used;  // ticks of its slice gone, servers' work included
    struct queue *queue;  // that it stands in
    struct thread *next, *previous;
    struct thread *task_next, *task_previous;  // threads of the task
    struct port *port;    // SENDING, RECEIVING
    struct task *server;  // WAITING: who received; linked through next, previous
    token_t token;        // of the call it waits for, 0: none
    tag_t tag;            // as sent
    badge_t badge;        // the server sees
    uint32_t word[2];     // as sent
    struct event *event;  // bound: a receive also waits for its bits
    struct message_buffer *buffer;
    vaddr_t buffer_page;
    uint32_t tls_base;
    void *fpu;            // 512 bytes, once it used the FPU
    uint32_t call_id;     // number of its call under way
    uint32_t serves_id;   // trace: the call it works for
};

extern struct thread *current_thread;  // NULL while idle

void queue_add(struct queue *queue, struct thread *thread);
void queue_add_first(struct queue *queue, struct thread *thread);
void queue_remove(struct thread *thread);

// A suspended thread with its message buffer mapped at `buffer` (a checked page address).
error_t thread_create(struct task *task, vaddr_t buffer, uint32_t priority,
                      struct thread **created);
// Cancel what it waits for and stop it, wherever it is.
void thread_stop(struct thread *thread);
void thread_destroy(struct thread *thread);
// Put into a ready queue.
void thread_ready(struct thread *thread);
// Give the thread what its call returns: an error, and let it run.
void thread_fail(struct thread *thread, error_t error);
void thread_priority_set(struct thread *thread, uint32_t priority);
