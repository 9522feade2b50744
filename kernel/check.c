// SPDX-License-Identifier: MIT
#include "check.h"
#include "frame.h"
#include "space.h"
#include "task.h"
#include "window.h"

static struct frame_check result;

static void broken(frame_t frame, enum law law) {
    if (result.violations++ == 0) {
        result.frame = frame;
        result.law = law;
    }
}

// Walk the user entries of one page table; `step` is -1 on the way down, 1 on the way up.
static void table_walk(const pte_t *table, uint32_t step) {
    frame_t own = window_frame(table);
    uint32_t present = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (!(entry_bits(table[i]) & ENTRY_PRESENT)) {
            continue;
        }
        present++;
        frame_t frame = ENTRY_FRAME(table[i]);
        if (entry_bits(table[i]) & ENTRY_DEVICE) {
            if (step != 1 && frame < frames.count && frame_entry(frame)->type != FRAME_ABSENT) {
                broken(frame, LAW_user_frames_only);
            }
            continue;
        }
        if (frame >= frames.count) {
            if (step != 1) {
                broken(frame, LAW_frame_exists);
            }
            continue;
        }
        struct frame *entry = frame_entry(frame);
        entry->maps += step;
        if (step == 1) {
            continue;
        }
        bool clock = entry->type == FRAME_CLOCK;
        bool executes = !(entry_bits(table[i]) & ENTRY_NO_EXECUTE) && space_no_execute != 0;
        if (!(entry_bits(table[i]) & ENTRY_FIXED ? entry->type == FRAME_BUFFER || clock
                                     : entry->type == FRAME_USER)) {
            broken(frame, LAW_user_frames_only);
        }
        if (entry_bits(table[i]) & ENTRY_WRITE && executes) {
            broken(frame, LAW_write_or_execute);
        }
        if (clock && (entry_bits(table[i]) & ENTRY_WRITE || executes)) {
            broken(frame, LAW_clock_read_only);
        }
    }
    if (step != 1 && frame_entry(own)->maps != present) {
        broken(own, LAW_table_count);
    }
}

static void space_walk(const struct space *space, uint32_t step) {
    for (uint32_t gigabyte = 0; gigabyte < 3; gigabyte++) {
        const pte_t *directory = space->directory[gigabyte];
        uint32_t tables = 0;
        for (uint32_t i = 0; directory != NULL && i < ENTRIES; i++) {
            if (entry_bits(directory[i]) & ENTRY_PRESENT) {
                tables++;
                table_walk(window_address(ENTRY_FRAME(directory[i])), step);
            }
        }
        if (directory != NULL && frame_entry(window_frame(directory))->maps != tables) {
            broken(window_frame(directory), LAW_table_count);
        }
    }
}

static void pool_count(frame_t frame, const struct frame *entry) {
    struct object *owner = entry->pool < objects.count ? &objects.table[entry->pool] : NULL;
    if (owner == NULL || owner->type != OBJECT_POOL) {
        broken(frame, LAW_owner);
    } else {
        ((struct pool *)owner->body)->check_used++;
    }
}

static void frame_law(frame_t frame, uint32_t *free) {
    const struct frame *entry = frame_entry(frame);
    bool is_free = entry->type == FRAME_FREE;
    if (is_free != bitmap_get(&frames.bitmap, frame)) {
        broken(frame, LAW_bitmap);
    }
    *free += is_free;
    if (entry->type != FRAME_TABLE && (entry->maps & ~FRAME_HOLDS) != 0) {
        broken(frame, LAW_map_count);
    }
    if (is_free && entry->pool != 0) {
        broken(frame, LAW_free_unowned);
    }
    if (entry->type != FRAME_USER && entry->maps & FRAME_HOLDS) {
        broken(frame, LAW_held);
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
            broken(FRAME_NONE, LAW_pool_sum);
        }
        if (pool->check_objects != pool->objects ||
            pool->objects + pool->objects_split > pool->objects_reserved) {
            broken(FRAME_NONE, LAW_object_sum);
        }
        promised += pool->low_used < pool->low_reserved ? pool->low_reserved - pool->low_used : 0;
    }
    if (promised != frames.promised || promised > frames.free_low) {
        broken(FRAME_NONE, LAW_promise);
    }
}

struct frame_check frame_check(void) {
    result = (struct frame_check){0, FRAME_NONE, 0};
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        if (objects.table[slot].type == OBJECT_POOL) {
            struct pool *pool = objects.table[slot].body;
            pool->check_used = pool->check_objects = 0;
        }
    }
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        if (objects.table[slot].type != OBJECT_NONE) {
            objects.table[slot].pool->check_objects++;
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
        broken(FRAME_NONE, LAW_free_count);
    }
    for (const struct task *task = task_list; task != NULL; task = task->next) {
        space_walk(&task->space, 1);
    }
    pools_law();
    return result;
}

const char *check_law_text(enum law law) {
    switch (law) {
#define LAW(name, number, text) \
    case LAW_##name:            \
        return text;
#include "law.def"
#undef LAW
    }
    return "all laws hold";
}

// Laws about entries: the victim is the page of start_info, which nobody reads meanwhile, or the
// clock's.
static error_t plant_entry(enum law law, struct space *space) {
    pte_t *entry =
        space_entry(space, law == LAW_clock_read_only ? LAYOUT_CLOCK : LAYOUT_START);
    if (entry == NULL || !(entry_bits(*entry) & ENTRY_PRESENT)) {
        return E_UNMAPPED;
    }
    if (law == LAW_frame_exists) {
        *entry = entry_flip(*entry, 1ull << 35);
    } else if (law == LAW_user_frames_only) {
        frame_entry(ENTRY_FRAME(*entry))->type ^= FRAME_USER ^ FRAME_KERNEL;
    } else if (law == LAW_write_or_execute) {
        *entry = entry_flip(*entry, ENTRY_WRITE | space_no_execute);
    } else if (law == LAW_clock_read_only) {
        *entry = entry_flip(*entry, ENTRY_WRITE);
    } else {
        frame_entry(window_frame(entry))->maps ^= 1;
    }
    return OK;
}

static void plant_frame(enum law law, frame_t frame) {
    struct frame *entry = frame_entry(frame);
    if (law == LAW_bitmap) {
        bitmap_get(&frames.bitmap, frame) ? bitmap_clear(&frames.bitmap, frame)
                                          : bitmap_set(&frames.bitmap, frame);
    } else if (law == LAW_map_count) {
        entry->maps ^= 1;
    } else if (law == LAW_owner) {
        entry->pool ^= 0x7fff;
    } else if (law == LAW_pool_sum) {
        pool_of(frame)->used ^= 1;
    } else {
        pool_of(frame)->objects ^= 1;
    }
}

// Each plant is its own inverse.
error_t check_plant(uint32_t law, frame_t frame, struct space *space) {
    if (law < LAW_frame_exists || law > LAW_LAST || frame >= frames.count) {
        return E_ARGUMENT;
    }
    switch ((enum law)law) {
    case LAW_frame_exists:
    case LAW_user_frames_only:
    case LAW_write_or_execute:
    case LAW_table_count:
    case LAW_clock_read_only:
        return plant_entry(law, space);
    case LAW_free_unowned:
        frame_entry(bitmap_lowest(&frames.bitmap))->pool ^= 1;
        return OK;
    case LAW_held:
        frame_entry(bitmap_lowest(&frames.bitmap))->maps ^= FRAME_PIN;
        return OK;
    case LAW_free_count:
        frames.free ^= 1;
        return OK;
    case LAW_promise:
        frames.promised ^= 1;
        return OK;
    case LAW_bitmap:
    case LAW_map_count:
    case LAW_owner:
    case LAW_pool_sum:
    case LAW_object_sum:
        break;
    }
    bool mended = frame_entry(frame)->pool >= 0x4000;
    if (frame_entry(frame)->type != FRAME_USER || (!mended && pool_of(frame) == NULL)) {
        return E_STATE;
    }
    plant_frame(law, frame);
    return OK;
}
