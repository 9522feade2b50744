// SPDX-License-Identifier: MIT
// Tasks and threads for kernel tests. A task made here shares the test's own pages (text, data,
// stacks), so that C functions run in it and results lie in common variables; its handle table and
// message buffer are its own. Everything that world_begin() to world_end() made is gone after it.
#pragma once
#include "environment.h"

#define ACTORS 12u
#define WORLD_RANK 25u
#define WORLD_LABEL 0x2001u  // of calls between actors
#define MAIN_PRIORITY 20u
#define ACTOR_PRIORITY 10u
#define ACTOR_CEILING 31u
#define POOL_OBJECTS 64u  // that a pool made here may pay for

// In the test's table: task and thread of actor i, then what a test takes.
enum { SLOT_SETTLE = 62, SLOT_ACTOR = 64, SLOT_TEST = 96, SLOT_TEST_END = 250 };
// In the actor's own table.
enum { SLOT_DONE = 32, SLOT_SELF = 46, SLOT_GIVEN = 64 };

struct actor {
    uint32_t index;
    handle_t task, thread;  // in the test's table
    void (*run)(struct actor *actor);
    uint32_t argument;
    volatile bool done;
    volatile uint32_t result[8];
};

// The event that the test's thread is bound to; bits from 16 up are free for tests.
#define WORLD_EVENT HANDLE(SLOT_EVENT)
#define WORLD_TIMER HANDLE(SLOT_TIMER)

void world_begin(void);
void world_end(void);

// A new task with its first thread, charged to `pool`, not yet started. The task has handles to
// itself (SLOT_TASK, SLOT_THREAD), and the clock.
struct actor *task_make(handle_t pool, uint32_t rank, void (*run)(struct actor *actor));
// The same, but with memory of its own: a copy of the test's data as it is now. Its threads have
// priorities up to ACTOR_PRIORITY.
struct actor *task_make_apart(handle_t pool, uint32_t rank, void (*run)(struct actor *actor),
                              uint32_t argument);
// Another thread: of the actor's task, or (NULL) of the test's. It must not use message_buffer().
struct actor *thread_make(struct actor *of, uint32_t priority, void (*run)(struct actor *actor));
void actor_start(struct actor *actor, uint32_t argument);
// Let its thread run from the beginning, without touching its memory.
error_t actor_restart(struct actor *actor);
// Destroy thread, and task if it has one of its own.
void actor_end(struct actor *actor);
// Give a handle of the test's to the actor's task, in slot SLOT_GIVEN + number.
void actor_give(struct actor *actor, handle_t source, uint32_t number, uint32_t rights,
                badge_t badge);

// A task of rank 10 that may call the port, as SLOT_GIVEN.
struct actor *caller_make(handle_t port, badge_t badge, void (*run)(struct actor *actor));

// What actors do. One call of SLOT_GIVEN with its argument; result[0]: error, [1]: what came back.
void actor_calls(struct actor *self);
// Answers each call of SLOT_GIVEN with its first word; result[0]: calls so far.
void actor_echoes(struct actor *self);
// Receives one message at SLOT_GIVEN.
void actor_receives(struct actor *self);
// Counts in result[0], and never waits.
void actor_counts(struct actor *self);

// Wait until the actor's function has returned; fails the test after two minutes.
void actor_wait(struct actor *actor);
// Let all others run until each of them waits.
void world_settle(void);
// Has it returned, once all others wait?
bool actor_finished(struct actor *actor);
// Let others run for so long.
void world_pause(uint32_t ms);
// The same, but only until the actor is done.
void world_pause_or(uint32_t ms, struct actor *actor);
// Let others run until the counter is above `least`; fails after the limit.
void world_wait_above(const volatile uint32_t *counter, uint32_t least);
// The next request on a port; events that come in between are kept. Fails after two minutes.
void port_next(handle_t port, struct received *received);

// Objects in a slot of the test's, charged to the test's pool.
handle_t port_make(uint32_t slot, uint32_t rank);
// The port of most tests, ranked WORLD_RANK.
handle_t world_port(void);
handle_t event_make(uint32_t slot);
handle_t pool_make(uint32_t slot, uint32_t frames);
uint32_t pool_used(handle_t pool);
void port_end(handle_t port);
bool slot_empty(uint32_t slot);
// Take one frame of the test's pool, give it back.
frame_t frame_get(void);
void frame_put(frame_t frame);
error_t map_one(handle_t task, vaddr_t page, uint32_t rights, frame_t frame);
error_t unmap_one(handle_t task, vaddr_t page, struct map_item *was);

// The raw path, for threads without a message buffer at the usual place.
struct ipc_registers raw_enter(uint32_t eax, uint32_t ebx, uint32_t esi, uint32_t edi,
                               uint32_t ebp);
static inline error_t raw_error(uint32_t eax, uint32_t ebx) {
    tag_t tag = raw_enter(eax, ebx, 0, 0, 0).eax;
    return TAG_TO_ERROR(tag);
}
