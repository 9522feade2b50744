// SPDX-License-Identifier: MIT
// Kernel objects: arguments that are refused, rights and slots, life and end of each type, timers,
// interrupts, I/O ports, the trace ring, and that frame_check() can fail.
#include "boot.h"
#include "trace.h"
#include "world.h"

enum { A = SLOT_TEST + 10, B, C, D };
#define GIVEN HANDLE(SLOT_GIVEN)

// frame_check() at each entry makes ten thousand rounds take minutes.
static uint32_t rounds(void) {
    return option_given("check=") ? 200 : 10000;
}

static struct machine_info_out machine(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info;
}

static bool slot_empty(uint32_t slot) {
    return raw_error(HANDLE(slot), TAG_ERROR(E_IO)) == E_HANDLE;
}

// --- creation ------------------------------------------------------------------------------------

TEST(slots_wrong, "a new handle needs an empty slot of the table") {
    const uint32_t slots[] = {0, SLOT_TASK, SLOT_COUNT, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(slots); i++) {
        CHECK_EQUAL(pool_event_create(POOL, slots[i]), E_SLOT);
        CHECK_EQUAL(pool_timer_create(POOL, slots[i]), E_SLOT);
        CHECK_EQUAL(pool_port_create(POOL, slots[i], 5), E_SLOT);
        CHECK_EQUAL(pool_task_create(POOL, slots[i], 5, 5, 50), E_SLOT);
        CHECK_EQUAL(pool_create(POOL, slots[i], 1, 0), E_SLOT);
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
    CHECK_EQUAL(pool_create(POOL, A, 10, 5), OK);
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
static void round_irq(void) {
    CHECK_EQUAL(machine_irq_create(MACHINE, A, 5), OK);
    CHECK_EQUAL(irq_bind(HANDLE(A), WORLD_EVENT, 1u << 16), OK);
    CHECK_EQUAL(irq_destroy(HANDLE(A)), OK);
}

TEST(rounds, "ten thousand objects of each type come and go, and every count returns") {
    static const struct {
        const char *name;
        void (*run)(void);
    } kinds[] = {{"event", round_event},   {"timer", round_timer}, {"port", round_port},
                 {"pool", round_pool},     {"task", round_task},   {"thread", round_thread},
                 {"irq", round_irq}};
    world_begin();
    for (uint32_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
        test_case(kinds[kind].name);
        struct machine_info_out before = machine();
        for (uint32_t i = 0; i < rounds(); i++) {
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

TEST(pools, "a pool's reservation comes from its parent and returns; what is in use stays") {
    struct pool_info_out info, before;
    world_begin();
    CHECK_EQUAL(pool_info(POOL, &before), OK);
    uint32_t room = before.reserved - before.used - before.split;
    CHECK_EQUAL(pool_create(POOL, A, room + 1, 0), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, UINT32_MAX, 0), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 10, 11), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 10, UINT32_MAX), E_MEMORY);
    CHECK_EQUAL(pool_create(POOL, A, 100, 50), OK);
    CHECK_EQUAL(pool_create(HANDLE(A), B, 101, 0), E_MEMORY);
    CHECK_EQUAL(pool_create(HANDLE(A), B, 50, 0), OK);
    CHECK_EQUAL(pool_info(HANDLE(A), &info), OK);
    CHECK_EQUAL(info.split, 50);
    CHECK_EQUAL(info.low_reserved, 50);
    CHECK_EQUAL(pool_destroy(HANDLE(A)), E_STATE);
    CHECK_EQUAL(pool_event_create(HANDLE(B), C), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(B)), E_STATE);
    CHECK_EQUAL(event_destroy(HANDLE(C)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(B)), OK);
    CHECK_EQUAL(pool_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(pool_destroy(POOL), E_STATE);
    CHECK_EQUAL(pool_info(POOL, &info), OK);
    CHECK_EQUAL(info.split, before.split);
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

static void wait_for_nothing(struct actor *self) {
    (void)self;
    struct received received;
    ipc_receive(GIVEN, &received);
}

TEST(thread_states, "a running thread cannot be started; registers and state can be read") {
    struct thread_registers_out registers;
    struct thread_tls_out tls;
    world_begin();
    handle_t port = port_make(A, 25);
    struct actor *waiter = task_make(POOL, 10, wait_for_nothing);
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

// --- timers --------------------------------------------------------------------------------------

TEST(timer_wrong, "a timer needs an event that may be signalled, and a time that fits") {
    world_begin();
    CHECK_EQUAL(pool_timer_create(POOL, A), OK);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 0, HANDLE(200), 1), E_HANDLE);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 0, TASK, 1), E_TYPE);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 1u << 20, WORLD_EVENT, 1), E_ARGUMENT);
    CHECK_EQUAL(timer_set(HANDLE(A), UINT32_MAX, UINT32_MAX, WORLD_EVENT, 1), E_ARGUMENT);
    CHECK_EQUAL(timer_set(HANDLE(A), UINT32_MAX, (1u << 20) - 1, WORLD_EVENT, 1), OK);
    CHECK_EQUAL(timer_cancel(HANDLE(A)), OK);
    CHECK_EQUAL(timer_cancel(HANDLE(A)), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
    world_end();
}

static uint32_t bits_next(void) {
    struct received received;
    ipc_receive(0, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    return received.word[0];
}

TEST(timers, "timers fire in the order of their times; set again replaces, cancel forgets") {
    enum { MS = 1000000, EARLY = 1 << 16, LATE = 1 << 17, NEVER = 1 << 18 };
    world_begin();
    for (uint32_t slot = A; slot <= C; slot++) {
        CHECK_EQUAL(pool_timer_create(POOL, slot), OK);
    }
    CHECK_EQUAL(timer_set(HANDLE(A), 150 * MS, 0, WORLD_EVENT, LATE), OK);
    CHECK_EQUAL(timer_set(HANDLE(B), 110 * MS, 0, WORLD_EVENT, NEVER), OK);
    CHECK_EQUAL(timer_set(HANDLE(B), 2 * MS, 0, WORLD_EVENT, EARLY), OK);
    CHECK_EQUAL(timer_set(HANDLE(C), 120 * MS, 0, WORLD_EVENT, NEVER), OK);
    CHECK_EQUAL(timer_cancel(HANDLE(C)), OK);
    uint32_t bits = bits_next();
    CHECK(bits & EARLY);
    bits |= bits & LATE ? 0 : bits_next();
    CHECK_EQUAL(bits & (EARLY | LATE | NEVER), EARLY | LATE);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 0, WORLD_EVENT, EARLY), OK);
    CHECK_EQUAL(bits_next(), EARLY);
    for (uint32_t slot = A; slot <= C; slot++) {
        CHECK_EQUAL(timer_destroy(HANDLE(slot)), OK);
    }
    world_end();
}

TEST(timer_ends, "a timer that ends does not fire; one whose event ended fires into nothing") {
    enum { MS = 1000000 };
    world_begin();
    handle_t event = event_make(D);
    CHECK_EQUAL(pool_timer_create(POOL, A), OK);
    CHECK_EQUAL(pool_timer_create(POOL, B), OK);
    CHECK_EQUAL(timer_set(HANDLE(A), MS, 0, event, 1), OK);
    CHECK_EQUAL(timer_set(HANDLE(B), MS, 0, WORLD_EVENT, 1u << 16), OK);
    CHECK_EQUAL(event_destroy(event), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(B)), OK);
    world_pause(10);
    CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
    world_end();
}

TEST(clock, "the clock runs on, and a pause takes at least its time") {
    struct machine_clock_out before, after;
    world_begin();
    CHECK_EQUAL(machine_clock(MACHINE, &before), OK);
    world_pause(20);
    CHECK_EQUAL(machine_clock(MACHINE, &after), OK);
    uint64_t passed = ((uint64_t)after.ns_high << 32 | after.ns_low) -
                      ((uint64_t)before.ns_high << 32 | before.ns_low);
    CHECK(passed >= 20000000);
    world_end();
}

// --- devices -------------------------------------------------------------------------------------

TEST(irq_wrong, "an interrupt line belongs to one; the kernel's own are not to be had") {
    world_begin();
    const uint32_t lines[] = {0, 2, 16, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        CHECK_EQUAL(machine_irq_create(MACHINE, A, lines[i]), E_ARGUMENT);
    }
    CHECK_EQUAL(machine_irq_create(MACHINE, A, 5), OK);
    CHECK_EQUAL(machine_irq_create(MACHINE, B, 5), E_STATE);
    CHECK_EQUAL(irq_bind(HANDLE(A), TASK, 1), E_TYPE);
    CHECK_EQUAL(irq_bind(HANDLE(A), HANDLE(200), 1), E_HANDLE);
    CHECK_EQUAL(irq_destroy(HANDLE(A)), OK);
    world_end();
}

// The serial line interrupts (line 4) as long as its transmitter is empty and register 1 says 2.
TEST(irq, "an interrupt sets its bits once, and again only after it was acknowledged") {
    struct received received;
    world_begin();
    CHECK_EQUAL(machine_ports_create(MACHINE, B, 0x3f8, 8), OK);
    CHECK_EQUAL(ports_out(HANDLE(B), 4, 1, 0x0b), OK);
    CHECK_EQUAL(machine_irq_create(MACHINE, A, 4), OK);
    CHECK_EQUAL(irq_bind(HANDLE(A), WORLD_EVENT, 1u << 16), OK);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(ports_out(HANDLE(B), 1, 1, 2), OK);
        CHECK_EQUAL(bits_next(), 1u << 16);
        CHECK_EQUAL(ports_out(HANDLE(B), 1, 1, 0), OK);
        CHECK_EQUAL(ports_out(HANDLE(B), 1, 1, 2), OK);  // fires again: but the line is masked
        world_settle();
        ipc_poll(0, &received);
        CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
        CHECK_EQUAL(irq_ack(HANDLE(A)), OK);
        CHECK_EQUAL(bits_next(), 1u << 16);
        CHECK_EQUAL(ports_out(HANDLE(B), 1, 1, 0), OK);
        CHECK_EQUAL(irq_ack(HANDLE(A)), OK);
        ipc_poll(0, &received);  // what was under way when it was switched off
    }
    CHECK_EQUAL(irq_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(raw_error(HANDLE(A), LABEL_irq_ack), E_HANDLE);
    CHECK_EQUAL(ports_destroy(HANDLE(B)), OK);
    world_end();
}

TEST(ports_wrong, "I/O stays inside its range, in widths that there are, and batches are checked") {
    struct ports_in_out in;
    struct ports_batch_out done;
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 0x10000, 1), E_ARGUMENT);
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 0xffff, 2), E_ARGUMENT);
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 0x80, 0), E_ARGUMENT);
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 1, UINT32_MAX), E_ARGUMENT);
    handle_t ports = HANDLE(60);  // the serial line: 8 ports
    const uint32_t widths[] = {0, 3, 5, 8, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LENGTH(widths); i++) {
        CHECK_EQUAL(ports_in(ports, 7, widths[i], &in), E_ARGUMENT);
        CHECK_EQUAL(ports_out(ports, 7, widths[i], 0), E_ARGUMENT);
    }
    const uint32_t beyond[][2] = {{8, 1}, {7, 2}, {5, 4}, {UINT32_MAX, 1}, {UINT32_MAX - 1, 4}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(beyond); i++) {
        CHECK_EQUAL(ports_in(ports, beyond[i][0], beyond[i][1], &in), E_ADDRESS);
        CHECK_EQUAL(ports_out(ports, beyond[i][0], beyond[i][1], 0), E_ADDRESS);
    }
    CHECK_EQUAL(ports_out_bytes(ports, 8, 1), E_ADDRESS);
    CHECK_EQUAL(ports_out_bytes(ports, 7, PAGE_SIZE + 1), E_ARGUMENT);
    CHECK_EQUAL(ports_batch(ports, 0, &done), E_ARGUMENT);
    CHECK_EQUAL(ports_batch(ports, LIST_MAX + 1, &done), E_ARGUMENT);
    CHECK_EQUAL(ports_out(ports, 7, 1, 0x11), OK);
    message_buffer()->list[0] = (struct map_item){7 | 1u << 16 | 1u << 24, 0x5a};
    message_buffer()->list[1] = (struct map_item){8 | 1u << 16, 0};
    CHECK_EQUAL(ports_batch(ports, 2, &done), E_ADDRESS);
    CHECK_EQUAL(ports_in(ports, 7, 1, &in), OK);
    CHECK_EQUAL(in.value, 0x11);  // nothing of the batch was done
}

TEST(ports, "single, byte-wise and batched I/O reach the device") {
    struct ports_in_out in;
    struct ports_batch_out done;
    handle_t ports = HANDLE(60);  // register 7 of the serial line keeps what is written
    for (uint32_t value = 1; value < 256; value *= 3) {
        CHECK_EQUAL(ports_out(ports, 7, 1, value), OK);
        CHECK_EQUAL(ports_in(ports, 7, 1, &in), OK);
        CHECK_EQUAL(in.value, value);
    }
    message_buffer()->bytes[0] = 0x21;
    message_buffer()->bytes[1] = 0x22;
    CHECK_EQUAL(ports_out_bytes(ports, 7, 2), OK);
    CHECK_EQUAL(ports_in(ports, 7, 1, &in), OK);
    CHECK_EQUAL(in.value, 0x22);
    message_buffer()->list[0] = (struct map_item){7 | 1u << 16 | 1u << 24, 0x5a};
    message_buffer()->list[1] = (struct map_item){7 | 1u << 16, 0};
    CHECK_EQUAL(ports_batch(ports, 2, &done), OK);
    CHECK_EQUAL(done.done, 2);
    CHECK_EQUAL(message_buffer()->list[1].frame, 0x5a);
}

// --- frame_check() can fail ----------------------------------------------------------------------

TEST(plants, "frame_check() finds each kind of fault planted into the frame table") {
    struct machine_check_out check;
    struct machine_plant_out undo;
    if (option_given("check=")) {
        SKIP("the kernel checks itself, and would stop");
    }
    world_begin();
    frame_t frame = frame_get();
    CHECK_EQUAL(machine_plant(MACHINE, 0, UINT32_MAX, &undo), E_ARGUMENT);
    uint32_t kind = 0;
    for (;; kind++) {
        error_t error = machine_plant(MACHINE, kind, frame, &undo);
        if (error != OK) {
            CHECK_EQUAL(error, E_ARGUMENT);
            break;
        }
        CHECK_EQUAL(machine_check(MACHINE, &check), OK);
        CHECK(check.violations > 0);
        CHECK_EQUAL(machine_plant(MACHINE, undo.undo, frame, &undo), OK);
        CHECK_EQUAL(machine_check(MACHINE, &check), OK);
        CHECK_EQUAL(check.violations, 0);
    }
    CHECK(kind >= 6);
    frame_put(frame);
    world_end();
}

// --- the trace ring ------------------------------------------------------------------------------

#define RING 0x70000000u
#define RECORDS 64u
#define TRACE_BIT (1u << 24)
static frame_t ring_frame[2];

static struct trace_header *header(void) {
    return (struct trace_header *)RING;
}
static const struct trace_record *record(uint32_t index) {
    return (const struct trace_record *)(RING + PAGE_SIZE) + index % RECORDS;
}

static void ring_list(void) {
    message_buffer()->list[0] = (struct map_item){0, ring_frame[0] << 8};
    message_buffer()->list[1] = (struct map_item){0, ring_frame[1] << 8};
}

static void ring_begin(void) {
    world_begin();
    for (uint32_t i = 0; i < 2; i++) {
        ring_frame[i] = frame_get();
        CHECK_EQUAL(map_one(TASK, RING + i * PAGE_SIZE, MAP_READ | MAP_WRITE, ring_frame[i]), OK);
    }
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, WORLD_EVENT, TRACE_BIT), OK);
}

static void ring_end(void) {
    struct trace_control_out old;
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(unmap_one(TASK, RING + i * PAGE_SIZE, NULL), OK);
        frame_put(ring_frame[i]);
    }
    world_end();
}

TEST(trace_wrong, "a ring needs frames of the caller's, a power of two of records, and an event") {
    world_begin();
    CHECK_EQUAL(trace_attach(TRACE, LIST_MAX + 1, WORLD_EVENT, 1), E_ARGUMENT);
    CHECK_EQUAL(trace_attach(TRACE, 2, TASK, 1), E_TYPE);
    message_buffer()->list[0] = (struct map_item){0, 0x100 << 8};
    CHECK_EQUAL(trace_attach(TRACE, 1, WORLD_EVENT, 1), E_OWNER);
    ring_frame[0] = frame_get();
    ring_frame[1] = frame_get();
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 1, WORLD_EVENT, 1), E_ARGUMENT);
    message_buffer()->list[2] = message_buffer()->list[3] = message_buffer()->list[1];
    CHECK_EQUAL(trace_attach(TRACE, 4, WORLD_EVENT, 1), E_ARGUMENT);  // three frames of records
    CHECK_EQUAL(trace_emit(TRACE, EVENT_call, 1, 0, 0, 0), E_ARGUMENT);
    CHECK_EQUAL(trace_emit(TRACE, 32, 1, 0, 0, 0), E_ARGUMENT);
    CHECK_EQUAL(trace_exempt(TRACE, WORLD_EVENT), E_TYPE);
    frame_put(ring_frame[0]);
    frame_put(ring_frame[1]);
    world_end();
}

TEST(trace_pinned, "the frames of a ring cannot be freed or given away while it records") {
    struct pool_frames_free_out freed;
    ring_begin();
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(unmap_one(TASK, RING + i * PAGE_SIZE, NULL), OK);
    }
    ring_list();
    CHECK_EQUAL(pool_frames_free(POOL, 2, &freed), E_MAPPED);
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, WORLD_EVENT, TRACE_BIT), E_OWNER);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQUAL(map_one(TASK, RING + i * PAGE_SIZE, MAP_READ | MAP_WRITE, ring_frame[i]), OK);
    }
    ring_end();
}

TEST(trace_records, "calls and server events are recorded as they were, by kind, in order of time") {
    struct trace_control_out old;
    ring_begin();
    CHECK_EQUAL(header()->written, 0);
    CHECK_EQUAL(header()->capacity, RECORDS);
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(header()->written, 0);  // nothing was chosen yet
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_kernel_call | 1u << EVENT_evict, &old), OK);
    CHECK_EQUAL(old.old, 0);
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 7, 11, 22, 33), OK);
    CHECK_EQUAL(trace_emit(TRACE, EVENT_admit, 7, 11, 22, 33), OK);  // not chosen
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    uint32_t pings = 0, evictions = 0, others = 0;
    for (uint32_t i = 0; i < header()->written; i++) {
        const struct trace_record *r = record(i);
        CHECK(i == 0 || r->time >= record(i - 1)->time);
        CHECK_EQUAL(r->task, 1);
        pings += r->kind == EVENT_kernel_call && r->tag == LABEL_task_ping && r->word[2] == OK;
        evictions += r->kind == EVENT_evict && r->peer == 7 && r->word[0] == 11 &&
                     r->word[1] == 22 && r->word[2] == 33;
        others += r->kind != EVENT_kernel_call && r->kind != EVENT_evict;
    }
    CHECK_EQUAL(pings, 1);
    CHECK_EQUAL(evictions, 1);
    CHECK_EQUAL(others, 0);
    uint32_t written = header()->written;
    CHECK_EQUAL(task_ping(TASK), OK);
    CHECK_EQUAL(header()->written, written);  // off again
    ring_end();
}

TEST(trace_full, "a full ring counts what it loses; the reader is told at each half") {
    struct trace_control_out old;
    struct received received;
    ring_begin();
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_evict, &old), OK);
    for (uint32_t i = 0; i < RECORDS / 2; i++) {
        ipc_poll(0, &received);
        CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
        CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, i, 0, 0), OK);
    }
    ipc_poll(0, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], TRACE_BIT);
    for (uint32_t i = RECORDS / 2; i < RECORDS + 10; i++) {
        CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, i, 0, 0), OK);
    }
    CHECK_EQUAL(header()->written, RECORDS);
    CHECK_EQUAL(header()->lost, 10);
    header()->read = RECORDS;
    CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, 99, 0, 0), OK);
    CHECK_EQUAL(record(0)->word[0], 99);
    header()->written = 0x7fffffff;  // a reader that writes nonsense harms only itself
    header()->read = 0x12345678;
    header()->capacity = UINT32_MAX;
    for (uint32_t i = 0; i < 200; i++) {
        CHECK_EQUAL(trace_emit(TRACE, EVENT_evict, 1, i, 0, 0), OK);
        header()->read = header()->written;
    }
    ring_end();
}

static void ping_ten(struct actor *self) {
    for (uint32_t i = 0; i < 10; i++) {
        self->result[0] += task_ping(HANDLE(SLOT_TASK));
    }
}

static uint32_t records_of(uint32_t task) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < MIN_OF(header()->written, RECORDS); i++) {
        count += record(i)->task == task;
    }
    return count;
}

TEST(trace_exempt, "an exempt task leaves no records, another does") {
    struct trace_control_out old;
    ring_begin();
    struct actor *silent = task_make(POOL, 10, ping_ten), *heard = task_make(POOL, 10, ping_ten);
    CHECK_EQUAL(trace_exempt(TRACE, silent->task), OK);
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_kernel_call, &old), OK);
    actor_start(silent, 0);
    actor_wait(silent);
    actor_start(heard, 0);
    actor_wait(heard);
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(records_of(100 + silent->index), 0);
    CHECK(records_of(100 + heard->index) >= 10);
    ring_end();
}

static void answer_all(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    for (;;) {
        self->result[0] += received.tag == LABEL_EVENT;
        if (received.tag == LABEL_EVENT) {
            ipc_receive(GIVEN, &received);
        } else {
            ipc_reply_receive(GIVEN, received.token, TAG(0, 1, 0, 0), received.word, &received);
        }
    }
}

TEST(trace_reader_serves, "a reader that is itself traced and called loses neither call nor event") {
    struct trace_control_out old;
    ring_begin();
    handle_t port = port_make(A, 25), event = event_make(B);
    struct actor *reader = task_make(POOL, 20, answer_all);
    actor_give(reader, port, 0, RIGHT_RECEIVE, 0);
    CHECK_EQUAL(thread_event(reader->thread, event), OK);
    actor_start(reader, 0);
    world_settle();
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    ring_list();
    CHECK_EQUAL(trace_attach(TRACE, 2, event, 1), OK);
    CHECK_EQUAL(trace_control(TRACE, UINT32_MAX, &old), OK);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t in = i, out = 0;
        CHECK_EQUAL(ipc_call(port, 0x2001, &in, 1, &out, 1, 0), OK);
        CHECK_EQUAL(out, i);
        header()->read = header()->written;
    }
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK(reader->result[0] >= 30);
    actor_end(reader);
    CHECK_EQUAL(event_destroy(event), OK);
    port_end(port);
    ring_end();
}

TEST(log_wrong, "a line for the log has at most 224 bytes") {
    static field_text text;
    text.length = TEXT_BYTES + 1;
    CHECK_EQUAL(machine_log(MACHINE, text), E_ARGUMENT);
    text.length = UINT32_MAX;
    CHECK_EQUAL(machine_log(MACHINE, text), E_ARGUMENT);
    text.length = 0;
    CHECK_EQUAL(machine_log(MACHINE, text), OK);
}
