// SPDX-License-Identifier: MIT
// What changes of an address space and page faults cost. The pagers here decide nothing: they map the
// next frame. What the real pager takes is measured by programs/ticks.c.
#include "../../tests/guest/world.h"
#include "crowd.h"
#include "measure.h"

enum { PORT_RANK = 25, BULK = LIST_MAX, SCANNED = 1024, POPULATED = 16, PROTECTED = 100 };
#define GIVEN HANDLE(SLOT_GIVEN)
#define PAGE 0x50000000u

// The first item of the list that calls take and return.
#define LIST_PAGE "m"(message_buffer()->list[0].page)
#define LIST_FRAME "m"(message_buffer()->list[0].frame)

static uint32_t frame_word[SCANNED];  // frames and their flags, as map items have them
static uint32_t *next_frame;

static void frames_take(uint32_t count, uint32_t flags) {
    for (uint32_t i = 0; i < count; i++) {
        frame_word[i] = frame_get() << 8 | flags;
    }
    next_frame = frame_word;
}

static void frames_put(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        frame_put(frame_word[i] >> 8);
    }
}

// Items for pages from the one numbered `first` on; frames for those who map.
static void list_fill(uint32_t first, uint32_t count, uint32_t rights) {
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] =
            (struct map_item){(PAGE + (first + i) * PAGE_SIZE) | rights, frame_word[first + i]};
    }
}

static void unmap_all(uint32_t count) {
    for (uint32_t done = 0; done < count;) {
        struct task_unmap_out out;
        uint32_t left = MIN_OF(count - done, LIST_MAX);
        list_fill(done, left, 0);
        CHECK_EQUAL(task_unmap(TASK, left, &out), OK);
        done += out.done;
    }
}

// Page tables of PAGE: they are there in every round.
static void tables_make(void) {
    for (vaddr_t at = 0; at < SCANNED * PAGE_SIZE; at += 512 * PAGE_SIZE) {
        frame_t frame = frame_get();
        CHECK_EQUAL(map_one(TASK, PAGE + at, MAP_READ, frame), OK);
        CHECK_EQUAL(map_one(TASK, PAGE + at + 511 * PAGE_SIZE, MAP_READ, frame), OK);
        CHECK_EQUAL(unmap_one(TASK, PAGE + at, NULL), OK);
        CHECK_EQUAL(unmap_one(TASK, PAGE + at + 511 * PAGE_SIZE, NULL), OK);
        frame_put(frame);
    }
}

TEST(crowd, "who shall only exist is there and waits") {
    crowd_make();
}

TEST(map_unmap, "map and unmap one page of the own space") {
    world_begin();
    tables_make();
    frames_take(1, 0);
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        MEASURE("mov %4, %%eax\n\tmovl %2, %0\n\tmov %%eax, %1\n\t"
                "mov %5, %%eax\n\tmov %6, %%ebx\n\tmov $1, %%edi\n\t" ENTER
                "movl %3, %0\n\t"
                "mov %5, %%eax\n\tmov %7, %%ebx\n\tmov $1, %%edi\n\t" ENTER,
                LIST_PAGE, LIST_FRAME, "i"(PAGE | MAP_READ | MAP_WRITE), "i"(PAGE),
                "m"(frame_word[0]), "i"(TASK | OP_CALL), "i"(TAG(LABEL_task_map, 1, 0, 0)),
                "i"(TAG(LABEL_task_unmap, 1, 0, 0)));
    }
    measure_print("map_unmap", 1);
    frames_put(1);
    world_end();
}

// --- lists ---------------------------------------------------------------------------------------

// One call with a list of `bulk_left` items; `bulk_done`: how many the kernel did. It works through
// long lists in slices, and the caller sends the rest again.
static uint32_t bulk_left, bulk_done;

#define BULK_MAP "mov %0, %%eax\n\tmov %1, %%ebx\n\tmov %2, %%edi\n\t" ENTER "mov %%edi, %3\n\t"
#define BULK_OPERANDS \
    "i"(TASK | OP_CALL), "i"(TAG(LABEL_task_map, 1, 0, 0)), "m"(bulk_left), "m"(bulk_done)

// Moving the list's rest to its beginning is the caller's affair, and not measured.
static void bulk_map(void) {
    list_fill(0, BULK, MAP_READ | MAP_WRITE);
    bulk_left = BULK;
    MEASURE(BULK_MAP, BULK_OPERANDS);
    for (uint32_t done = bulk_done; done < BULK; done += bulk_done) {
        CHECK(bulk_done > 0);
        bulk_left = BULK - done;
        list_fill(done, bulk_left, MAP_READ | MAP_WRITE);
        MEASURE_MORE(BULK_MAP, BULK_OPERANDS);
    }
}

TEST(bulk_map_page, "map 512 pages with one list, per page") {
    world_begin();
    tables_make();
    frames_take(BULK, 0);
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        bulk_map();
        unmap_all(BULK);
    }
    measure_print("bulk_map_page", BULK);
    frames_put(BULK);
    world_end();
}

// The kernel's list of frames becomes a list of pages to map, in place.
TEST(populate, "take 16 zeroed frames and map them, per page") {
    world_begin();
    tables_make();
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        MEASURE("mov %0, %%eax\n\tmov %1, %%ebx\n\tmov %2, %%edi\n\txor %%ebp, %%ebp\n\t" ENTER
                "mov %5, %%eax\n\tmov %3, %%ecx\n"
                "1:\n\tmov %%eax, (%%ecx)\n\tadd $4096, %%eax\n\tadd $8, %%ecx\n\t"
                "cmp %6, %%eax\n\tjne 1b\n\t"
                "mov %7, %%eax\n\tmov %8, %%ebx\n\tmov %2, %%edi\n\t" ENTER
                "mov %%edi, %4\n\t",
                "i"(POOL | OP_CALL), "i"(TAG(LABEL_pool_frames_alloc, 2, 0, 0)), "i"(POPULATED),
                "i"(LAYOUT_BUFFER), "m"(bulk_done), "i"(PAGE | MAP_READ | MAP_WRITE),
                "i"((PAGE + POPULATED * PAGE_SIZE) | MAP_READ | MAP_WRITE), "i"(TASK | OP_CALL),
                "i"(TAG(LABEL_task_map, 1, 0, 0)));
        CHECK_EQUAL(bulk_done, POPULATED);
        unmap_all(POPULATED);
        struct pool_frames_free_out freed;
        for (uint32_t k = 0; k < POPULATED; k++) {
            message_buffer()->list[k].frame &= ~FRAME_FLAGS;
        }
        CHECK_EQUAL(pool_frames_free(POOL, POPULATED, &freed), OK);
        CHECK_EQUAL(freed.done, POPULATED);
    }
    measure_print("populate", POPULATED);
    world_end();
}

static void pages_touch(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        *(volatile uint32_t *)(PAGE + i * PAGE_SIZE) = i;
    }
}

TEST(scan_entry, "read and clear the Accessed bits of 1024 pages, all of them touched, per entry") {
    world_begin();
    tables_make();
    frames_take(SCANNED, 0);
    for (uint32_t done = 0; done < SCANNED;) {
        struct task_map_out out;
        uint32_t left = MIN_OF(SCANNED - done, LIST_MAX);
        list_fill(done, left, MAP_READ | MAP_WRITE);
        CHECK_EQUAL(task_map(TASK, left, &out), OK);
        done += out.done;
    }
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        pages_touch(SCANNED);
        MEASURE("mov %0, %%eax\n\tmov %1, %%ebx\n\tmov %2, %%edi\n\tmov %3, %%ebp\n\t" ENTER
                "mov %%edi, %4\n\t",
                "i"(TASK | OP_CALL), "i"(TAG(LABEL_task_scan, 2, 0, 0)), "i"(PAGE), "i"(SCANNED),
                "m"(bulk_done));
        CHECK_EQUAL(bulk_done, SCANNED);
        CHECK_EQUAL(message_buffer()->bitmap[0][31], UINT32_MAX);
    }
    measure_print("scan_entry", SCANNED);
    unmap_all(SCANNED);
    frames_put(SCANNED);
    world_end();
}

// --- faults --------------------------------------------------------------------------------------

// Answers each fault with the next frame: the address is in edi, the token stays in ebx.
__attribute__((noreturn)) static void pager(struct actor *self) {
    (void)self;
    ASSEMBLY("mov %0, %%eax\n\t" ENTER
             "1:\n\tand $0xfffff000, %%edi\n\tor %3, %%edi\n\t"
             "mov %4, %%ecx\n\tmov (%%ecx), %%ebp\n\taddl $4, %4\n\t"
             "mov %1, %%eax\n\tmov %2, %%esi\n\t" ENTER_AGAIN,
             "i"(GIVEN | OP_RECEIVE), "i"(GIVEN | OP_REPLY_RECEIVE), "i"(TAG(0, 0, 0, 1)),
             "i"(MAP_READ | MAP_WRITE), "m"(next_frame));
    __builtin_unreachable();
}

static void toucher(struct actor *self) {
    (void)self;
    static uint32_t page;
    page = PAGE;
    for (uint32_t i = 0; i < ROUNDS; i++, page += PAGE_SIZE) {
        MEASURE("mov %0, %%eax\n\tmovl $1, (%%eax)\n\t", "m"(page));
    }
}

static void fault_measure(const char *name, uint32_t flags) {
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *handler = task_make(POOL, 20, pager), *victim = task_make(POOL, 10, toucher);
    actor_give(handler, port, 0, RIGHT_RECEIVE, 0);
    CHECK_EQUAL(task_fault_port(victim->task, port, 7), OK);
    frames_take(ROUNDS, flags);
    actor_start(handler, 0);
    world_settle();
    measure_row();
    actor_start(victim, 0);
    actor_wait(victim);
    measure_print(name, 1);
    actor_end(victim);
    frames_put(ROUNDS);
    world_end();
    port_end(port);
}

TEST(fault_pager, "a page fault served by another task, the map in its reply") {
    fault_measure("fault_pager", 0);
    fault_measure("fault_pager_zeroed", FRAME_ZERO);
}

// --- protection (Appel and Li 1991) --------------------------------------------------------------

// Gives the right to write back to the page that faulted.
__attribute__((noreturn)) static void guard(struct actor *self) {
    (void)self;
    static token_t token;
    ASSEMBLY("mov %0, %%eax\n\t" ENTER
             "1:\n\tmov %%ebx, %6\n\t"
             "and $0xfffff000, %%edi\n\tor %5, %%edi\n\tmov %%edi, %7\n\t"
             "mov %2, %%eax\n\tmov %3, %%ebx\n\tmov $1, %%edi\n\t" ENTER
             "mov %1, %%eax\n\tmov %6, %%ebx\n\tmov %4, %%esi\n\t" ENTER_AGAIN,
             "i"(GIVEN | OP_RECEIVE), "i"(GIVEN | OP_REPLY_RECEIVE),
             "i"(HANDLE(SLOT_GIVEN + 1) | OP_CALL), "i"(TAG(LABEL_task_protect, 1, 0, 0)),
             "i"(TAG(0, 0, 0, 0)), "i"(MAP_READ | MAP_WRITE), "m"(token), LIST_PAGE);
    __builtin_unreachable();
}

#define PROTECT_CALL "mov %0, %%eax\n\tmov %1, %%ebx\n\tmov %2, %%edi\n\t" ENTER
#define PROTECT_OPERANDS(count) \
    "i"(HANDLE(SLOT_TASK) | OP_CALL), "i"(TAG(LABEL_task_protect, 1, 0, 0)), "i"(count)

static void protector(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        MEASURE("movl %4, %3\n\t" PROTECT_CALL "movl $1, %c5\n\t", PROTECT_OPERANDS(1), LIST_PAGE,
                "i"(PAGE | MAP_READ), "i"(PAGE));
    }
}

static void protector_of_many(struct actor *self) {
    (void)self;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        list_fill(0, PROTECTED, MAP_READ);
        MEASURE(PROTECT_CALL "mov %3, %%eax\n"
                "1:\n\tmovl $1, (%%eax)\n\tadd $4096, %%eax\n\tcmp %4, %%eax\n\tjne 1b\n\t",
                PROTECT_OPERANDS(PROTECTED), "i"(PAGE), "i"(PAGE + PROTECTED * PAGE_SIZE));
    }
}

static void protect_measure(const char *name, uint32_t pages, void (*run)(struct actor *)) {
    world_begin();
    handle_t port = port_make(SLOT_TEST, PORT_RANK);
    struct actor *handler = task_make(POOL, 20, guard), *victim = task_make(POOL, 10, run);
    actor_give(handler, port, 0, RIGHT_RECEIVE, 0);
    actor_give(handler, victim->task, 1, RIGHT_MAP, 0);
    CHECK_EQUAL(task_fault_port(victim->task, port, 7), OK);
    frames_take(pages, 0);
    for (uint32_t i = 0; i < pages; i++) {
        CHECK_EQUAL(map_one(victim->task, PAGE + i * PAGE_SIZE, MAP_READ | MAP_WRITE,
                            frame_word[i] >> 8), OK);
    }
    actor_start(handler, 0);
    world_settle();
    measure_row();
    actor_start(victim, 0);
    actor_wait(victim);
    measure_print(name, pages);
    actor_end(victim);
    frames_put(pages);
    world_end();
    port_end(port);
}

TEST(protect, "protect, write, let the handler unprotect; one page, and a hundred with one list") {
    protect_measure("protect_trap", 1, protector);
    protect_measure("protect_100", PROTECTED, protector_of_many);
}

TEST(crowd_gone, "and leaves nothing behind") {
    crowd_end();
}
