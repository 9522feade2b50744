// SPDX-License-Identifier: MIT
// Tasks: an address space, a handle table, threads, and whom to tell about faults and the end.
#pragma once
#include "layout.h"
#include "space.h"

struct thread;

// One slot of a handle table. Stale as soon as its generation differs from the object's.
struct handle_entry {
    struct object *object;  // empty: slot 0 of the object table, with a key of 0
    uint32_t key;           // KEY_ bits, generation
    badge_t badge;
    uint32_t rights;        // enum right
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct handle_entry) == 16, "a handle is 16 bytes");

#define SHARE_UNLIMITED 0u  // of the first task

struct task {
    struct space space;        // must be first: fast.asm takes one for the other
    struct object *object;
    struct pool *pool;         // pays for the task
    struct handle_entry *handles;  // SLOT_COUNT entries: one frame
    badge_t badge;             // its number, in messages of faults and in the trace
    uint8_t rank;              // may call only ports ranked above
    uint8_t ceiling;           // highest priority of its threads
    uint8_t state;             // TASK_STATE_
    uint8_t cause;             // CAUSE_, once dead
    bool exempt;               // its doings are not traced
    struct reference fault_port;
    badge_t fault_badge;
    struct notice *notices;    // whom to tell of its end
    uint64_t cycles;           // CPU time of threads that are gone
    uint64_t billed;           // ticks it paid for: its own, and servers' that work for it
    int64_t left;              // of its share in round `round`
    uint32_t round, over;      // over: the round in which that was used up
    uint32_t share;            // milliseconds of CPU in a round, or SHARE_UNLIMITED
    uint32_t thread_count;
    struct thread *threads;    // all its threads
    struct thread *served;     // threads whose last call it received (thread.served_by)
    bool ending;               // in the list of tasks that task_end_slice() has work with
    struct task *ending_next;
    struct thread *stopping;   // dead: threads from here on in its list are not stopped yet
    struct task *next;         // all tasks, for frame_check()
    void *at;
};

// Bits for an event when a task has ended. Paid by who asked; ends with the task, or by pool_reap().
struct notice {
    struct object *object;
    struct notice *next;
    void *at;
    struct reference event;
    uint32_t bits;
};

extern struct task *task_list;

// A new task with an empty space and table; NULL: E_MEMORY.
struct task *task_create(struct pool *pool, badge_t badge, uint32_t rank, uint32_t ceiling);
// CPU time of all its threads, in time stamp ticks.
uint64_t task_cycles(const struct task *task);
// Stop all threads for good, answer whom it served, set the bits of its notices. What exceeds a slice
// is left to task_end_slice().
void task_die(struct task *task, uint32_t cause);
// Nobody is left in the task who could reply: answer whom it served, in slices.
void task_abandon(struct task *task);
// A slice of what tasks that end have left to do; false: nothing is left.
bool task_end_slice(void);
// E_MEMORY: `pool` is exhausted. A task that has ended tells at once.
error_t notice_create(struct task *task, struct object *event, uint32_t bits, struct pool *pool);
void notice_end(struct notice *notice);
// Take a slice of a dead task down; returns what is left, 0: gone (the task's memory too).
uint32_t task_destroy(struct task *task);

// The handle's entry if it is alive, names `type` (OBJECT_NONE: any) and has `rights`; else NULL
// with *error set to E_HANDLE, E_TYPE or E_RIGHT. `handle` is the caller's allegation.
struct handle_entry *handle_find(struct task *task, handle_t handle, enum object_type type,
                                 uint32_t rights, error_t *error);
// May `task` put a new handle into `slot`? OK, or E_SLOT.
error_t handle_slot_check(const struct task *task, uint32_t slot);
// Fill an empty, checked slot; empty one.
void handle_set(struct task *task, uint32_t slot, struct object *object, uint32_t rights,
                badge_t badge);
void handle_drop(struct task *task, uint32_t slot);
// May `rights` of this object be granted to `task`? Call rights only for ports ranked above it.
error_t handle_rank_check(const struct task *task, const struct object *object, uint32_t rights);
