// SPDX-License-Identifier: MIT
// Frames and address spaces by message: refusals, Accessed and Dirty bits that tell the truth,
// accounts that balance, allocation failure at every point.
#include "world.h"

#define PAGE 0x60000000u
enum { MANY = LIST_MAX };

static struct map_item *list(void) {
    return message_buffer()->list;
}

static struct map_item kept[LIST_MAX];

// Take `count` frames of a pool into kept[].
static void frames_take(handle_t pool, uint32_t count, uint32_t flags) {
    struct pool_frames_alloc_out out;
    for (uint32_t have = 0; have < count; have += out.done) {
        CHECK_EQUAL(pool_frames_alloc(pool, count - have, flags, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            kept[have + i] = (struct map_item){0, ITEM_FRAME(list()[i]) << 8};
        }
    }
}

static void frames_back(handle_t pool, uint32_t count) {
    struct pool_frames_free_out out;
    for (uint32_t gone = 0; gone < count; gone += out.done) {
        for (uint32_t i = gone; i < count; i++) {
            list()[i - gone] = kept[i];
        }
        CHECK_EQUAL(pool_frames_free(pool, count - gone, &out), OK);
    }
}

static error_t free_one(handle_t pool, frame_t frame) {
    struct pool_frames_free_out out;
    list()[0] = (struct map_item){0, frame << 8};
    return pool_frames_free(pool, 1, &out);
}

// Map kept[0 .. count) from PAGE on.
static void kept_map(uint32_t count, uint32_t rights) {
    struct task_map_out out;
    for (uint32_t done = 0; done < count; done += out.done) {
        for (uint32_t i = done; i < count; i++) {
            list()[i - done] =
                (struct map_item){(PAGE + i * PAGE_SIZE) | rights, kept[i].frame};
        }
        CHECK_EQUAL(task_map(TASK, count - done, &out), OK);
    }
}

static void kept_unmap(uint32_t count) {
    struct task_unmap_out out;
    for (uint32_t done = 0; done < count; done += out.done) {
        for (uint32_t i = done; i < count; i++) {
            list()[i - done] = (struct map_item){PAGE + i * PAGE_SIZE, 0};
        }
        CHECK_EQUAL(task_unmap(TASK, count - done, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            CHECK_EQUAL(ITEM_FRAME(list()[i]), ITEM_FRAME(kept[done + i]));
        }
    }
}

// --- frames --------------------------------------------------------------------------------------

TEST(frames_wrong, "frames_alloc refuses counts and flags out of range, and what the pool lacks") {
    struct pool_frames_alloc_out out;
    world_begin();
    const uint32_t counts[] = {0, LIST_MAX + 1, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        CHECK_EQUAL(pool_frames_alloc(POOL, counts[i], 0, &out), E_ARGUMENT);
    }
    CHECK_EQUAL(pool_frames_alloc(POOL, 1, 4, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_alloc(POOL, 1, UINT32_MAX, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_alloc(POOL, 65, FRAMES_RUN, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_alloc(TASK, 1, 0, &out), E_MESSAGE);
    CHECK_EQUAL(task_handle_give(TASK, POOL, SLOT_TEST + 1, RIGHT_ALL & ~RIGHT_ALLOCATE, 0), OK);
    CHECK_EQUAL(pool_frames_alloc(HANDLE(SLOT_TEST + 1), 1, 0, &out), E_RIGHT);
    handle_t pool = pool_make(SLOT_TEST, 3);
    CHECK_EQUAL(pool_frames_alloc(pool, 4, FRAMES_RUN, &out), E_MEMORY);
    CHECK_EQUAL(pool_frames_alloc(pool, 64, 0, &out), OK);
    CHECK_EQUAL(out.done, 3);  // as many as there are
    for (uint32_t i = 0; i < 3; i++) {
        kept[i] = (struct map_item){0, ITEM_FRAME(list()[i]) << 8};
    }
    CHECK_EQUAL(pool_frames_alloc(pool, 1, 0, &out), E_MEMORY);
    CHECK_EQUAL(pool_frames_alloc(pool, 1, FRAMES_LOW, &out), E_MEMORY);
    CHECK_EQUAL(pool_frames_alloc(pool, 1, FRAMES_RUN, &out), E_MEMORY);
    CHECK_EQUAL(pool_destroy(pool), E_STATE);
    frames_back(pool, 3);
    CHECK_EQUAL(pool_destroy(pool), OK);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST + 1), OK);
    world_end();
}

TEST(free_wrong, "frames_free takes only unmapped frames of the pool, each once") {
    struct pool_frames_free_out out;
    world_begin();
    CHECK_EQUAL(pool_frames_free(POOL, 0, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_free(POOL, LIST_MAX + 1, &out), E_ARGUMENT);
    CHECK_EQUAL(free_one(POOL, 0), E_OWNER);
    CHECK_EQUAL(free_one(POOL, 0x100), E_OWNER);  // the kernel's first
    CHECK_EQUAL(free_one(POOL, 0xffffff), E_OWNER);
    handle_t pool = pool_make(SLOT_TEST, 4);
    frame_t frame = frame_get();
    CHECK_EQUAL(free_one(pool, frame), E_OWNER);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), OK);
    CHECK_EQUAL(free_one(POOL, frame), E_MAPPED);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    list()[0] = list()[1] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_free(POOL, 2, &out), OK);
    CHECK_EQUAL(out.done, 1);  // the second is free by then
    CHECK_EQUAL(free_one(POOL, frame), E_OWNER);
    frames_take(POOL, 2, 0);
    list()[0] = kept[0];
    list()[1] = (struct map_item){0, 0x100 << 8};
    CHECK_EQUAL(pool_frames_free(POOL, 2, &out), E_OWNER);  // all or nothing
    frames_back(POOL, 2);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(frames_zero, "frames come zeroed, whoever used them before") {
    world_begin();
    for (uint32_t round = 0; round < 3; round++) {
        frames_take(POOL, 64, round == 1 ? FRAMES_RUN : round == 2 ? FRAMES_LOW : 0);
        kept_map(64, MAP_READ | MAP_WRITE);
        volatile uint32_t *word = (volatile uint32_t *)PAGE;
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < 64 * PAGE_SIZE / 4; i++) {
            wrong += word[i] != 0;
            word[i] = 0xdeadbeef;
        }
        CHECK_EQUAL(wrong, 0);
        kept_unmap(64);
        frames_back(POOL, 64);
    }
    world_end();
}

TEST(frames_run, "a run is neighbouring, and low where a device needs it") {
    world_begin();
    frames_take(POOL, 64, FRAMES_RUN);
    for (uint32_t i = 0; i < 64; i++) {
        CHECK_EQUAL(ITEM_FRAME(kept[i]), ITEM_FRAME(kept[0]) + i);
    }
    frames_back(POOL, 64);
    frames_take(POOL, 1, FRAMES_LOW);
    CHECK(ITEM_FRAME(kept[0]) < 896 * 256);
    frames_back(POOL, 1);
    world_end();
}

TEST(give, "frames_give moves unmapped frames with their contents, within both reservations") {
    struct pool_frames_give_out out;
    world_begin();
    handle_t pool = pool_make(SLOT_TEST, 2);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)PAGE = 77;
    list()[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &out), E_MAPPED);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    list()[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(POOL, 0, pool, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_give(POOL, LIST_MAX + 1, pool, &out), E_ARGUMENT);
    CHECK_EQUAL(pool_frames_give(POOL, 1, TASK, &out), E_TYPE);
    CHECK_EQUAL(pool_frames_give(POOL, 1, HANDLE(200), &out), E_HANDLE);
    CHECK_EQUAL(pool_frames_give(pool, 1, POOL, &out), E_OWNER);
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &out), OK);
    CHECK_EQUAL(pool_used(pool), 1);
    CHECK_EQUAL(free_one(POOL, frame), E_OWNER);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), E_OWNER);  // the task's own pool is POOL
    frames_take(POOL, 2, 0);
    list()[0] = kept[0];
    list()[1] = kept[1];
    CHECK_EQUAL(pool_frames_give(POOL, 2, pool, &out), E_MEMORY);
    CHECK_EQUAL(pool_used(pool), 1);
    list()[0] = kept[0];
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool, &out), OK);  // fits exactly
    list()[0] = kept[0];
    CHECK_EQUAL(pool_frames_give(pool, 1, POOL, &out), OK);
    frames_back(POOL, 2);
    list()[0] = (struct map_item){0, frame << 8};
    CHECK_EQUAL(pool_frames_give(pool, 1, POOL, &out), OK);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), OK);
    CHECK_EQUAL(*(volatile uint32_t *)PAGE, 77);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK_EQUAL(pool_frame_zero(POOL, frame), OK);
    CHECK_EQUAL(pool_frame_zero(pool, frame), E_OWNER);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), OK);
    CHECK_EQUAL(*(volatile uint32_t *)PAGE, 0);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    frame_put(frame);
    CHECK_EQUAL(pool_destroy(pool), OK);
    world_end();
}

TEST(copy, "frame_copy copies exactly the bytes asked for and zeroes the rest") {
    static const uint32_t ranges[][2] = {{0, 4096}, {0, 0}, {1, 2}, {3, 4093}, {4095, 4096},
                                         {2, 6}, {5, 9}, {100, 100}, {4, 4095}};
    world_begin();
    frames_take(POOL, 2, 0);
    frame_t to = ITEM_FRAME(kept[0]), from = ITEM_FRAME(kept[1]);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, POOL, 2, 1), E_ARGUMENT);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, POOL, 0, 4097), E_ARGUMENT);
    CHECK_EQUAL(pool_frame_copy(POOL, to, 0x100, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, 0x100, from, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, to, to, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, TASK, 0, 1), E_TYPE);
    CHECK_EQUAL(task_handle_give(TASK, POOL, SLOT_TEST, RIGHT_ALL & ~RIGHT_ACCESS, 0), OK);
    CHECK_EQUAL(pool_frame_copy(HANDLE(SLOT_TEST), to, from, POOL, 0, 1), E_RIGHT);
    CHECK_EQUAL(pool_frame_copy(POOL, to, from, HANDLE(SLOT_TEST), 0, 1), E_RIGHT);
    CHECK_EQUAL(pool_frame_zero(HANDLE(SLOT_TEST), to), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    kept_map(2, MAP_READ | MAP_WRITE);
    volatile uint8_t *target = (volatile uint8_t *)PAGE, *source = target + PAGE_SIZE;
    for (uint32_t i = 0; i < PAGE_SIZE; i++) {
        source[i] = (uint8_t)(i % 251 + 1);
    }
    for (uint32_t r = 0; r < ARRAY_LENGTH(ranges); r++) {
        for (uint32_t i = 0; i < PAGE_SIZE; i++) {
            target[i] = 0xff;
        }
        CHECK_EQUAL(pool_frame_copy(POOL, to, from, POOL, ranges[r][0], ranges[r][1]), OK);
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < PAGE_SIZE; i++) {
            bool inside = i >= ranges[r][0] && i < ranges[r][1];
            wrong += target[i] != (inside ? (uint8_t)(i % 251 + 1) : 0);
        }
        CHECK_EQUAL(wrong, 0);
    }
    kept_unmap(2);
    frames_back(POOL, 2);
    world_end();
}

// --- mapping -------------------------------------------------------------------------------------

TEST(map_wrong, "map refuses bad pages, rights, flags, frames and doubles, and maps nothing then") {
    struct task_map_out out;
    struct task_info_out before, after;
    world_begin();
    frames_take(POOL, 1, 0);
    frame_t frame = ITEM_FRAME(kept[0]);
    const struct {
        uint32_t page, frame;
        error_t error;
    } wrong[] = {{0 | MAP_READ, frame << 8, E_ADDRESS},
                 {0xf000 | MAP_READ, frame << 8, E_ADDRESS},
                 {LAYOUT_KERNEL | MAP_READ, frame << 8, E_ADDRESS},
                 {0xfffff000 | MAP_READ, frame << 8, E_ADDRESS},
                 {PAGE, frame << 8, E_ARGUMENT},
                 {PAGE | MAP_WRITE, frame << 8, E_ARGUMENT},
                 {PAGE | MAP_READ | 0x10, frame << 8, E_ARGUMENT},
                 {PAGE | MAP_READ, frame << 8 | FRAME_ACCESSED, E_ARGUMENT},
                 {PAGE | MAP_RIGHTS, frame << 8, E_WX},
                 {PAGE | MAP_READ, 0, E_OWNER},
                 {PAGE | MAP_READ, 0xffffff00, E_OWNER},
                 {LAYOUT_BUFFER | MAP_READ, frame << 8, E_MAPPED},
                 {LAYOUT_START | MAP_READ, frame << 8, E_MAPPED}};
    CHECK_EQUAL(task_info(TASK, &before), OK);
    CHECK_EQUAL(task_map(TASK, 0, &out), E_ARGUMENT);
    CHECK_EQUAL(task_map(TASK, LIST_MAX + 1, &out), E_ARGUMENT);
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        list()[0] = (struct map_item){(PAGE + PAGE_SIZE) | MAP_READ, frame << 8};
        list()[1] = (struct map_item){wrong[i].page, wrong[i].frame};
        CHECK_EQUAL(task_map(TASK, 2, &out), wrong[i].error);
    }
    list()[0] = list()[1] = (struct map_item){PAGE | MAP_READ, frame << 8};
    CHECK_EQUAL(task_map(TASK, 2, &out), E_MAPPED);
    CHECK_EQUAL(task_handle_give(TASK, TASK, SLOT_TEST, RIGHT_ALL & ~RIGHT_MAP, 0), OK);
    CHECK_EQUAL(map_one(HANDLE(SLOT_TEST), PAGE, MAP_READ, frame), E_RIGHT);
    CHECK_EQUAL(unmap_one(HANDLE(SLOT_TEST), PAGE, NULL), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    CHECK_EQUAL(task_info(TASK, &after), OK);
    CHECK_EQUAL(after.mapped, before.mapped);
    CHECK_EQUAL(after.tables, before.tables);
    frames_back(POOL, 1);
    world_end();
}

TEST(unmap_wrong, "unmap and protect refuse what is not mapped, or wired for the kernel") {
    struct task_protect_out out;
    struct task_unmap_out gone;
    world_begin();
    const struct {
        uint32_t page;
        error_t error;
    } wrong[] = {{PAGE, E_UNMAPPED},         {0, E_ADDRESS},
                 {LAYOUT_KERNEL, E_ADDRESS}, {0xfffff000, E_ADDRESS},
                 {LAYOUT_BUFFER, E_DENIED},  {LAYOUT_INT80, E_UNMAPPED}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        CHECK_EQUAL(unmap_one(TASK, wrong[i].page, NULL), wrong[i].error);
        list()[0] = (struct map_item){wrong[i].page | MAP_READ, 0};
        CHECK_EQUAL(task_protect(TASK, 1, &out), wrong[i].error);
    }
    frames_take(POOL, 1, 0);
    kept_map(1, MAP_READ);
    CHECK_EQUAL(unmap_one(TASK, PAGE | 4, NULL), E_ADDRESS);
    const struct {
        uint32_t rights;
        error_t error;
    } bad[] = {{0, E_ARGUMENT}, {MAP_WRITE, E_ARGUMENT}, {8 | MAP_READ, E_ARGUMENT},
               {MAP_RIGHTS, E_WX}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        list()[0] = (struct map_item){PAGE | bad[i].rights, 0};
        CHECK_EQUAL(task_protect(TASK, 1, &out), bad[i].error);
    }
    list()[0] = (struct map_item){PAGE, 0};
    list()[1] = (struct map_item){PAGE + PAGE_SIZE, 0};
    CHECK_EQUAL(task_unmap(TASK, 2, &gone), E_UNMAPPED);  // all or nothing
    list()[0] = list()[1] = (struct map_item){PAGE, 0};
    CHECK_EQUAL(task_unmap(TASK, 2, &gone), OK);
    CHECK_EQUAL(gone.done, 1);
    frames_back(POOL, 1);
    world_end();
}

TEST(map_counts, "a frame may be mapped often, and is free only after its last page went") {
    world_begin();
    frame_t frame = frame_get();
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQUAL(map_one(TASK, PAGE + i * 0x200000u, MAP_READ, frame), OK);
    }
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQUAL(free_one(POOL, frame), E_MAPPED);
        CHECK_EQUAL(unmap_one(TASK, PAGE + i * 0x200000u, NULL), OK);
    }
    frame_put(frame);
    world_end();
}

TEST(map_many, "long lists are worked off in slices; page tables are charged and given back") {
    struct task_info_out before, during;
    struct task_tables_trim_out trimmed;
    world_begin();
    CHECK_EQUAL(task_info(TASK, &before), OK);
    uint32_t used = pool_used(POOL);
    frames_take(POOL, MANY, 0);
    kept_map(MANY, MAP_READ | MAP_WRITE);
    CHECK_EQUAL(task_info(TASK, &during), OK);
    CHECK_EQUAL(during.mapped, before.mapped + MANY);
    CHECK_EQUAL(during.tables, before.tables + 2);  // a directory and a table
    CHECK_EQUAL(pool_used(POOL), used + MANY + 2);
    for (uint32_t i = 0; i < MANY; i++) {
        *(volatile uint32_t *)(PAGE + i * PAGE_SIZE) = i;
    }
    kept_unmap(MANY);
    CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
    CHECK_EQUAL(trimmed.freed, 1);
    CHECK_EQUAL(task_info(TASK, &during), OK);
    CHECK_EQUAL(during.tables, before.tables);
    CHECK_EQUAL(during.mapped, before.mapped);
    frames_back(POOL, MANY);
    CHECK_EQUAL(pool_used(POOL), used);
    world_end();
}

TEST(long_lists, "a list of more than sixteen stops at a bad item, and says how far it came") {
    enum { COUNT = 20 };
    struct task_map_out mapped;
    struct task_unmap_out unmapped;
    struct task_protect_out changed;
    struct pool_frames_free_out freed;
    world_begin();
    frames_take(POOL, COUNT, 0);
    for (uint32_t bad = 0; bad < COUNT; bad += 18) {
        for (uint32_t i = 0; i < COUNT; i++) {
            list()[i] = (struct map_item){(PAGE + i * PAGE_SIZE) | MAP_READ, kept[i].frame};
        }
        list()[bad].frame = 0x100 << 8;  // the kernel's
        CHECK_EQUAL(task_map(TASK, COUNT, &mapped), bad == 0 ? E_OWNER : OK);
    }
    CHECK_EQUAL(mapped.done, 16);
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = (struct map_item){(PAGE + i * PAGE_SIZE) | MAP_READ | MAP_WRITE, 0};
    }
    CHECK_EQUAL(task_protect(TASK, COUNT, &changed), OK);
    CHECK_EQUAL(changed.done, 16);
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = (struct map_item){PAGE + (i + 16) % COUNT * PAGE_SIZE, 0};
    }
    CHECK_EQUAL(task_unmap(TASK, COUNT, &unmapped), E_UNMAPPED);  // the first is bad
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = kept[i];
    }
    CHECK_EQUAL(pool_frames_free(POOL, COUNT, &freed), E_MAPPED);
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = (struct map_item){PAGE + i * PAGE_SIZE, 0};
    }
    CHECK_EQUAL(task_unmap(TASK, COUNT, &unmapped), OK);
    CHECK_EQUAL(unmapped.done, 16);
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = i < 17 ? kept[i] : (struct map_item){0, 0x100 << 8};
    }
    CHECK_EQUAL(pool_frames_free(POOL, COUNT, &freed), OK);
    CHECK_EQUAL(freed.done, 17);
    for (uint32_t i = 17; i < COUNT; i++) {
        CHECK_EQUAL(free_one(POOL, ITEM_FRAME(kept[i])), OK);
    }
    world_end();
}

// --- Accessed and Dirty --------------------------------------------------------------------------

static uint32_t item_flags(struct map_item item) {
    return item.frame & FRAME_FLAGS;
}

TEST(accessed_dirty, "unmap returns Accessed after a read, Dirty after a write, neither without") {
    struct map_item was;
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    CHECK_EQUAL(unmap_one(TASK, PAGE, &was), OK);
    CHECK_EQUAL(item_flags(was), 0);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    (void)*(volatile uint32_t *)PAGE;
    CHECK_EQUAL(unmap_one(TASK, PAGE, &was), OK);
    CHECK_EQUAL(item_flags(was), FRAME_ACCESSED);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)PAGE = 1;
    CHECK_EQUAL(unmap_one(TASK, PAGE, &was), OK);
    CHECK_EQUAL(item_flags(was), FRAME_ACCESSED | FRAME_DIRTY);
    frame_put(frame);
    world_end();
}

TEST(protect_keeps_dirty, "protect reports Accessed and Dirty and forgets neither") {
    struct task_protect_out out;
    struct map_item was;
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)PAGE = 5;
    for (uint32_t i = 0; i < 4; i++) {
        list()[0] = (struct map_item){PAGE | (i % 2 ? MAP_READ | MAP_WRITE : MAP_READ), 0};
        CHECK_EQUAL(task_protect(TASK, 1, &out), OK);
        CHECK_EQUAL(list()[0].frame, frame << 8 | FRAME_ACCESSED | FRAME_DIRTY);
    }
    CHECK_EQUAL(*(volatile uint32_t *)PAGE, 5);
    CHECK_EQUAL(unmap_one(TASK, PAGE, &was), OK);
    CHECK_EQUAL(item_flags(was), FRAME_ACCESSED | FRAME_DIRTY);
    frame_put(frame);
    world_end();
}

TEST(scan_wrong, "scan and entries_read refuse ranges that leave user space") {
    struct task_scan_out out;
    struct task_entries_read_out entries;
    CHECK_EQUAL(task_scan(TASK, PAGE, 0, &out), E_ARGUMENT);
    CHECK_EQUAL(task_scan(TASK, PAGE, 1025, &out), E_ARGUMENT);
    CHECK_EQUAL(task_scan(TASK, PAGE + 1, 1, &out), E_ADDRESS);
    CHECK_EQUAL(task_scan(TASK, 0, 1, &out), E_ADDRESS);
    CHECK_EQUAL(task_scan(TASK, LAYOUT_KERNEL, 1, &out), E_ADDRESS);
    CHECK_EQUAL(task_scan(TASK, LAYOUT_KERNEL - PAGE_SIZE, 2, &out), E_ADDRESS);
    CHECK_EQUAL(task_scan(TASK, 0xfffff000, 1, &out), E_ADDRESS);
    CHECK_EQUAL(task_scan(TASK, LAYOUT_KERNEL - PAGE_SIZE, 1, &out), OK);  // the last page
    CHECK_EQUAL(task_scan(TASK, LAYOUT_KERNEL - 1024 * PAGE_SIZE, 1024, &out), OK);
    CHECK_EQUAL(task_entries_read(TASK, PAGE, 0, &entries), E_ARGUMENT);
    CHECK_EQUAL(task_entries_read(TASK, PAGE, LIST_MAX + 1, &entries), E_ARGUMENT);
    CHECK_EQUAL(task_entries_read(TASK, PAGE + 1, 1, &entries), E_ADDRESS);
    CHECK_EQUAL(task_entries_read(TASK, LAYOUT_KERNEL, 1, &entries), E_ADDRESS);
}

TEST(scan, "scan reads and clears Accessed, and sees the very next access") {
    enum { PAGES = 40 };
    struct task_scan_out out;
    world_begin();
    frames_take(POOL, PAGES, 0);
    kept_map(PAGES, MAP_READ | MAP_WRITE);
    for (uint32_t round = 1; round <= 5; round++) {
        uint64_t read = 0x123456789aull * round & 0xffffffffffull;
        uint64_t written = 0xf0f0f0f0f0ull >> round;
        for (uint32_t i = 0; i < PAGES; i++) {
            if (read >> i & 1) {
                (void)*(volatile uint32_t *)(PAGE + i * PAGE_SIZE);
            }
            if (written >> i & 1 && round == 1) {
                *(volatile uint32_t *)(PAGE + i * PAGE_SIZE) = i;
            }
        }
        CHECK_EQUAL(task_scan(TASK, PAGE, PAGES, &out), OK);
        CHECK_EQUAL(out.present, PAGES);
        const uint32_t(*bitmap)[32] = (const uint32_t(*)[32])message_buffer()->bitmap;
        uint64_t accessed = bitmap[0][0] | (uint64_t)bitmap[0][1] << 32;
        uint64_t dirty = bitmap[1][0] | (uint64_t)bitmap[1][1] << 32;
        CHECK(accessed == (round == 1 ? read | written : read));
        CHECK(dirty == 0xf0f0f0f0f0ull >> 1);
        CHECK_EQUAL(task_scan(TASK, PAGE, PAGES, &out), OK);
        CHECK_EQUAL(message_buffer()->bitmap[0][0] | message_buffer()->bitmap[0][1], 0);
    }
    kept_unmap(PAGES);
    frames_back(POOL, PAGES);
    world_end();
}

TEST(entries, "entries_read lists every page with frame, rights and bits, and no message buffer") {
    struct task_entries_read_out out;
    world_begin();
    frames_take(POOL, 3, 0);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, ITEM_FRAME(kept[0])), OK);
    CHECK_EQUAL(map_one(TASK, PAGE + 0x400000, MAP_READ | MAP_WRITE, ITEM_FRAME(kept[1])), OK);
    CHECK_EQUAL(map_one(TASK, 0xa0000000, MAP_READ | MAP_EXECUTE, ITEM_FRAME(kept[2])), OK);
    *(volatile uint32_t *)(PAGE + 0x400000) = 1;
    uint32_t found = 0, buffers = 0;
    for (out.next = PAGE; out.next < LAYOUT_KERNEL;) {
        CHECK_EQUAL(task_entries_read(TASK, out.next, 2, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            struct map_item item = list()[i];
            found += item.page == (PAGE | MAP_READ) && ITEM_FRAME(item) == ITEM_FRAME(kept[0]);
            found += item.page == ((PAGE + 0x400000) | MAP_READ | MAP_WRITE) &&
                     item.frame == (kept[1].frame | FRAME_ACCESSED | FRAME_DIRTY);
            found += item.page == (0xa0000000 | MAP_READ | MAP_EXECUTE) &&
                     item.frame == kept[2].frame;
            buffers += PAGE_DOWN(item.page) == LAYOUT_BUFFER;
        }
    }
    CHECK_EQUAL(found, 3);
    CHECK_EQUAL(buffers, 0);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), OK);
    CHECK_EQUAL(unmap_one(TASK, PAGE + 0x400000, NULL), OK);
    CHECK_EQUAL(unmap_one(TASK, 0xa0000000, NULL), OK);
    frames_back(POOL, 3);
    world_end();
}

TEST(entries_sparse, "a walk over many tables that are nearly empty is cut, and goes on") {
    enum { TABLES = 12 };
    struct task_entries_read_out out = {.next = PAGE};
    world_begin();
    frame_t frame = frame_get();
    for (uint32_t i = 0; i < TABLES; i++) {
        CHECK_EQUAL(map_one(TASK, PAGE + i * 0x200000u, MAP_READ, frame), OK);
    }
    uint32_t found = 0, calls = 0;
    for (; out.next < PAGE + TABLES * 0x200000u; calls++) {
        vaddr_t before = out.next;
        CHECK_EQUAL(task_entries_read(TASK, out.next, LIST_MAX, &out), OK);
        CHECK(out.next > before);
        found += out.done;
    }
    CHECK(calls > 1 && found >= TABLES);
    for (uint32_t i = 0; i < TABLES; i++) {
        CHECK_EQUAL(unmap_one(TASK, PAGE + i * 0x200000u, NULL), OK);
    }
    frame_put(frame);
    world_end();
}

// --- what another task sees ----------------------------------------------------------------------

static void write_twice(struct actor *self) {
    for (;;) {
        *(volatile uint32_t *)PAGE = self->argument;
        self->result[0]++;
        (void)!ipc_signal(HANDLE(SLOT_DONE + self->index));
        struct received received;
        ipc_poll(0, &received);
    }
}

TEST(protect_at_once, "a page made read-only faults at the next write, a removed one at the next") {
    struct task_protect_out out;
    world_begin();
    handle_t port = port_make(SLOT_TEST + 5, 25);
    struct actor *writer = task_make(POOL, 10, write_twice);
    CHECK_EQUAL(task_fault_port(writer->task, port, 9), OK);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(writer->task, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    actor_start(writer, 3);
    world_wait_above(&writer->result[0], 2);  // it writes again and again
    list()[0] = (struct map_item){PAGE | MAP_READ, 0};
    CHECK_EQUAL(task_protect(writer->task, 1, &out), OK);
    uint32_t before = writer->result[0];
    struct received received;
    port_next(port, &received);
    CHECK_EQUAL(received.tag, TAG(LABEL_fault_protection, 2, 0, 0));
    CHECK(writer->result[0] <= before + 1);
    list()[0] = (struct map_item){PAGE | MAP_READ | MAP_WRITE, 0};
    CHECK_EQUAL(task_protect(writer->task, 1, &out), OK);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    world_wait_above(&writer->result[0], before + 2);
    CHECK_EQUAL(unmap_one(writer->task, PAGE, NULL), OK);
    port_next(port, &received);
    CHECK_EQUAL(received.tag, TAG(LABEL_fault_write, 2, 0, 0));
    actor_end(writer);
    port_end(port);
    frame_put(frame);
    world_end();
}

// --- allocation failure at every point -----------------------------------------------------------

static handle_t account;  // pool under test

static error_t make_task(void) {
    return pool_task_create(account, SLOT_TEST + 1, 5, 5, 50);
}
static error_t make_thread(void) {
    return task_thread_create(HANDLE(SLOT_TEST + 1), SLOT_TEST + 2, LAYOUT_BUFFER, 5);
}
static error_t make_map(void) {
    struct task_map_out out;
    for (uint32_t i = 0; i < 4; i++) {  // four pages, three gigabytes, four tables
        list()[i] = (struct map_item){(0x00400000u + i * 0x30000000u) | MAP_READ, kept[i].frame};
    }
    return task_map(HANDLE(SLOT_TEST + 1), 4, &out);
}
static error_t make_event(void) {
    return pool_event_create(account, SLOT_TEST + 3);
}
static error_t make_port(void) {
    return pool_port_create(account, SLOT_TEST + 4, 5);
}
static error_t make_timer(void) {
    return pool_timer_create(account, SLOT_TEST + 5);
}
static error_t make_pool(void) {
    return pool_create(account, SLOT_TEST + 6, 1, 0);
}

static struct machine_info_out machine(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info;
}

// Try `make` with a reservation grown frame by frame until it succeeds: each failure is E_MEMORY
// and leaves everything as it was. The pool has grown when a new one of one frame more takes over.
static uint32_t frames_needed(error_t (*make)(void)) {
    for (uint32_t spare = 0;; spare++) {
        uint32_t used = pool_used(account);
        struct pool_info_out info;
        CHECK_EQUAL(pool_info(account, &info), OK);
        uint32_t block = info.reserved - info.used - info.split - spare;
        static struct map_item blocked[LIST_MAX];
        struct pool_frames_alloc_out taken;
        for (uint32_t have = 0; have < block; have += taken.done) {
            CHECK_EQUAL(pool_frames_alloc(account, block - have, 0, &taken), OK);
            for (uint32_t i = 0; i < taken.done; i++) {
                blocked[have + i] = list()[i];
            }
        }
        uint32_t objects = machine().objects, free = machine().frames_free;
        error_t error = make();
        bool same = machine().objects == objects && machine().frames_free == free &&
                    pool_used(account) == used + block;
        for (uint32_t gone = 0; gone < block; gone++) {
            CHECK_EQUAL(free_one(account, ITEM_FRAME(blocked[gone])), OK);
        }
        if (error == OK) {
            return spare;
        }
        CHECK_EQUAL(error, E_MEMORY);
        CHECK(same);
        CHECK(spare < 40);
    }
}

TEST(no_memory, "with too small a pool every creation fails with E_MEMORY and changes nothing") {
    struct task_destroy_out left;
    struct task_unmap_out out;
    struct pool_port_destroy_out waiting;
    world_begin();
    account = pool_make(SLOT_TEST, 60);
    frames_take(POOL, 4, 0);
    CHECK(frames_needed(make_task) >= 2);
    CHECK(frames_needed(make_thread) >= 3);
    CHECK(frames_needed(make_map) >= 5);
    (void)frames_needed(make_event);
    (void)frames_needed(make_port);
    (void)frames_needed(make_timer);
    CHECK(frames_needed(make_pool) >= 1);
    for (uint32_t i = 0; i < 4; i++) {
        list()[i] = (struct map_item){0x00400000u + i * 0x30000000u, 0};
    }
    CHECK_EQUAL(task_unmap(HANDLE(SLOT_TEST + 1), 4, &out), OK);
    do {
        CHECK_EQUAL(task_destroy(HANDLE(SLOT_TEST + 1), &left), OK);
    } while (left.left > 0);
    CHECK_EQUAL(event_destroy(HANDLE(SLOT_TEST + 3)), OK);
    CHECK_EQUAL(pool_port_destroy(account, HANDLE(SLOT_TEST + 4), &waiting), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(SLOT_TEST + 5)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(SLOT_TEST + 6)), OK);
    CHECK_EQUAL(pool_used(account), 0);
    CHECK_EQUAL(pool_destroy(account), OK);
    frames_back(POOL, 4);
    world_end();
}
