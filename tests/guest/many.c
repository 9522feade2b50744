// SPDX-License-Identifier: MIT
// More threads at one port than one entry deals with: its end comes in slices that nobody can delay,
// and no receive turns away more than so many messages.
#include "world.h"

enum { MANY = 100, SLICE = 64, REFUSALS = 16, HIGHER = 22, LOWER = 8, OUTCOMES = E_LIMIT + 1 };
#define BUFFERS 0x70000000u
#define PARKED HANDLE(SLOT_GIVEN + 1)
#define MEMBER_CALL TAG(WORLD_LABEL, 0, 0, 0)
#define MEMBER_HANDLE TAG(WORLD_LABEL, 0, 1, 0)

static volatile tag_t member_tag;
static volatile uint32_t outcome[OUTCOMES];  // how many calls ended with this error

// Calls SLOT_GIVEN until it is told E_HANDLE, then waits for ever. It has no stack.
__attribute__((naked, noreturn)) static void member_main(void) {
    __asm__ volatile(
        "2:\n\tmov %[call], %%eax\n\tmov %[tag], %%ebx\n\tmov %%esp, %%ecx\n\tmov $1f, %%edx\n\tsysenter\n"
        "1:\n\tneg %%eax\n\tcmp %[outcomes], %%eax\n\tjae 3f\n"
        "\tincl %c[outcome](, %%eax, 4)\n\tcmp %[ends], %%eax\n\tjne 2b\n"
        "3:\n\tmov %[park], %%eax\n\tmov %%esp, %%ecx\n\tmov $3b, %%edx\n\tsysenter"
        :
        : [call] "i"(HANDLE(SLOT_GIVEN) | OP_CALL), [park] "i"(PARKED | OP_RECEIVE),
          [tag] "m"(member_tag), [outcome] "i"(outcome), [outcomes] "i"(OUTCOMES),
          [ends] "i"(E_HANDLE));
}

// A task whose threads, half of them above the test's and half below, call the port.
static struct actor *members_make(handle_t port, handle_t park, tag_t tag) {
    struct actor *members = caller_make(port, 0, actor_calls);
    actor_give(members, park, 1, RIGHT_RECEIVE, 0);
    member_tag = tag;
    for (uint32_t i = 0; i < OUTCOMES; i++) {
        outcome[i] = 0;
    }
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_EQUAL(task_thread_create(members->task, SLOT_TEST, BUFFERS + i * PAGE_SIZE,
                                       i % 2 ? HIGHER : LOWER), OK);
        CHECK_EQUAL(thread_start(HANDLE(SLOT_TEST), (uint32_t)(uintptr_t)member_main, 0, 0), OK);
        CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    }
    world_settle();
    return members;
}

TEST(many_end, "the first slice of a port's end ends all handles: no caller can delay the next") {
    struct pool_port_destroy_out out;
    world_begin();
    handle_t port = world_port(), park = port_make(SLOT_TEST + 6, WORLD_RANK);
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 1, RIGHT_ALL & ~RIGHT_CALL, 0), OK);
    struct actor *members = members_make(port, park, MEMBER_CALL);
    CHECK_EQUAL(pool_port_destroy(POOL, port, &out), OK);
    CHECK_EQUAL(out.left, 1);
    CHECK(slot_empty(SLOT_TEST + 1));
    CHECK_EQUAL(pool_port_destroy(POOL, HANDLE(SLOT_TEST + 1), &out), E_HANDLE);
    CHECK_EQUAL(raw_error(port | OP_CALL, MEMBER_CALL), E_RIGHT);
    CHECK_EQUAL(raw_error(port | OP_POLL, 0), E_RIGHT);
    CHECK_EQUAL(task_fault_port(members->task, port, 1), E_DEAD);
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST + 2, RIGHT_CALL, 0), E_RIGHT);
    CHECK_EQUAL(task_handle_give(members->task, port, SLOT_GIVEN + 2, RIGHT_CONTROL, 0), E_RIGHT);
    world_settle();  // those who were told have called again, and were told that their handle is dead
    CHECK_EQUAL(outcome[E_DEAD], SLICE);
    CHECK_EQUAL(outcome[E_HANDLE], SLICE);
    CHECK_EQUAL(pool_port_destroy(POOL, port, &out), OK);
    CHECK_EQUAL(out.left, 0);
    CHECK(slot_empty(SLOT_TEST + 5));
    world_settle();
    CHECK_EQUAL(outcome[E_DEAD], MANY);
    CHECK_EQUAL(outcome[E_HANDLE], MANY);
    actor_end(members);
    port_end(park);
    world_end();
}

TEST(many_receivers, "threads that receive are told in slices, too, whoever comes first") {
    struct pool_port_destroy_out out;
    world_begin();
    handle_t port = world_port(), park = port_make(SLOT_TEST + 6, WORLD_RANK);
    struct actor *members = members_make(port, park, MEMBER_CALL);
    CHECK_EQUAL(pool_port_destroy(POOL, port, &out), OK);
    while (out.left > 0) {
        CHECK_EQUAL(pool_port_destroy(POOL, port, &out), OK);
    }
    world_settle();  // all of them receive at the other port now
    CHECK_EQUAL(pool_port_destroy(POOL, park, &out), OK);
    CHECK_EQUAL(out.left, 1);
    CHECK_EQUAL(pool_port_destroy(POOL, park, &out), OK);
    CHECK_EQUAL(out.left, 0);
    struct task_destroy_out left = {1};
    CHECK_EQUAL(task_destroy(members->task, &left), OK);
    actor_end(members);
    world_end();
}

TEST(many_exactly, "a port with as many waiting threads as a slice has ends at once") {
    struct pool_port_destroy_out out;
    world_begin();
    handle_t port = world_port(), park = port_make(SLOT_TEST + 6, WORLD_RANK);
    struct actor *members = members_make(port, park, MEMBER_CALL);
    struct received received;
    for (uint32_t taken = SLICE; taken < MANY; taken++) {
        ipc_receive(port, &received);  // those received wait for a reply, not for the port
    }
    CHECK_EQUAL(pool_port_destroy(POOL, port, &out), OK);
    CHECK_EQUAL(out.left, 0);
    world_settle();
    CHECK_EQUAL(outcome[E_DEAD], SLICE);
    actor_end(members);
    port_end(park);
    world_end();
}

TEST(many_refused, "one receive turns away a few messages whose handles cannot be passed, no more") {
    world_begin();
    handle_t port = world_port(), park = port_make(SLOT_TEST + 6, WORLD_RANK);
    struct actor *members = members_make(port, park, MEMBER_HANDLE);  // they have no such handle
    struct received received;
    for (uint32_t told = REFUSALS; told < MANY; told += REFUSALS) {
        ipc_receive(port, &received);  // it would wait, but for those it turned away
        CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
        world_settle();
        CHECK_EQUAL(outcome[E_HANDLE], told);
    }
    struct actor *caller = caller_make(port, 7, actor_calls);
    actor_start(caller, 1);
    world_settle();
    ipc_receive(port, &received);  // the rest are few: the message behind them arrives
    CHECK_EQUAL(received.tag, TAG(WORLD_LABEL, 1, 0, 0));
    CHECK_EQUAL(received.badge, 7);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    actor_wait(caller);
    world_settle();
    CHECK_EQUAL(outcome[E_HANDLE], MANY);
    actor_end(members);
    port_end(park);
    port_end(port);
    world_end();
}
