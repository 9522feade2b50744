// SPDX-License-Identifier: MIT
// Timers, interrupts, I/O ports: what is refused, what fires and when, what reaches the device.
#include "world.h"

enum { A = SLOT_TEST + 10, B, C, D };

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
    CHECK_EQUAL(task_handle_give(TASK, WORLD_EVENT, B, RIGHT_SIGNAL, 6), OK);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 1, HANDLE(B), 1), E_RIGHT);  // a bit that its badge lacks
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 1, HANDLE(B), 7), E_RIGHT);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 1, HANDLE(B), 4), OK);
    CHECK_EQUAL(task_death_event(TASK, HANDLE(B), 8), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, B), OK);
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
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 0xffff, 1), OK);  // the last one
    CHECK_EQUAL(ports_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(machine_ports_create(MACHINE, A, 0, 0x10000), OK);  // all of them
    CHECK_EQUAL(ports_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(ports_destroy(HANDLE(A)), E_HANDLE);
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
