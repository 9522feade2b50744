// SPDX-License-Identifier: MIT
// Kernel objects: arguments that are refused, rights and slots, life and end of each type, and that
// frame_check() can fail.
#include "world.h"

enum { A = SLOT_TEST + 10, B, C, D };
#define GIVEN HANDLE(SLOT_GIVEN)

// rounds=N on the command line; with frame_check() at each entry ten thousand would take minutes.
static uint32_t rounds(void) {
    return option_number("rounds=", option_given("check=") ? 200 : 10000);
}

static struct machine_info_out machine(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info;
}

// --- creation ------------------------------------------------------------------------------------

TEST(slots_wrong, "a new handle needs an empty slot of the table") {
    const uint32_t slots[] = {0, SLOT_TASK, SLOT_COUNT, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(slots); i++) {
        CHECK_EQUAL(pool_event_create(POOL, slots[i]), E_SLOT);
        CHECK_EQUAL(pool_timer_create(POOL, slots[i]), E_SLOT);
        CHECK_EQUAL(pool_port_create(POOL, slots[i], 5), E_SLOT);
        CHECK_EQUAL(pool_task_create(POOL, slots[i], 5, 5, 50), E_SLOT);
        CHECK_EQUAL(pool_create(POOL, slots[i], 1, 0, 8), E_SLOT);
        CHECK_EQUAL(task_thread_create(TASK, slots[i], 0x50000000, 5), E_SLOT);
        CHECK_EQUAL(task_handle_give(TASK, TASK, slots[i], 0, 0), E_SLOT);
        CHECK_EQUAL(machine_irq_create(MACHINE, slots[i], 9), E_SLOT);
        CHECK_EQUAL(machine_ports_create(MACHINE, slots[i], 0x80, 1), E_SLOT);
    }
}

TEST(task_create_wrong, "rank, ceiling and badge of a task are checked; badge 1 is init's alone") {
    CHECK_EQUAL(pool_task_create(POOL, A, 32, 5, 50), E_ARGUMENT);
    CHECK_EQUAL(pool_task_create(POOL, A, UINT32_MAX, 5, 50), E_ARGUMENT);
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 32, 50), E_ARGUMENT);
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 0), E_ARGUMENT);
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 1), E_ARGUMENT);
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 65536), E_ARGUMENT);
    CHECK_EQUAL(pool_port_create(POOL, A, 32), E_ARGUMENT);
    CHECK_EQUAL(pool_port_create(POOL, A, UINT32_MAX), E_ARGUMENT);
    CHECK(slot_empty(A));
}

TEST(thread_create_wrong, "a thread's buffer page and priority are checked") {
    world_begin();
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 7, 50), OK);
    handle_t task = HANDLE(A);
    const uint32_t pages[] = {0, 0x1000, 0xf000, 0x50000001, LAYOUT_KERNEL, 0xfffff000};
    for (uint32_t i = 0; i < ARRAY_LENGTH(pages); i++) {
        CHECK_EQUAL(task_thread_create(task, B, pages[i], 5), E_ADDRESS);
    }
    CHECK_EQUAL(task_thread_create(task, B, LAYOUT_BUFFER, 8), E_ARGUMENT);
    CHECK_EQUAL(task_thread_create(task, B, LAYOUT_BUFFER, 7), OK);
    CHECK_EQUAL(task_thread_create(task, C, LAYOUT_BUFFER, 7), E_MAPPED);
    CHECK_EQUAL(thread_resume(HANDLE(B)), E_STATE);  // never started
    CHECK_EQUAL(task_kill(task, 3), E_ARGUMENT);
    CHECK_EQUAL(task_kill(task, CAUSE_EXIT), OK);
    CHECK_EQUAL(task_thread_create(task, C, 0x50000000, 5), E_STATE);
    CHECK_EQUAL(thread_start(HANDLE(B), 0, 0, 0), E_STATE);
    CHECK_EQUAL(thread_resume(HANDLE(B)), E_STATE);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(task, 0x50000000, MAP_READ, frame), E_STATE);
    frame_put(frame);
    struct task_destroy_out out;
    CHECK_EQUAL(task_destroy(task, &out), OK);
    CHECK_EQUAL(out.left, 0);
    CHECK(slot_empty(A) && slot_empty(B));
    world_end();
}

// --- handles -------------------------------------------------------------------------------------

TEST(give_wrong, "a handle is given with equal or fewer rights, its badge only once, by rank") {
    world_begin();
    handle_t event = event_make(A);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(200), B, 0, 0), E_HANDLE);
    CHECK_EQUAL(task_handle_give(TASK, event, B, 256, 0), E_RIGHT);
    CHECK_EQUAL(task_handle_give(TASK, event, B, UINT32_MAX, 0), E_RIGHT);
    CHECK_EQUAL(task_handle_give(TASK, event, B, RIGHT_SIGNAL | RIGHT_GRANT, 3), OK);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(B), C, RIGHT_SIGNAL, 4), E_ARGUMENT);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(B), C, RIGHT_CONTROL, 3), E_RIGHT);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(B), C, RIGHT_SIGNAL, 3), OK);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(C), D, RIGHT_SIGNAL, 3), E_RIGHT);  // no GRANT
    CHECK_EQUAL(event_destroy(HANDLE(B)), E_RIGHT);
    handle_t low = port_make(D, 20);  // not above the test's rank
    CHECK_EQUAL(raw_error(low, 0x2001), E_RIGHT);
    CHECK_EQUAL(task_handle_give(TASK, low, D + 1, RIGHT_CALL, 0), E_RANK);
    CHECK_EQUAL(task_handle_give(TASK, low, D + 1, RIGHT_RECEIVE, 0), OK);
    port_end(low);
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK(slot_empty(A) && slot_empty(B) && slot_empty(C) && slot_empty(D) && slot_empty(D + 1));
    world_end();
}

TEST(drop, "a slot is emptied by its task, or by who controls the task") {
    world_begin();
    handle_t event = event_make(A);
    CHECK_EQUAL(pool_task_create(POOL, B, 5, 7, 50), OK);
    CHECK_EQUAL(task_handle_give(HANDLE(B), event, 9, RIGHT_SIGNAL, 3), OK);
    CHECK_EQUAL(task_handle_give(HANDLE(B), event, 9, RIGHT_SIGNAL, 3), E_SLOT);
    CHECK_EQUAL(task_handle_drop(TASK, 0), E_SLOT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_COUNT), E_SLOT);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(B), C, RIGHT_CALL, 0), OK);
    CHECK_EQUAL(task_handle_drop(HANDLE(C), 9), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(HANDLE(B), 9), OK);
    CHECK_EQUAL(task_handle_give(HANDLE(B), event, 9, RIGHT_SIGNAL, 3), OK);
    CHECK_EQUAL(task_handle_drop(TASK, C), OK);
    CHECK(slot_empty(C));
    struct task_destroy_out out;
    CHECK_EQUAL(task_destroy(HANDLE(B), &out), OK);
    CHECK_EQUAL(event_destroy(event), OK);
    world_end();
}

// --- life and end --------------------------------------------------------------------------------

static void round_event(void) {
    CHECK_EQUAL(pool_event_create(POOL, A), OK);
    CHECK_EQUAL(event_destroy(HANDLE(A)), OK);
}
static void round_timer(void) {
    CHECK_EQUAL(pool_timer_create(POOL, A), OK);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 100, WORLD_EVENT, 0), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
}
static void round_port(void) {
    CHECK_EQUAL(pool_port_create(POOL, A, 25), OK);
    port_end(HANDLE(A));
}
static void round_pool(void) {
    CHECK_EQUAL(pool_create(POOL, A, 10, 5, 8), OK);
    CHECK_EQUAL(pool_event_create(HANDLE(A), B), OK);
    CHECK_EQUAL(event_destroy(HANDLE(B)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(A)), OK);
}
static void round_thread(void) {
    CHECK_EQUAL(task_thread_create(TASK, A, 0x50000000, 5), OK);
    CHECK_EQUAL(thread_destroy(HANDLE(A)), OK);
}
static void round_task(void) {
    struct task_destroy_out out;
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
    CHECK_EQUAL(task_thread_create(HANDLE(A), B, LAYOUT_BUFFER, 5), OK);
    CHECK_EQUAL(task_destroy(HANDLE(A), &out), OK);
    CHECK_EQUAL(out.left, 0);
}
static void round_notice(void) {
    struct task_destroy_out out;
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
    CHECK_EQUAL(task_death_event(HANDLE(A), WORLD_EVENT, 0), OK);
    CHECK_EQUAL(task_destroy(HANDLE(A), &out), OK);
    CHECK_EQUAL(out.left, 0);
}
static void round_ports(void) {
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 0x80, 1), OK);
    CHECK_EQUAL(ports_destroy(HANDLE(A)), OK);
}
static void round_iomem(void) {
    CHECK_EQUAL(machine_iomem_create(MACHINE, A, 0xb8, 2), OK);
    CHECK_EQUAL(iomem_map(HANDLE(A), TASK, 0x50000000), OK);
    CHECK_EQUAL(iomem_destroy(HANDLE(A)), OK);
}
static void round_irq(void) {
    CHECK_EQUAL(machine_irq_create(MACHINE, A, 5), OK);
    CHECK_EQUAL(irq_bind(HANDLE(A), WORLD_EVENT, 1u << 16), OK);
    CHECK_EQUAL(irq_destroy(HANDLE(A)), OK);
}

TEST(rounds, "many objects of each type come and go, and every count returns") {
    static const struct {
        const char *name;
        void (*run)(void);
    } kinds[] = {{"event", round_event},   {"timer", round_timer}, {"port", round_port},
                 {"pool", round_pool},     {"task", round_task},   {"thread", round_thread},
                 {"irq", round_irq},       {"ports", round_ports}, {"notice", round_notice},
                 {"iomem", round_iomem}};
    world_begin();
    for (uint32_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
        test_case(kinds[kind].name);
        struct machine_info_out before = machine();
        for (uint32_t left = rounds(); left > 0; left--) {
            kinds[kind].run();
        }
        struct task_tables_trim_out trimmed;
        CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
        CHECK_EQUAL(machine().objects, before.objects);
        CHECK_EQUAL(machine().frames_free, before.frames_free);
    }
    world_end();
}

TEST(stale, "a handle to what has ended never names what came after it in the same slot") {
    world_begin();
    CHECK_EQUAL(pool_event_create(POOL, A), OK);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(A), B, RIGHT_ALL, 0), OK);
    CHECK_EQUAL(event_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(pool_timer_create(POOL, A), OK);  // takes the object slot that was freed
    CHECK_EQUAL(ipc_signal(HANDLE(B)), E_HANDLE);
    CHECK_EQUAL(timer_cancel(HANDLE(B)), E_HANDLE);
    CHECK_EQUAL(timer_cancel(HANDLE(A)), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
    world_end();
}

TEST(stale_many, "in thousands of lives of an object slot no handle to an earlier one comes alive") {
    enum { KEPT = 100 };
    world_begin();
    for (uint32_t i = 0; i < (option_given("check=") ? 500 : 20000); i++) {
        uint32_t slot = C + i % KEPT;
        if (i >= KEPT) {
            CHECK(slot_empty(slot));
            CHECK_EQUAL(timer_cancel(HANDLE(slot)), E_HANDLE);
            CHECK_EQUAL(task_handle_drop(TASK, slot), OK);
        }
        CHECK_EQUAL(pool_timer_create(POOL, A), OK);  // the same object slot each time
        CHECK_EQUAL(task_handle_give(TASK, HANDLE(A), slot, RIGHT_ALL, 0), OK);
        CHECK_EQUAL(timer_cancel(HANDLE(slot)), OK);
        CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
    }
    CHECK_EQUAL(pool_timer_create(POOL, A), OK);
    for (uint32_t slot = C; slot < C + KEPT; slot++) {
        CHECK(slot_empty(slot));
        CHECK_EQUAL(task_handle_drop(TASK, slot), OK);
    }
    CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
    world_end();
}

TEST(task_slices, "a big task is taken down in slices, and the last one says so") {
    enum { THREADS = 30, TABLES = 20 };
    struct task_destroy_out out;
    world_begin();
    CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
    frame_t frame = frame_get();
    for (uint32_t i = 0; i < THREADS; i++) {
        CHECK_EQUAL(task_thread_create(HANDLE(A), D + i, 0x50000000 + i * PAGE_SIZE, 5), OK);
    }
    for (uint32_t i = 0; i < TABLES; i++) {
        CHECK_EQUAL(map_one(HANDLE(A), 0x60000000 + i * 0x200000u, MAP_READ, frame), OK);
    }
    uint32_t slices = 0, before = UINT32_MAX;
    do {
        CHECK_EQUAL(task_destroy(HANDLE(A), &out), OK);
        CHECK(out.left < before);
        before = out.left;
        slices++;
    } while (out.left > 0);
    CHECK(slices > 2);
    CHECK_EQUAL(task_destroy(HANDLE(A), &out), E_HANDLE);
    for (uint32_t i = 0; i < THREADS; i++) {
        CHECK(slot_empty(D + i));
    }
    frame_put(frame);
    world_end();
}

TEST(death, "the end of a task is told once, with its cause") {
    struct task_info_out info;
    struct received received;
    world_begin();
    for (uint32_t cause = 0; cause <= CAUSE_KILLED; cause++) {
        CHECK_EQUAL(pool_task_create(POOL, A, 5, 5, 50), OK);
        CHECK_EQUAL(task_death_event(HANDLE(A), WORLD_EVENT, 1u << 17), OK);
        CHECK_EQUAL(task_kill(HANDLE(A), cause), OK);
        ipc_poll(0, &received);
        CHECK_EQUAL(received.tag, LABEL_EVENT);
        CHECK_EQUAL(received.word[0], 1u << 17);
        CHECK_EQUAL(task_kill(HANDLE(A), CAUSE_EXIT), OK);
        ipc_poll(0, &received);
        CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
        CHECK_EQUAL(task_info(HANDLE(A), &info), OK);
        CHECK_EQUAL(info.cause, cause);
        CHECK_EQUAL(info.state, TASK_STATE_DEAD);
        struct task_destroy_out out;
        CHECK_EQUAL(task_destroy(HANDLE(A), &out), OK);
    }
    world_end();
}

TEST(thread_states, "a running thread cannot be started; registers and state can be read") {
    struct thread_registers_out registers;
    struct thread_tls_out tls;
    world_begin();
    handle_t port = port_make(A, 25);
    struct actor *waiter = task_make(POOL, 10, actor_receives);
    actor_give(waiter, port, 0, RIGHT_RECEIVE, 0);
    actor_start(waiter, 0);
    CHECK_EQUAL(thread_start(waiter->thread, 0, 0, 0), E_STATE);
    CHECK_EQUAL(thread_resume(waiter->thread), E_STATE);
    CHECK(!actor_finished(waiter));
    CHECK_EQUAL(thread_start(waiter->thread, 0, 0, 0), E_STATE);
    CHECK_EQUAL(thread_registers(waiter->thread, &registers), OK);
    CHECK_EQUAL(registers.eax, GIVEN | OP_RECEIVE);
    CHECK_EQUAL(registers.state, 4);  // receiving
    CHECK_EQUAL(task_handle_give(TASK, waiter->thread, B, RIGHT_CALL, 0), OK);
    CHECK_EQUAL(thread_tls(HANDLE(B), 0, &tls), E_RIGHT);
    CHECK_EQUAL(thread_event(HANDLE(B), WORLD_EVENT), E_RIGHT);
    CHECK_EQUAL(thread_suspend(HANDLE(B)), E_RIGHT);
    CHECK_EQUAL(thread_destroy(HANDLE(B)), E_RIGHT);
    actor_end(waiter);
    port_end(port);
    world_end();
}

// --- frame_check() can fail ----------------------------------------------------------------------

static void plant_each(frame_t frame) {
    for (uint32_t law = LAW_frame_exists; law <= LAW_LAST; law++) {
        struct machine_check_out check;
        CHECK_EQUAL(machine_plant(MACHINE, law, frame), OK);
        CHECK_EQUAL(machine_check(MACHINE, &check), OK);
        CHECK(check.violations > 0);
        CHECK_EQUAL(check.law, law);
        CHECK_EQUAL(machine_plant(MACHINE, law, frame), OK);
        CHECK_EQUAL(machine_check(MACHINE, &check), OK);
        CHECK_EQUAL(check.violations, 0);
    }
}

TEST(plants, "frame_check() finds each law that is broken on purpose, and names it") {
    if (option_given("check=")) {
        SKIP("the kernel checks itself, and would stop");
    }
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(machine_plant(MACHINE, LAW_map_count, UINT32_MAX), E_ARGUMENT);
    CHECK_EQUAL(machine_plant(MACHINE, 0, frame), E_ARGUMENT);
    CHECK_EQUAL(machine_plant(MACHINE, LAW_LAST + 1, frame), E_ARGUMENT);
    CHECK_EQUAL(machine_plant(MACHINE, LAW_owner, 0), E_STATE);
    plant_each(frame);
    frame_put(frame);
    world_end();
}
