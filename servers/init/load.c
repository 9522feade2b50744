// SPDX-License-Identifier: MIT
// Takes frames, fills them through a window of init's own, maps them into the server. They are
// unmapped from the window first, so that no frame is ever writable here and executable there.
#include "load.h"

#include "report.h"

#define WINDOW 0x20000000u
#define SLICE 16u  // pages; so many are mapped all or nothing

static uint32_t frames_take(frame_t *frames, uint32_t count) {
    struct pool_frames_alloc_out out;
    must(pool_frames_alloc(HANDLE(SLOT_POOL), count, FRAMES_ANY, &out),
         "take memory for a server");
    for (uint32_t i = 0; i < out.done; i++) {
        frames[i] = ITEM_FRAME(message_buffer()->list[i]);
    }
    return out.done;
}

static void frames_map(handle_t task, vaddr_t at, uint32_t rights, const frame_t *frames,
                       uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] =
            (struct map_item){(at + i * PAGE_SIZE) | rights, frames[i] << 8};
    }
    struct task_map_out out;
    must(task_map(task, count, &out), "map memory of a server");
}

static void window_close(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] = (struct map_item){WINDOW + i * PAGE_SIZE, 0};
    }
    struct task_unmap_out out;
    must(task_unmap(HANDLE(SLOT_TASK), count, &out), "unmap memory of a server");
}

void load_pages(handle_t task, vaddr_t at, uint32_t pages, uint32_t rights, const void *bytes,
                uint32_t skip, uint32_t count) {
    const char *from = bytes;
    frame_t frames[SLICE];
    while (pages > 0) {
        uint32_t slice = frames_take(frames, MIN_OF(pages, SLICE));
        uint32_t copied = MIN_OF(count, slice * PAGE_SIZE - skip);
        if (copied > 0) {
            frames_map(HANDLE(SLOT_TASK), WINDOW, MAP_READ | MAP_WRITE, frames, slice);
            __builtin_memcpy((char *)WINDOW + skip, from, copied);
            window_close(slice);
        }
        frames_map(task, at, rights, frames, slice);
        from += copied;
        count -= copied;
        skip = 0;
        at += slice * PAGE_SIZE;
        pages -= slice;
    }
}

void load_image(handle_t task, const struct image *image, const void *file) {
    for (uint32_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segment[i];
        vaddr_t first = image_first_page(segment);
        load_pages(task, first, (image_end_page(segment) - first) / PAGE_SIZE, segment->rights,
                   (const char *)file + segment->file_offset, PAGE_OFFSET(segment->address),
                   segment->file_size);
    }
}

void load_shared_page(handle_t one, handle_t other, vaddr_t at) {
    frame_t frame = 0;
    must(frames_take(&frame, 1) == 1 ? OK : E_MEMORY, "take a shared page");
    frames_map(one, at, MAP_READ | MAP_WRITE, &frame, 1);
    frames_map(other, at, MAP_READ | MAP_WRITE, &frame, 1);
    frames_map(HANDLE(SLOT_TASK), at, MAP_READ | MAP_WRITE, &frame, 1);
}

error_t load_clock(handle_t task) {
    struct task_map_out out;
    message_buffer()->list[0] =
        (struct map_item){LAYOUT_CLOCK | MAP_READ, start_info()->clock << 8};
    return task_map(task, 1, &out);
}
