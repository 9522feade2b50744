// SPDX-License-Identifier: MIT
// Takes frames from the server's pool and maps them into the server, in slices that fit its stack.
#include "memory.h"
#include "stubs.h"

#define SLICE MEMORY_RUN_MAX  // items kept on the stack while the kernel works through them

// Map all `count` items; the kernel may take several calls. *mapped: how many of them are in.
static error_t items_map(const struct map_item *items, uint32_t count, uint32_t *mapped) {
    *mapped = 0;
    while (*mapped < count) {
        uint32_t left = count - *mapped;
        for (uint32_t i = 0; i < left; i++) {
            message_buffer()->list[i] = items[*mapped + i];
        }
        struct task_map_out out;
        error_t error = task_map(HANDLE(SLOT_TASK), left, &out);
        if (error != OK || out.done == 0) {
            return error != OK ? error : E_MEMORY;
        }
        *mapped += out.done;
    }
    return OK;
}

static error_t items_free(const struct map_item *items, uint32_t count) {
    for (uint32_t done = 0; done < count;) {
        for (uint32_t i = done; i < count; i++) {
            message_buffer()->list[i - done] = (struct map_item){0, ITEM_FRAME(items[i]) << 8};
        }
        struct pool_frames_free_out out;
        error_t error = pool_frames_free(HANDLE(SLOT_POOL), count - done, &out);
        if (error != OK || out.done == 0) {
            return error != OK ? error : E_STATE;
        }
        done += out.done;
    }
    return OK;
}

error_t memory_unmap(vaddr_t at, uint32_t pages) {
    struct map_item items[SLICE];
    while (pages > 0) {
        uint32_t count = MIN_OF(pages, SLICE);
        for (uint32_t i = 0; i < count; i++) {
            message_buffer()->list[i] = (struct map_item){at + i * PAGE_SIZE, 0};
        }
        struct task_unmap_out out;
        error_t error = task_unmap(HANDLE(SLOT_TASK), count, &out);
        if (error != OK || out.done == 0) {
            return error != OK ? error : E_STATE;
        }
        for (uint32_t i = 0; i < out.done; i++) {
            items[i] = message_buffer()->list[i];
        }
        error = items_free(items, out.done);
        if (error != OK) {
            return error;
        }
        at += out.done * PAGE_SIZE;
        pages -= out.done;
    }
    return OK;
}

// A slice of frames, taken and mapped at once. *done: how many pages are mapped.
static error_t slice_map(vaddr_t at, uint32_t pages, uint32_t flags, frame_t *first,
                         uint32_t *done) {
    struct map_item items[SLICE];
    struct pool_frames_alloc_out taken;
    *done = 0;
    error_t error = pool_frames_alloc(HANDLE(SLOT_POOL), pages, flags, &taken);
    if (error != OK || taken.done == 0) {
        return error != OK ? error : E_MEMORY;
    }
    for (uint32_t i = 0; i < taken.done; i++) {
        items[i].page = (at + i * PAGE_SIZE) | MAP_READ | MAP_WRITE;
        items[i].frame = ITEM_FRAME(message_buffer()->list[i]) << 8;
    }
    *first = ITEM_FRAME(items[0]);
    error = items_map(items, taken.done, done);
    if (error != OK && items_free(items + *done, taken.done - *done) != OK) {
        return E_STATE;
    }
    return error;
}

error_t memory_map(vaddr_t at, uint32_t pages, uint32_t flags, frame_t *first) {
    error_t error = flags & FRAMES_RUN && pages > MEMORY_RUN_MAX ? E_ARGUMENT : OK;
    uint32_t mapped = 0;
    while (error == OK && mapped < pages) {
        frame_t frame = 0;
        uint32_t done;
        error = slice_map(at + mapped * PAGE_SIZE, MIN_OF(pages - mapped, SLICE), flags, &frame,
                          &done);
        if (first != NULL && mapped == 0) {
            *first = frame;
        }
        mapped += done;
    }
    if (error != OK && mapped > 0 && memory_unmap(at, mapped) != OK) {
        return E_STATE;
    }
    return error;
}
