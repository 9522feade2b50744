// SPDX-License-Identifier: MIT
// Device memory: never RAM, mapped in one task at a time, taken back when it ends.
#include "kept.h"
#include "victim.h"

enum { A = SLOT_TEST + 10, B, C };
enum { ROM = 0xf0, CONTROLLER = 0xfec00 };  // frames: the firmware's ROM, the I/O APIC
#define PAGE VICTIM_PAGE

// The I/O APIC shows register n at byte 0x10 once n was written to byte 0.
static uint32_t controller_read(uint32_t index) {
    *(volatile uint32_t *)PAGE = index;
    return *(volatile uint32_t *)(PAGE + 0x10);
}

static void end(handle_t handle) {
    struct task_tables_trim_out trimmed;
    CHECK_EQUAL(iomem_destroy(handle), OK);
    CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
}

TEST(iomem_wrong, "device memory is never RAM, nor beyond what the CPU addresses, nor too much") {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    const uint32_t ram[][2] = {{0, 1}, {0x9f, 1}, {0x9f, 2}, {0xff, 2}, {0x100, 1},
                               {info.frames_total / 2, 1}, {0xf0, 128}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(ram); i++) {
        CHECK_EQUAL(machine_iomem_create(MACHINE, A, ram[i][0], ram[i][1]), E_DENIED);
    }
    const uint32_t wrong[][2] = {{CONTROLLER, 0}, {CONTROLLER, IOMEM_MAX + 1},
                                 {CONTROLLER, UINT32_MAX}, {1u << 24, 1}, {(1u << 24) - 1, 2},
                                 {UINT32_MAX, 1}, {UINT32_MAX, 2}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        CHECK_EQUAL(machine_iomem_create(MACHINE, A, wrong[i][0], wrong[i][1]), E_ARGUMENT);
    }
    CHECK_EQUAL(machine_iomem_create(MACHINE, SLOT_TASK, CONTROLLER, 1), E_SLOT);
    CHECK_EQUAL(iomem_map(HANDLE(A), TASK, PAGE), E_HANDLE);
}

TEST(iomem_map_wrong, "it needs the right to map, room for all its pages, and is mapped but once") {
    world_begin();
    CHECK_EQUAL(machine_iomem_create(MACHINE, A, ROM, 3), OK);
    CHECK_EQUAL(task_handle_give(TASK, TASK, B, RIGHT_ALL & ~RIGHT_MAP, 0), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), HANDLE(B), PAGE), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, B), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), POOL, PAGE), E_TYPE);
    CHECK_EQUAL(iomem_map(HANDLE(A), HANDLE(200), PAGE), E_HANDLE);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(A), C, RIGHT_ALL & ~RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(iomem_map(HANDLE(C), TASK, PAGE), E_RIGHT);
    CHECK_EQUAL(iomem_unmap(HANDLE(C)), E_RIGHT);
    CHECK_EQUAL(iomem_destroy(HANDLE(C)), E_RIGHT);
    const uint32_t pages[] = {0, 0xf000, PAGE + 1, PAGE + 0x800, LAYOUT_KERNEL, 0xfffff000,
                              LAYOUT_KERNEL - 2 * PAGE_SIZE};
    for (uint32_t i = 0; i < ARRAY_LENGTH(pages); i++) {
        CHECK_EQUAL(iomem_map(HANDLE(A), TASK, pages[i]), E_ADDRESS);
    }
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, PAGE + 2 * PAGE_SIZE, MAP_READ, frame), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), TASK, PAGE), E_MAPPED);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), E_UNMAPPED);  // nothing of it was mapped
    CHECK_EQUAL(unmap_one(TASK, PAGE + 2 * PAGE_SIZE, NULL), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), TASK, PAGE), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), TASK, PAGE + 0x10000), E_STATE);
    CHECK_EQUAL(map_one(TASK, PAGE, MAP_READ, frame), E_MAPPED);
    CHECK_EQUAL(iomem_unmap(HANDLE(A)), OK);
    CHECK_EQUAL(iomem_unmap(HANDLE(A)), OK);  // wherever it is mapped: nowhere
    frame_put(frame);
    end(HANDLE(A));
    world_end();
}

TEST(iomem_no_memory, "a task that cannot pay for page tables gets nothing mapped") {
    struct pool_info_out info;
    struct pool_reap_out out = {1};
    world_begin();
    handle_t pool = pool_make(A, 40);
    CHECK_EQUAL(pool_task_create(pool, B, 5, 5, 50), OK);
    CHECK_EQUAL(machine_iomem_create(MACHINE, C, ROM, 2), OK);
    for (uint32_t left = 0; left < 3; left++) {  // directory and two tables are needed
        CHECK_EQUAL(pool_info(pool, &info), OK);
        kept_take(pool, info.reserved - info.used - left, FRAMES_ANY);
        uint32_t used = pool_used(pool);
        CHECK_EQUAL(iomem_map(HANDLE(C), HANDLE(B), PAGE + 0x1ff000), E_MEMORY);
        CHECK_EQUAL(pool_used(pool), used);
        kept_back(pool, info.reserved - info.used - left);
    }
    CHECK_EQUAL(iomem_map(HANDLE(C), HANDLE(B), PAGE + 0x1ff000), OK);
    while (out.left) {
        CHECK_EQUAL(pool_reap(pool, &out), OK);
    }
    CHECK_EQUAL(pool_destroy(pool), OK);
    end(HANDLE(C));
    world_end();
}

TEST(iomem, "a device's registers are read and written through the map, until it is taken away") {
    world_begin();
    CHECK_EQUAL(machine_iomem_create(MACHINE, A, CONTROLLER, 1), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), TASK, PAGE), OK);
    uint32_t version = controller_read(1);
    CHECK(version != 0 && version != UINT32_MAX && (version & 0xff) >= 0x11);
    uint32_t entry = controller_read(0x12);
    *(volatile uint32_t *)(PAGE + 0x10) = entry ^ 0x7f;  // a masked line's vector
    CHECK_EQUAL(controller_read(0x12), entry ^ 0x7f);
    CHECK_EQUAL(controller_read(1), version);
    CHECK_EQUAL(controller_read(0x12), entry ^ 0x7f);
    *(volatile uint32_t *)(PAGE + 0x10) = entry;
    struct task_protect_out changed;
    struct task_entries_read_out entries;
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), E_DENIED);
    message_buffer()->list[0] = (struct map_item){PAGE | MAP_READ, 0};
    CHECK_EQUAL(task_protect(TASK, 1, &changed), E_DENIED);
    CHECK_EQUAL(task_entries_read(TASK, PAGE, 1, &entries), OK);
    CHECK(entries.done == 0 || PAGE_DOWN(message_buffer()->list[0].page) != PAGE);
    end(HANDLE(A));
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), E_UNMAPPED);
    world_end();
}

static void read_page(struct actor *self) {
    self->result[0] = *(volatile uint32_t *)PAGE;
    raw_enter(HANDLE(SLOT_GIVEN) | OP_RECEIVE, 0, 0, 0, 0);
    self->result[1] = *(volatile uint32_t *)PAGE;
}

TEST(iomem_revoked, "when the object ends, who had it mapped faults at the next access") {
    static const char *const how[] = {"unmap", "destroy"};
    victim_begin();
    for (uint32_t i = 0; i < ARRAY_LENGTH(how); i++) {
        test_case(how[i]);
        struct actor *victim = victim_make(read_page);
        handle_t port = port_make(B, ACTOR_PRIORITY);
        actor_give(victim, port, 0, RIGHT_RECEIVE, 0);
        CHECK_EQUAL(machine_iomem_create(MACHINE, A, ROM, 16), OK);
        CHECK_EQUAL(iomem_map(HANDLE(A), victim->task, PAGE), OK);
        actor_start(victim, 0);
        CHECK(!actor_finished(victim));
        CHECK_EQUAL(i == 0 ? iomem_unmap(HANDLE(A)) : iomem_destroy(HANDLE(A)), OK);
        port_end(port);
        struct received received;
        victim_fault(&received, LABEL_fault_read, PAGE);
        actor_end(victim);
        CHECK_EQUAL(iomem_destroy(HANDLE(A)), i == 0 ? OK : E_HANDLE);
    }
    victim_end();
}

TEST(iomem_task_ends, "a task that ends lets go of the memory, which may then be mapped elsewhere") {
    world_begin();
    CHECK_EQUAL(machine_iomem_create(MACHINE, A, ROM, 4), OK);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(pool_task_create(POOL, B, 5, 5, 50), OK);
        CHECK_EQUAL(iomem_map(HANDLE(A), HANDLE(B), PAGE + i * 0x1ff000), OK);
        struct task_info_out info;
        CHECK_EQUAL(task_info(HANDLE(B), &info), OK);
        CHECK_EQUAL(info.mapped, 4);
        if (i == 2) {
            CHECK_EQUAL(task_kill(HANDLE(B), CAUSE_KILLED), OK);
            CHECK_EQUAL(iomem_unmap(HANDLE(A)), OK);
            CHECK_EQUAL(iomem_map(HANDLE(A), HANDLE(B), PAGE), E_STATE);
        }
        struct task_destroy_out out = {1};
        while (out.left > 0) {
            CHECK_EQUAL(task_destroy(HANDLE(B), &out), OK);
        }
    }
    end(HANDLE(A));
    world_end();
}
