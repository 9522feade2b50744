// SPDX-License-Identifier: MIT
#include "check.h"
#include "frame.h"
#include "space.h"
#include "task.h"
#include "window.h"

static struct frame_check result;

static void broken(frame_t frame, const char *law) {
    if (result.violations++ == 0) {
        result.frame = frame;
        result.law = law;
    }
}

// Walk the user entries of one page table; `step` is -1 on the way down, 1 on the way up.
static void table_walk(const uint64_t *table, uint32_t step) {
    frame_t own = window_frame(table);
    uint32_t present = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (!(table[i] & ENTRY_PRESENT)) {
            continue;
        }
        present++;
        frame_t frame = ENTRY_FRAME(table[i]);
        if (frame >= frames.count) {
            if (step != 1) {
                broken(frame, "an entry names a frame that exists");
            }
            continue;
        }
        struct frame *entry = frame_entry(frame);
        entry->maps += step;
        if (step == 1) {
            continue;
        }
        if (entry->type != FRAME_USER && entry->type != FRAME_BUFFER) {
            broken(frame, "only user frames and message buffers are mapped for users");
        }
        if (table[i] & ENTRY_WRITE && !(table[i] & ENTRY_NO_EXECUTE) && space_no_execute != 0) {
            broken(frame, "nothing is both writable and executable");
        }
    }
    if (step != 1 && frame_entry(own)->maps != present) {
        broken(own, "a page table counts its entries");
    }
}

static void space_walk(const struct space *space, uint32_t step) {
    for (uint32_t gigabyte = 0; gigabyte < 3; gigabyte++) {
        const uint64_t *directory = space->directory[gigabyte];
        for (uint32_t i = 0; directory != NULL && i < ENTRIES; i++) {
            if (directory[i] & ENTRY_PRESENT) {
                table_walk(window_address(ENTRY_FRAME(directory[i])), step);
            }
        }
    }
}

static void pool_count(frame_t frame, const struct frame *entry) {
    struct object *owner = entry->pool < objects.count ? &objects.table[entry->pool] : NULL;
    if (owner == NULL || owner->type != OBJECT_POOL) {
        broken(frame, "a frame in use belongs to a pool");
    } else {
        ((struct pool *)owner->body)->check_used++;
    }
}

static void frame_law(frame_t frame, uint32_t *free) {
    const struct frame *entry = frame_entry(frame);
    bool is_free = entry->type == FRAME_FREE;
    if (is_free != bitmap_get(&frames.bitmap, frame)) {
        broken(frame, "the bitmap shows the free frames");
    }
    *free += is_free;
    if ((entry->type == FRAME_USER || entry->type == FRAME_BUFFER || is_free) && entry->maps != 0) {
        broken(frame, "map count = number of entries that name the frame");
    }
    if (is_free && (entry->pool != 0 || entry->flags != 0)) {
        broken(frame, "a free frame has no owner");
    }
    if (entry->type != FRAME_ABSENT && entry->type != FRAME_KERNEL && !is_free) {
        pool_count(frame, entry);
    }
}

static void pools_law(void) {
    uint32_t promised = 0;
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        if (objects.table[slot].type != OBJECT_POOL) {
            continue;
        }
        const struct pool *pool = objects.table[slot].body;
        if (pool->check_used != pool->used || pool->used + pool->split > pool->reserved) {
            broken(FRAME_NONE, "free + owned by each pool = all frames");
        }
        promised += pool->low_used < pool->low_reserved ? pool->low_reserved - pool->low_used : 0;
    }
    if (promised != frames.promised || promised > frames.free_low) {
        broken(FRAME_NONE, "low frames promised are there");
    }
}

struct frame_check frame_check(void) {
    result = (struct frame_check){0, FRAME_NONE, NULL};
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        if (objects.table[slot].type == OBJECT_POOL) {
            ((struct pool *)objects.table[slot].body)->check_used = 0;
        }
    }
    for (const struct task *task = task_list; task != NULL; task = task->next) {
        space_walk(&task->space, UINT32_MAX);
    }
    uint32_t free = 0;
    for (frame_t frame = 0; frame < frames.count; frame++) {
        frame_law(frame, &free);
    }
    if (free != frames.free || !bitmap_check(&frames.bitmap)) {
        broken(FRAME_NONE, "the count of free frames is right");
    }
    for (const struct task *task = task_list; task != NULL; task = task->next) {
        space_walk(&task->space, 1);
    }
    pools_law();
    return result;
}

// Each plant is its own inverse.
error_t check_plant(uint32_t kind, frame_t frame, uint32_t *undo) {
    if (kind >= CHECK_PLANTS || frame >= frames.count) {
        return E_ARGUMENT;
    }
    struct frame *entry = frame_entry(frame);
    *undo = kind;
    if (entry->type != FRAME_USER && entry->type != FRAME_KERNEL) {
        return E_STATE;
    }
    switch (kind) {
    case 0:  // map count
        entry->maps ^= 1;
        break;
    case 1:  // kernel type of a user frame
        entry->type ^= FRAME_USER ^ FRAME_KERNEL;
        break;
    case 2:  // owner that is no pool
        entry->pool ^= 0x7fff;
        break;
    case 3:  // bitmap says free
        bitmap_get(&frames.bitmap, frame) ? bitmap_clear(&frames.bitmap, frame)
                                          : bitmap_set(&frames.bitmap, frame);
        break;
    case 4:  // free count
        frames.free ^= 1;
        break;
    case 5:  // promised low frames
        frames.promised ^= 1;
        break;
    }
    return OK;
}
