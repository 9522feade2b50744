// SPDX-License-Identifier: MIT
// A hostile program: every message of the pager's with arguments that are wrong, and every address
// that it must not touch. Wrong messages give an error and change nothing; wrong accesses end the
// program that made them, and only that one.
#include <stdint.h>
#include <string.h>

#include "../test.h"
#include "crash.h"
#include "stubs.h"

#define PAGER HANDLE(SLOT_PAGER)
#define RW (MAP_READ | MAP_WRITE)

// Addresses and lengths that no region of a program can have.
static const struct {
    uint32_t address, length;
} bad_places[] = {
    {0, 4096},                    // below the first page of user space
    {0x40000001, 4096},           // misaligned
    {0x40000000, 0},              // nothing
    {LAYOUT_KERNEL, 4096},        // the kernel's
    {LAYOUT_KERNEL - 4096, 8192}, // into the kernel
    {0xfffff000, 4096},           // ... up to the end
    {0xfffff000, 8192},           // wraps
    {0x40000000, 0xfffff000},     // wraps, too
    {LAYOUT_BUFFER, 4096},        // the message buffer
    {LAYOUT_CLOCK, 4096},         // the clock
};
#define BAD_PLACES (sizeof bad_places / sizeof *bad_places)

static unsigned char *mine;  // three pages with a pattern, which nothing below may change

static uint32_t page_state(const void *address) {
    struct pager_page_state_out out;
    CHECK_EQUAL(pager_page_state(PAGER, PAGE_DOWN((uint32_t)address), &out), OK);
    return out.state;
}

static void mine_make(void) {
    struct pager_map_out out;
    CHECK_EQUAL(pager_map(PAGER, 0, 3 * PAGE_SIZE, RW, &out), OK);
    mine = (unsigned char *)out.address;
    for (uint32_t i = 0; i < 3 * PAGE_SIZE; i++) {
        mine[i] = (unsigned char)(i * 7 + i / 256);
    }
}

static void mine_check(void) {
    for (uint32_t i = 0; i < 3 * PAGE_SIZE; i++) {
        CHECK(mine[i] == (unsigned char)(i * 7 + i / 256));
    }
    CHECK_EQUAL(pager_unmap(PAGER, (uint32_t)mine, 3 * PAGE_SIZE), OK);
    CHECK_EQUAL(page_state(mine), PAGE_STATE_NONE);
}

TEST(memory_map_wrong, "map with wrong rights, lengths and places is refused") {
    struct pager_map_out out;
    mine_make();
    CHECK(pager_map(PAGER, 0, PAGE_SIZE, MAP_WRITE | MAP_EXECUTE, &out) != OK);
    CHECK(pager_map(PAGER, 0, PAGE_SIZE, 8, &out) != OK);
    CHECK(pager_map(PAGER, 0, PAGE_SIZE, 0xffffffff, &out) != OK);
    CHECK(pager_map(PAGER, 0, 0, RW, &out) != OK);
    CHECK(pager_map(PAGER, 0, 0xfffff000, RW, &out) != OK);
    CHECK(pager_map(PAGER, 0, LAYOUT_MAP_END - LAYOUT_MAP_FIRST + PAGE_SIZE, RW, &out) != OK);
    for (size_t i = 1; i < BAD_PLACES; i++) {
        CHECK(pager_map(PAGER, bad_places[i].address, bad_places[i].length, RW, &out) != OK);
    }
    mine_check();
}

TEST(memory_map_taken, "where something lies already, map chooses another place") {
    struct pager_map_out out;
    struct pager_file_open_out file;
    struct pager_file_map_out shown;
    mine_make();
    for (uint32_t page = 0; page < 3; page++) {
        uint32_t hint = (uint32_t)mine + page * PAGE_SIZE;
        CHECK_EQUAL(pager_map(PAGER, hint, 2 * PAGE_SIZE, RW, &out), OK);
        CHECK(out.address + 2 * PAGE_SIZE <= (uint32_t)mine ||
              out.address >= (uint32_t)mine + 3 * PAGE_SIZE);
        CHECK_EQUAL(pager_unmap(PAGER, out.address, 2 * PAGE_SIZE), OK);
    }
    CHECK_EQUAL(pager_file_open(PAGER, name_of("words"), &file), OK);
    CHECK_EQUAL(pager_file_map(PAGER, (uint32_t)mine, PAGE_SIZE, MAP_READ, file.file, 0, &shown),
                OK);
    CHECK(shown.address != (uint32_t)mine);
    CHECK_EQUAL(pager_unmap(PAGER, shown.address, PAGE_SIZE), OK);
    mine_check();
}

TEST(memory_unmap_wrong, "unmap, protect and advise of wrong places are refused") {
    mine_make();
    for (size_t i = 0; i < BAD_PLACES; i++) {
        uint32_t address = bad_places[i].address, length = bad_places[i].length;
        CHECK(pager_unmap(PAGER, address, length) != OK);
        CHECK(pager_protect(PAGER, address, length, MAP_READ) != OK);
        CHECK(pager_advise(PAGER, address, length, ADVICE_FREE) != OK);
    }
    CHECK(pager_protect(PAGER, (uint32_t)mine, PAGE_SIZE, MAP_WRITE | MAP_EXECUTE) != OK);
    CHECK(pager_protect(PAGER, (uint32_t)mine, PAGE_SIZE, 16) != OK);
    CHECK(pager_advise(PAGER, (uint32_t)mine, PAGE_SIZE, 0) != OK);
    CHECK(pager_advise(PAGER, (uint32_t)mine, PAGE_SIZE, 999) != OK);
    mine_check();
}

TEST(memory_file_wrong, "files that are not there, and parts that they do not have, are refused") {
    struct pager_file_open_out file;
    struct pager_file_map_out out;
    field_name name;
    mine_make();
    CHECK_EQUAL(pager_file_open(PAGER, name_of("no-such-module"), &file), E_NOT_FOUND);
    CHECK(pager_file_open(PAGER, name_of(""), &file) != OK);
    memset(&name, 'x', sizeof name);  // does not end
    CHECK(pager_file_open(PAGER, name, &file) != OK);
    CHECK_EQUAL(pager_file_open(PAGER, name_of("words"), &file), OK);
    uint32_t length = PAGE_UP(file.length);
    CHECK(pager_file_map(PAGER, 0, PAGE_SIZE, MAP_READ, 999, 0, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, PAGE_SIZE, MAP_READ, 0xffffffff, 0, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, PAGE_SIZE, MAP_READ, file.file, 1, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, PAGE_SIZE, MAP_READ, file.file, length, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, length + PAGE_SIZE, MAP_READ, file.file, 0, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, PAGE_SIZE, MAP_READ, file.file, 0xfffff000, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, 0, MAP_READ, file.file, 0, &out) != OK);
    CHECK(pager_file_map(PAGER, 0, PAGE_SIZE, MAP_WRITE | MAP_EXECUTE, file.file, 0, &out) != OK);
    mine_check();
}

TEST(memory_init_only, "what only init may ask is refused") {
    struct pager_task_admit_out admitted;
    mine_make();
    CHECK_EQUAL(pager_module_add(PAGER, 1, PAGE_SIZE, name_of("x")), E_DENIED);
    CHECK_EQUAL(pager_store_attach(PAGER, 1000), E_DENIED);
    // Its own task it may not even pass on.
    CHECK_EQUAL(pager_task_admit(PAGER, 16, name_of("hello"), HANDLE(SLOT_TASK), &admitted),
                E_RIGHT);
    CHECK_EQUAL(pager_task_retire(PAGER, 16), E_DENIED);
    CHECK_EQUAL(pager_policy_set(PAGER, text_of("fifo")), E_DENIED);
    CHECK_EQUAL(pager_limit_set(PAGER, 10, name_of("")), E_DENIED);
    CHECK_EQUAL(pager_policy_at(PAGER, 1, text_of("fifo")), E_DENIED);
    mine_check();
}

TEST(memory_no_such, "messages that the pager does not know, or of wrong length, are refused") {
    uint32_t words[TAG_WORDS_MAX] = {0}, reply[4];
    mine_make();
    for (uint32_t number = 0; number < 256; number++) {
        uint32_t label = INTERFACE_pager << 8 | number;
        CHECK(ipc_call(PAGER, label, words, 63, reply, 4, 0) != OK);
    }
    for (uint32_t interface = 0; interface < 64; interface++) {
        if (interface != INTERFACE_pager) {
            CHECK(ipc_call(PAGER, interface << 8, words, 2, reply, 4, 0) != OK);
        }
    }
    CHECK(ipc_call(PAGER, 0xffff, words, 0, reply, 4, 0) != OK);
    mine_check();
}

TEST(memory_no_rights, "a program has no right to map by itself, to take frames or to kill") {
    struct task_map_out done;
    struct pool_frames_alloc_out taken;
    mine_make();
    message_buffer()->list[0] = (struct map_item){0x50000000 | RW, 1 << 8};
    CHECK(task_map(HANDLE(SLOT_TASK), 1, &done) != OK);
    message_buffer()->list[0] = (struct map_item){(uint32_t)mine, 0};
    struct task_unmap_out undone;
    CHECK(task_unmap(HANDLE(SLOT_TASK), 1, &undone) != OK);
    CHECK(pool_frames_alloc(HANDLE(SLOT_POOL), 1, 0, &taken) != OK);
    CHECK(task_kill(HANDLE(SLOT_TASK), 0) != OK);
    CHECK(task_fault_port(HANDLE(SLOT_TASK), HANDLE(SLOT_PAGER), 1) != OK);
    CHECK(machine_restart(HANDLE(SLOT_MACHINE)) != OK);
    for (uint32_t slot = 0; slot < SLOT_COUNT + 10; slot++) {
        CHECK(task_kill(HANDLE(slot), 0) != OK);
        CHECK(pool_frames_alloc(HANDLE(slot), 1, 0, &taken) != OK);
    }
    mine_check();
}

TEST(memory_states, "a page is untouched, then resident or swapped, then forgotten") {
    struct pager_map_out out;
    CHECK_EQUAL(pager_map(PAGER, 0, 2 * PAGE_SIZE, RW, &out), OK);
    volatile unsigned char *page = (volatile unsigned char *)out.address;
    CHECK_EQUAL(page_state((void *)page), PAGE_STATE_UNTOUCHED);
    page[5] = 9;
    CHECK(page_state((void *)page) >= PAGE_STATE_RESIDENT);
    CHECK_EQUAL(pager_advise(PAGER, out.address, PAGE_SIZE, ADVICE_FREE), OK);
    CHECK_EQUAL(page[5], 0);
    CHECK_EQUAL(pager_unmap(PAGER, out.address, 2 * PAGE_SIZE), OK);
    CHECK_EQUAL(page_state((void *)page), PAGE_STATE_NONE);
}

TEST(memory_faults, "a program that touches what it must not is ended, and the system lives") {
    static const char *const kinds[] = {
        "null-read", "null-write", "null-call", "text-write", "constant-write", "data-jump",
        "kernel-read", "kernel-write", "unmapped", "divide", "invalid", "halt", "port",
        "interrupt", "stack", "clock-write", "clock-jump"};
    mine_make();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        test_case(kinds[i]);
        CHECK_EQUAL(crash(kinds[i]).cause, CAUSE_FAULT);
    }
    mine_check();
}

TEST(memory_spawn_wrong, "programs that are not there or no programs are refused") {
    struct init_spawn_out task;
    struct init_wait_out end;
    CHECK(init_spawn(HANDLE(SLOT_INIT), (field_text){7, "nothere"}, &task) != OK);
    CHECK(init_spawn(HANDLE(SLOT_INIT), (field_text){5, "words"}, &task) != OK);
    CHECK(init_spawn(HANDLE(SLOT_INIT), (field_text){0, ""}, &task) != OK);
    CHECK(init_spawn(HANDLE(SLOT_INIT), (field_text){100000, "hello"}, &task) != OK);
    CHECK(init_wait(HANDLE(SLOT_INIT), 9999, &end) != OK);
}
