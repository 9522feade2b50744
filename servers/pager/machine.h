// SPDX-License-Identifier: MIT
// All that the pager asks of the world: frames, its own memory, the spaces of its tasks, late
// replies, the block ring, trace records. machine.c answers with kernel messages; tests/host with
// a model of a machine. Decides nothing. Page numbers are addresses / 4096 throughout the pager.
#pragma once
#include "message.h"
#include "ring.h"
#include "trace.h"

#define MUST_CHECK __attribute__((warn_unused_result))

// Windows: parts of the pager's own address space that it fills with memory as it grows.
enum window {
    WINDOW_FRAMES,  // framelist.c: one record a frame
    WINDOW_SWAP,    // store.c: one bit a page of the store
    WINDOW_META,    // metapage.c: page tables, regions
    WINDOW_POLICY,  // resident.c: what each domain's policy knows of its pages
    WINDOW_VIEW,    // program.c: first page of a module, read-only
    WINDOW_COUNT
};
extern char *const machine_windows[WINDOW_COUNT];
static inline void *machine_window(enum window window) {
    return machine_windows[window];
}
uint32_t machine_window_pages(enum window window);

// Map one of the pager's frames, writable, at a page of a window: frame << 8 | FRAME_ZERO or 0.
MUST_CHECK error_t machine_window_map(enum window window, uint32_t page, uint32_t frame_flags);
// Show a frame, read-only, in WINDOW_VIEW's only page, in place of what was shown there before.
MUST_CHECK error_t machine_view(frame_t frame);

// Take up to `count` (at most LIST_MAX) zeroed frames, leaving what the kernel needs for the
// objects charged to the same pool; returns how many it wrote to `list`.
uint32_t machine_frames_take(frame_t *list, uint32_t count);
// Return an unmapped frame to the pool.
MUST_CHECK error_t machine_frame_return(frame_t frame);
// Hold up to LIST_MAX frames while a device reads or writes them; each once. They can be mapped and
// unmapped meanwhile, but not returned.
void machine_frames_pin(const frame_t *list, uint32_t count);
void machine_frames_unpin(const frame_t *list, uint32_t count);
// Copy bytes 0 to `end` and zero the rest.
MUST_CHECK error_t machine_frame_copy(frame_t to, frame_t from, uint32_t end);

// Unmap or protect up to LIST_MAX pages, given as map items; each item's frame word is then
// frame << 8 | FRAME_ACCESSED | FRAME_DIRTY, or 0 where nothing was mapped.
void machine_unmap(handle_t task, struct map_item *items, uint32_t count);
void machine_protect(handle_t task, struct map_item *items, uint32_t count);
// Unmap one page, most often for an eviction; returns what machine_unmap() writes.
uint32_t machine_unmap_page(handle_t task, uint32_t page);

// Bit n of word n / 32 is page first + n.
struct scan {
    uint32_t accessed[32], dirty[32];
};
#define SCAN_PAGES 1024u
// Read and clear Accessed, read Dirty of count pages (at most SCAN_PAGES).
MUST_CHECK error_t machine_scan(handle_t task, uint32_t first, uint32_t count, struct scan *scan);

// Answer a fault that was kept waiting: a map item, or an error (the task is then stopped).
MUST_CHECK error_t machine_reply_map(token_t token, const struct map_item *item);
MUST_CHECK error_t machine_reply_error(token_t token, error_t error);

// Let the kernel free the page tables of a task that map nothing; returns how many.
uint32_t machine_tables_trim(handle_t task);

// Close the handle of a task's space.
void machine_handle_drop(handle_t handle);

struct block_ring *machine_ring(void);
void machine_ring_signal(void);

// A record of a decision, if decisions are recorded. `task` is its number. machine_traces: they
// are, or it is time to ask again; it becomes 0 when the kernel says that nobody listens, unless
// machine_traces_always.
extern int machine_traces, machine_traces_always;
void machine_trace_record(uint32_t kind, uint32_t task, uint32_t word0, uint32_t word1,
                          uint32_t word2);
static inline void machine_trace(uint32_t kind, uint32_t task, uint32_t word0, uint32_t word1,
                                 uint32_t word2) {
    if (__builtin_expect(machine_traces, 0)) {
        machine_trace_record(kind, task, word0, word1, word2);
    }
}
