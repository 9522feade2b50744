// SPDX-License-Identifier: MIT
#include "crowd.h"
#include "../../tests/guest/world.h"

enum { SLOT_POOL_CROWD = 240, SLOT_PORT_CROWD, SLOT_TASK_CROWD, SLOT_THREAD_CROWD };
enum { RANK = 10, CEILING = 15, PORT_RANK = 25, FRAMES_EACH = 32 };
#define BUFFERS 0x70000000u
#define CROWD_POOL HANDLE(SLOT_POOL_CROWD)
#define CROWD_PORT HANDLE(SLOT_PORT_CROWD)
#define CROWD_TASK HANDLE(SLOT_TASK_CROWD)
#define CROWD_THREAD HANDLE(SLOT_THREAD_CROWD)

// All that a member of the crowd does: it waits for a message that never comes. It has no stack.
__attribute__((naked, noreturn)) static void crowd_main(void) {
    __asm__ volatile("mov %0, %%eax\n\tmov %%esp, %%ecx\n\tmov $1f, %%edx\n\tsysenter\n"
                     "1:\n\tjmp crowd_main"
                     :
                     : "i"(HANDLE(SLOT_GIVEN) | OP_RECEIVE));
}

static void task_add(void) {
    vaddr_t page = PAGE_DOWN((uint32_t)(uintptr_t)crowd_main);
    struct task_entries_read_out read;
    CHECK_EQUAL(pool_task_create(CROWD_POOL, SLOT_TASK_CROWD, RANK, CEILING, 7), OK);
    CHECK_EQUAL(task_entries_read(TASK, page, 2, &read), OK);
    CHECK_EQUAL(read.done, 2);  // the code may cross a page's end
    frame_t frame[2] = {ITEM_FRAME(message_buffer()->list[0]), ITEM_FRAME(message_buffer()->list[1])};
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(map_one(CROWD_TASK, page + i * PAGE_SIZE, MAP_READ | MAP_EXECUTE, frame[i]), OK);
    }
    CHECK_EQUAL(task_handle_give(CROWD_TASK, CROWD_PORT, SLOT_GIVEN, RIGHT_RECEIVE, 0), OK);
}

static void thread_add(vaddr_t buffer) {
    CHECK_EQUAL(task_thread_create(CROWD_TASK, SLOT_THREAD_CROWD, buffer, CEILING), OK);
    CHECK_EQUAL(thread_start(CROWD_THREAD, (uint32_t)(uintptr_t)crowd_main, 0, 0), OK);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_THREAD_CROWD), OK);
}

void crowd_make(void) {
    uint32_t threads = option_number("threads=", 0), tasks = option_number("tasks=", 0);
    uint32_t count = threads + tasks;
    if (count == 0) {
        return;
    }
    CHECK_EQUAL(pool_create(POOL, SLOT_POOL_CROWD, count * FRAMES_EACH, count * FRAMES_EACH / 2,
                            threads + 2 * tasks + 8), OK);
    CHECK_EQUAL(pool_port_create(CROWD_POOL, SLOT_PORT_CROWD, PORT_RANK), OK);
    for (uint32_t i = 0; i < tasks; i++) {
        task_add();
        thread_add(LAYOUT_BUFFER);
        CHECK_EQUAL(task_handle_drop(TASK, SLOT_TASK_CROWD), OK);
    }
    if (threads > 0) {
        task_add();
    }
    for (uint32_t i = 0; i < threads; i++) {
        thread_add(BUFFERS + i * PAGE_SIZE);
    }
    world_begin();
    world_settle();
    world_end();
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    CHECK(info.objects > threads + 2 * tasks);
    note_number("crowd ", count);
}

void crowd_end(void) {
    if (!option_given("threads=") && !option_given("tasks=")) {
        return;
    }
    struct task_destroy_out left = {1};
    while (task_destroy(CROWD_TASK, &left) == OK && left.left > 0) {
    }
    struct pool_reap_out reaped = {1};
    while (reaped.left > 0) {
        CHECK_EQUAL(pool_reap(CROWD_POOL, &reaped), OK);
    }
    CHECK_EQUAL(pool_destroy(CROWD_POOL), OK);
    (void)!task_handle_drop(TASK, SLOT_TASK_CROWD);
}
