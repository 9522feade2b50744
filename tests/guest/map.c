// SPDX-License-Identifier: MIT
// Address spaces by message: refusals, long lists, Accessed and Dirty bits that tell the truth.
#include "kept.h"

#define PAGE KEPT_PAGE
enum { MANY = LIST_MAX };

TEST(map_wrong, "map refuses bad pages, rights, flags, frames and doubles, and maps nothing then") {
    struct task_map_out out;
    struct task_info_out before, after;
    world_begin();
    kept_take(POOL, 1, 0);
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
    kept_back(POOL, 1);
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
    kept_take(POOL, 1, 0);
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
    CHECK_EQUAL(task_unmap(TASK, 2, &gone), E_UNMAPPED);  // named twice
    kept_unmap(1);
    kept_back(POOL, 1);
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

TEST(trim_slices, "tables_trim frees page tables in slices, none that is used, and says what is left") {
    enum { TABLES = 100, SLICE = 64, USED = 50 };  // one page each; table USED keeps its page
    struct task_info_out before, after;
    struct task_tables_trim_out out;
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(task_tables_trim(TASK, &out), OK);
    CHECK_EQUAL(out.left, 0);
    CHECK_EQUAL(task_info(TASK, &before), OK);
    for (uint32_t i = 0; i < TABLES; i++) {
        CHECK_EQUAL(map_one(TASK, PAGE + i * 0x200000u, MAP_READ, frame), OK);
    }
    CHECK_EQUAL(task_tables_trim(TASK, &out), OK);
    CHECK_EQUAL(out.freed + out.left, 0);
    for (uint32_t i = 0; i < TABLES; i++) {
        CHECK(i == USED || unmap_one(TASK, PAGE + i * 0x200000u, NULL) == OK);
    }
    CHECK_EQUAL(task_tables_trim(TASK, &out), OK);
    CHECK_EQUAL(out.freed, SLICE);
    CHECK(out.left > 0);
    CHECK_EQUAL(task_tables_trim(TASK, &out), OK);
    CHECK_EQUAL(out.freed, TABLES - 1 - SLICE);
    CHECK_EQUAL(out.left, 0);
    CHECK_EQUAL(unmap_one(TASK, PAGE + USED * 0x200000u, NULL), OK);
    CHECK_EQUAL(task_tables_trim(TASK, &out), OK);
    CHECK_EQUAL(out.freed, 1);
    CHECK_EQUAL(task_info(TASK, &after), OK);
    CHECK_EQUAL(after.tables, before.tables);
    frame_put(frame);
    world_end();
}

TEST(map_many, "long lists are worked off in slices; page tables are charged and given back") {
    struct task_info_out before, during;
    struct task_tables_trim_out trimmed;
    world_begin();
    CHECK_EQUAL(task_info(TASK, &before), OK);
    uint32_t used = pool_used(POOL);
    kept_take(POOL, MANY, 0);
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
    kept_back(POOL, MANY);
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
    kept_take(POOL, COUNT, 0);
    for (uint32_t bad = 0; bad < COUNT; bad += 18) {
        for (uint32_t i = 0; i < COUNT; i++) {
            list()[i] = (struct map_item){(PAGE + i * PAGE_SIZE) | MAP_READ, kept[i].frame};
        }
        list()[bad].frame = 0x100 << 8;  // the kernel's
        CHECK_EQUAL(task_map(TASK, COUNT, &mapped), bad == 0 ? E_OWNER : OK);
    }
    CHECK_EQUAL(mapped.done, 18);
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = (struct map_item){(PAGE + i * PAGE_SIZE) | MAP_READ | MAP_WRITE, 0};
    }
    CHECK_EQUAL(task_protect(TASK, COUNT, &changed), OK);
    CHECK_EQUAL(changed.done, 18);
    for (uint32_t i = 0; i < COUNT; i++) {
        list()[i] = (struct map_item){PAGE + (i + 18) % COUNT * PAGE_SIZE, 0};
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
    CHECK_EQUAL(unmapped.done, 18);
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
    kept_take(POOL, PAGES, 0);
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
    kept_back(POOL, PAGES);
    world_end();
}

TEST(entries, "entries_read lists every page with frame, rights and bits, and no message buffer") {
    struct task_entries_read_out out;
    world_begin();
    kept_take(POOL, 3, 0);
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
    kept_back(POOL, 3);
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
