// SPDX-License-Identifier: MIT
// machine.h by kernel messages. Remembers nothing but how to ask.
#include "machine.h"
#include "memory.h"
#include "stubs.h"

char *const machine_windows[WINDOW_COUNT] = {
    [WINDOW_FRAMES] = (char *)0x10000000, [WINDOW_SWAP] = (char *)0x14000000,
    [WINDOW_VIEW] = (char *)0x15000000,   [WINDOW_META] = (char *)0x18000000,
    [WINDOW_POLICY] = (char *)0x30000000,
};
static const uint32_t window_pages[WINDOW_COUNT] = {
    [WINDOW_FRAMES] = 0x4000,  [WINDOW_SWAP] = 0x1000,    [WINDOW_VIEW] = 1,
    [WINDOW_META] = 0x18000, [WINDOW_POLICY] = 0x40000,
};

int machine_traces, machine_traces_always;
static int view_shown;

static vaddr_t window_address(enum window window, uint32_t page) {
    return (vaddr_t)(uintptr_t)machine_windows[window] + page * PAGE_SIZE;
}

uint32_t machine_window_pages(enum window window) {
    return window_pages[window];
}

static error_t self_map(vaddr_t page_rights, uint32_t frame_flags) {
    struct task_map_out out;
    message_buffer()->list[0] = (struct map_item){page_rights, frame_flags};
    return task_map(HANDLE(SLOT_TASK), 1, &out);
}

error_t machine_window_map(enum window window, uint32_t page, uint32_t frame_flags) {
    return self_map(window_address(window, page) | MAP_READ | MAP_WRITE, frame_flags);
}

error_t machine_view(frame_t frame) {
    if (view_shown) {
        struct task_unmap_out out;
        message_buffer()->list[0] = (struct map_item){window_address(WINDOW_VIEW, 0), 0};
        error_t error = task_unmap(HANDLE(SLOT_TASK), 1, &out);
        if (error != OK) {
            return error;
        }
        view_shown = 0;
    }
    error_t error = self_map(window_address(WINDOW_VIEW, 0) | MAP_READ, frame << 8);
    view_shown = error == OK;
    return error;
}

// ---- frames ----------------------------------------------------------------------------------

// Left in the pool for page tables and objects that serve the pager itself.
static uint32_t reserve(const struct pool_info_out *pool) {
    return MAX_OF(16, MIN_OF(pool->reserved / 64, 256));
}

uint32_t machine_frames_take(frame_t *list, uint32_t count) {
    struct pool_info_out pool;
    struct pool_frames_alloc_out out;
    if (pool_info(HANDLE(SLOT_POOL), &pool) != OK) {
        return 0;
    }
    uint32_t taken = pool.used + pool.split + reserve(&pool);
    count = taken < pool.reserved ? MIN_OF(count, pool.reserved - taken) : 0;
    if (count == 0 || pool_frames_alloc(HANDLE(SLOT_POOL), count, FRAMES_ANY, &out) != OK) {
        return 0;
    }
    const struct map_item *item = message_buffer()->list;
    for (uint32_t i = 0; i < out.done; i++) {
        list[i] = ITEM_FRAME(item[i]);
    }
    return out.done;
}

error_t machine_frame_return(frame_t frame) {
    struct pool_frames_free_out out;
    message_buffer()->list[0] = (struct map_item){0, frame << 8};
    return pool_frames_free(HANDLE(SLOT_POOL), 1, &out);
}

static void list_frames(const frame_t *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] = (struct map_item){0, list[i] << 8};
    }
}

// The kernel refuses only frames that are not the pager's, or that it has pinned without counting:
// then it must not go on.
void machine_frames_pin(const frame_t *list, uint32_t count) {
    struct pool_frames_pin_out out;
    list_frames(list, count);
    if (pool_frames_pin(HANDLE(SLOT_POOL), count, &out) != OK || out.done != count) {
        __builtin_trap();
    }
}

void machine_frames_unpin(const frame_t *list, uint32_t count) {
    struct pool_frames_unpin_out out;
    list_frames(list, count);
    if (pool_frames_unpin(HANDLE(SLOT_POOL), count, &out) != OK || out.done != count) {
        __builtin_trap();
    }
}

error_t machine_frame_copy(frame_t to, frame_t from, uint32_t end) {
    return pool_frame_copy(HANDLE(SLOT_POOL), to, from, HANDLE(SLOT_POOL), 0, end);
}

// ---- spaces of tasks -------------------------------------------------------------------------

enum change { CHANGE_UNMAP, CHANGE_PROTECT };

static error_t change_ask(handle_t task, enum change change, uint32_t count, uint32_t *done) {
    if (change == CHANGE_UNMAP) {
        struct task_unmap_out out = {0};
        error_t error = task_unmap(task, count, &out);
        *done = out.done;
        return error;
    }
    struct task_protect_out out = {0};
    error_t error = task_protect(task, count, &out);
    *done = out.done;
    return error;
}

// The kernel takes a list in parts; it stops at a page that is not mapped, or refuses a short list
// with one: such a page is passed over.
static void change_all(handle_t task, enum change change, struct map_item *items, uint32_t count) {
    uint32_t at = 0, part = count;
    while (at < count) {
        uint32_t done = 0;
        part = MIN_OF(part, count - at);
        for (uint32_t i = 0; i < part; i++) {
            message_buffer()->list[i] = items[at + i];
        }
        error_t error = change_ask(task, change, part, &done);
        for (uint32_t i = 0; error == OK && i < done; i++) {
            items[at + i].frame = message_buffer()->list[i].frame;
        }
        at += error == OK ? done : 0;
        if (error == OK && done > 0) {
            part = count - at;
        } else if (part == 1) {
            items[at++].frame = 0;
            part = count - at;
        } else {
            part = 1;
        }
    }
}

void machine_unmap(handle_t task, struct map_item *items, uint32_t count) {
    change_all(task, CHANGE_UNMAP, items, count);
}

uint32_t machine_unmap_page(handle_t task, uint32_t page) {
    struct task_unmap_out out;
    message_buffer()->list[0] = (struct map_item){page << PAGE_SHIFT, 0};
    return task_unmap(task, 1, &out) == OK && out.done == 1 ? message_buffer()->list[0].frame : 0;
}

void machine_protect(handle_t task, struct map_item *items, uint32_t count) {
    change_all(task, CHANGE_PROTECT, items, count);
}

error_t machine_scan(handle_t task, uint32_t first, uint32_t count, struct scan *scan) {
    struct task_scan_out out;
    error_t error = task_scan(task, first << PAGE_SHIFT, count, &out);
    if (error == OK) {
        size_t bytes = (count + 63) / 64 * 8;  // what the kernel wrote, to an even number of words
        __builtin_memcpy(scan->accessed, message_buffer()->bitmap[0], bytes);
        __builtin_memcpy(scan->dirty, message_buffer()->bitmap[1], bytes);
    }
    return error;
}

uint32_t machine_tables_trim(handle_t task) {
    struct task_tables_trim_out out;
    return task_tables_trim(task, &out) == OK ? out.freed : 0;
}

// ---- the rest --------------------------------------------------------------------------------

error_t machine_reply_map(token_t token, const struct map_item *item) {
    return ipc_reply_map(token, item, 1);
}

error_t machine_reply_error(token_t token, error_t error) {
    return ipc_reply(token, TAG_ERROR(error), NULL);
}

void machine_handle_drop(handle_t handle) {
    // It fails only for slots that hold nothing, and then there is nothing to do.
    (void)!task_handle_drop(HANDLE(SLOT_TASK), HANDLE_INDEX(handle));
}

struct block_ring *machine_ring(void) {
    return (struct block_ring *)LAYOUT_RING;
}

void machine_ring_signal(void) {
    (void)!ipc_signal(HANDLE(SLOT_PEER));  // without a block server nothing is ever submitted
}

void machine_trace_record(uint32_t kind, uint32_t task, uint32_t word0, uint32_t word1,
                          uint32_t word2) {
    error_t error = trace_emit(HANDLE(SLOT_TRACE), kind, task, word0, word1, word2);
    machine_traces = error != E_STATE || machine_traces_always;
}
