// SPDX-License-Identifier: MIT
// The kernel's side of the trace ring (abi/trace.h). Off: one test on the path.
#pragma once
#include "thread.h"
#include "trace.h"

extern uint32_t trace_mask;  // bit n: record kind n; 0 while no ring is attached

// Record an event of `thread` (NULL: none). Words mean what abi/event.def says.
void trace_record(enum event_kind kind, const struct thread *thread, uint32_t peer, uint32_t id,
                  uint32_t tag, uint32_t word0, uint32_t word1, uint32_t word2);
// Tell the reader if half the ring was filled since.
extern bool trace_wake_due;
void trace_wake_reader(void);
static inline void trace_wake(void) {
    if (__builtin_expect(trace_wake_due, 0)) {
        trace_wake_reader();
    }
}
#define TRACE_THREAD(kind, thread, peer, id, tag, word0, word1, word2)                        \
    do {                                                                                      \
        if (__builtin_expect(trace_mask & 1u << EVENT_##kind, 0)) {                           \
            trace_record(EVENT_##kind, thread, peer, id, tag, word0, word1, word2);           \
        }                                                                                     \
    } while (0)
// Of the running thread, about an object.
void trace_object(enum event_kind kind, const struct object *peer, uint32_t word0);
#define TRACE(kind, peer, word0)                                    \
    do {                                                            \
        if (__builtin_expect(trace_mask & 1u << EVENT_##kind, 0)) { \
            trace_object(EVENT_##kind, peer, word0);                \
        }                                                           \
    } while (0)

// One record per item, of kind EVENT_map or EVENT_unmap.
void trace_record_items(enum event_kind kind, const struct thread *thread, const struct task *task,
                        const struct map_item *items, uint32_t count);
static inline void trace_items(enum event_kind kind, const struct thread *thread,
                               const struct task *task, const struct map_item *items,
                               uint32_t count) {
    if (__builtin_expect(trace_mask & 1u << kind, 0)) {
        trace_record_items(kind, thread, task, items, count);
    }
}
static inline void trace_map(const struct thread *thread, const struct task *task,
                             const struct map_item *items, uint32_t count) {
    trace_items(EVENT_map, thread, task, items, count);
}

struct pool;
// The list's frames, which are checked, become the ring: frame 0 the header. Replaces an earlier ring,
// of other frames.
error_t trace_attach(const struct map_item *list, uint32_t count, struct object *event, uint32_t bits);
// No ring: its frames are free to go.
void trace_detach(void);
void trace_control(uint32_t mask);
