// SPDX-License-Identifier: MIT
#include "check.h"
#include "space_entry.h"
#include "thread.h"

static struct frame_check result;

static void broken(frame_t frame, enum law law) {
    if (result.violations++ == 0) {
        result.frame = frame;
        result.law = law;
    }
}

// What a user entry may name, and with which rights.
static void entry_law(pte_t entry) {
    frame_t frame = ENTRY_FRAME(entry);
    enum frame_type type = frame < frames.count ? frame_entry(frame)->type : FRAME_ABSENT;
    bool clock = type == FRAME_CLOCK, writes = entry_low(entry) & ENTRY_WRITE;
    bool executes = space_no_execute != 0 && !(entry_bits(entry) >> 63);
    if (entry_low(entry) & ENTRY_DEVICE) {
        if (type != FRAME_ABSENT) {
            broken(frame, LAW_user_frames_only);
        }
        return;
    }
    if (frame >= frames.count) {
        broken(frame, LAW_frame_exists);
        return;
    }
    if (entry_low(entry) & ENTRY_FIXED ? type != FRAME_BUFFER && !clock : type != FRAME_USER) {
        broken(frame, LAW_user_frames_only);
    }
    if (writes && executes) {
        broken(frame, LAW_write_or_execute);
    }
    if (clock && (writes || executes)) {
        broken(frame, LAW_clock_read_only);
    }
}

// Walk a page table, or a directory of such: `step` is -1 on the way down, 1 on the way up.
static void table_walk(const pte_t *table, bool directory, uint32_t step) {
    frame_t own = window_frame(table);
    uint32_t present = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        frame_t frame = ENTRY_FRAME(table[i]);
        if (!(entry_low(table[i]) & ENTRY_PRESENT)) {
            continue;
        }
        present++;
        if (directory) {
            table_walk(window_address(frame), false, step);
            continue;
        }
        if (step != 1) {
            entry_law(table[i]);
        }
        if (!(entry_low(table[i]) & ENTRY_DEVICE) && frame < frames.count) {
            frame_entry(frame)->maps += step;
        }
    }
    if (frame_entry(own)->maps != present) {
        broken(own, LAW_table_count);
    }
}

static void spaces_walk(uint32_t step) {
    for (const struct task *task = task_list; task != NULL; task = task->next) {
        for (uint32_t gigabyte = 0; gigabyte < 3; gigabyte++) {
            if (task->space.directory[gigabyte] != NULL) {
                table_walk(task->space.directory[gigabyte], true, step);
            }
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
        struct pool *pool = objects.table[slot].body;
        if (pool->check_used != pool->used || pool->used + pool->split > pool->reserved) {
            broken(FRAME_NONE, LAW_pool_sum);
        }
        if (pool->check_objects != pool->objects ||
            pool->objects + pool->objects_split > pool->objects_reserved) {
            broken(FRAME_NONE, LAW_object_sum);
        }
        promised += pool->low_used < pool->low_reserved ? pool->low_reserved - pool->low_used : 0;
        pool->check_used = pool->check_objects = 0;  // for the next time
    }
    if (promised != frames.promised || promised > frames.free_low) {
        broken(FRAME_NONE, LAW_promise);
    }
}

struct frame_check frame_check(void) {
    result = (struct frame_check){0, FRAME_NONE, 0};
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        if (objects.table[slot].type != OBJECT_NONE) {
            objects.table[slot].pool->check_objects++;
        }
    }
    spaces_walk(UINT32_MAX);
    uint32_t free = 0;
    for (frame_t frame = 0; frame < frames.count; frame++) {
        frame_law(frame, &free);
    }
    if (free != frames.free || !bitmap_check(&frames.bitmap)) {
        broken(FRAME_NONE, LAW_free_count);
    }
    spaces_walk(1);
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

// What a law is broken in, and the bits that are turned there.
enum place { PAGE, FREE_FRAME, NAMED_FRAME, NAMED_POOL, FRAME_STATE, BITMAP };
static const struct plant {
    uint8_t place, offset;
    uint32_t bits;
} plants[LAW_LAST + 1] = {
    [LAW_frame_exists] = {PAGE, 4, 1u << 3},
    [LAW_user_frames_only] = {PAGE, 0, ENTRY_FIXED},
    [LAW_write_or_execute] = {PAGE, 0, ENTRY_WRITE},
    [LAW_table_count] = {PAGE, 0, ENTRY_PRESENT},
    [LAW_bitmap] = {BITMAP, 0, 0},
    [LAW_map_count] = {NAMED_FRAME, offsetof(struct frame, maps), 1},
    [LAW_free_unowned] = {FREE_FRAME, offsetof(struct frame, word), 1},
    [LAW_owner] = {NAMED_FRAME, offsetof(struct frame, word), 0x7fff},
    [LAW_free_count] = {FRAME_STATE, offsetof(struct frame_state, free), 1},
    [LAW_pool_sum] = {NAMED_POOL, offsetof(struct pool, used), 1},
    [LAW_promise] = {FRAME_STATE, offsetof(struct frame_state, promised), 1},
    [LAW_object_sum] = {NAMED_POOL, offsetof(struct pool, objects), 1},
    [LAW_held] = {FREE_FRAME, offsetof(struct frame, maps), FRAME_PIN},
    [LAW_clock_read_only] = {PAGE, 0, ENTRY_WRITE},
};

// The page whose entry is broken: of code, of the clock, or one that nobody reads meanwhile.
static vaddr_t plant_page(uint32_t law) {
    return law == LAW_write_or_execute  ? current_thread->registers.eip
           : law == LAW_clock_read_only ? LAYOUT_CLOCK
                                        : LAYOUT_START;
}

// Each plant is its own inverse.
error_t check_plant(uint32_t law, frame_t frame, const struct space *space) {
    if (law - 1 >= LAW_LAST || frame >= frames.count) {
        return E_ARGUMENT;
    }
    const struct plant *plant = &plants[law];
    pte_t *entry = space_entry(space, plant_page(law));
    if (entry == NULL || entry_bits(*entry) == 0) {
        return E_UNMAPPED;
    }
    struct frame *named = frame_entry(frame);
    struct pool *owner = named->pool < objects.count ? objects.table[named->pool].body : NULL;
    bool names = plant->place != PAGE && plant->place != FREE_FRAME && plant->place != FRAME_STATE;
    uint32_t free = bitmap_lowest(&frames.bitmap);
    if (plant->place == FREE_FRAME && free == BITMAP_NONE) {
        return E_STATE;
    }
    if (names && (named->type != FRAME_USER || (owner == NULL && law != LAW_owner))) {
        return E_STATE;
    }
    void *const places[] = {entry, frame_entry(free), named, owner,
                            &frames, &frames.bitmap.level[0][frame / 32]};
    half_t *half = (half_t *)((char *)places[plant->place] + plant->offset);
    *half ^= plant->place == BITMAP ? 1u << frame % 32 : plant->bits;
    return OK;
}
