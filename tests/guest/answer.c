// SPDX-License-Identifier: MIT
// Answers to faults: which map items are refused, which are taken, what ends in between.
#include "kept.h"
#include "victim.h"

enum { ITEMS = 16 };
#define GIVEN HANDLE(SLOT_GIVEN)
#define PAGE VICTIM_PAGE
#define WINDOW VICTIM_WINDOW

// Reads a word of each of `argument` pages into result[0] (their sum).
static void read_pages(struct actor *self) {
    for (uint32_t i = 0; i < self->argument; i++) {
        self->result[0] += *(volatile uint32_t *)(PAGE + i * PAGE_SIZE);
    }
}

static void frame_fill(frame_t frame, uint32_t word) {
    CHECK_EQUAL(map_one(TASK, WINDOW, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)WINDOW = word;
    CHECK_EQUAL(unmap_one(TASK, WINDOW, NULL), OK);
}

TEST(map_one_page, "a reply with one map item lets the instruction succeed") {
    victim_begin();
    struct actor *victim = victim_make(read_pages);
    frame_t frame = frame_get();
    frame_fill(frame, 4711);
    actor_start(victim, 1);
    struct received received;
    victim_fault(&received, LABEL_fault_read, PAGE);
    struct map_item item = {PAGE | MAP_READ, frame << 8};
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], 4711);
    actor_end(victim);
    frame_put(frame);
    victim_end();
}

TEST(map_sixteen, "a reply with sixteen items maps them all; with FRAME_ZERO it zeroes them") {
    victim_begin();
    struct actor *victim = victim_make(read_pages);
    struct map_item items[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        frame_t frame = frame_get();
        frame_fill(frame, 1u << i);
        items[i] = (struct map_item){(PAGE + i * PAGE_SIZE) | MAP_READ | MAP_WRITE,
                                     frame << 8 | (i % 2 == 0 ? FRAME_ZERO : 0)};
    }
    actor_start(victim, ITEMS);
    struct received received, next;
    victim_fault(&received, LABEL_fault_read, PAGE);
    ipc_reply_map_receive(victim_port, received.token, items, ITEMS, &next);
    CHECK_EQUAL(next.tag, LABEL_EVENT);  // the victim is done, and no other fault came
    CHECK_EQUAL(victim->result[0], 0xaaaa);
    actor_end(victim);
    for (uint32_t i = 0; i < ITEMS; i++) {
        frame_put(ITEM_FRAME(items[i]));
    }
    victim_end();
}

TEST(retry, "an empty reply tries the instruction again; so does the end of the pager") {
    victim_begin();
    struct actor *victim = victim_make(read_pages);
    actor_start(victim, 1);
    struct received received, again;
    victim_fault(&received, LABEL_fault_read, PAGE);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    victim_fault(&again, LABEL_fault_read, PAGE);
    CHECK(received.token != again.token);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), E_TOKEN);
    CHECK_EQUAL(thread_suspend(victim->thread), OK);
    CHECK_EQUAL(ipc_reply(again.token, 0, NULL), E_TOKEN);
    CHECK_EQUAL(thread_resume(victim->thread), OK);
    victim_fault(&again, LABEL_fault_read, PAGE);
    CHECK_EQUAL(ipc_reply(again.token, TAG_ERROR(E_DENIED), NULL), OK);
    victim_is_dead(victim);
    victim_end();
}

// Faults first; when it is started again, calls.
static void fault_then_call(struct actor *self) {
    if (self->argument == 0) {
        (void)*(volatile uint32_t *)PAGE;
    }
    uint32_t in = 3, out = 0;
    self->result[0] = ipc_call(GIVEN, 0x2001, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

TEST(fault_cancelled, "a thread whose fault was cancelled may be started anew, and calls as any other") {
    victim_begin();
    struct actor *victim = victim_make(fault_then_call);
    handle_t other = port_make(SLOT_TEST, VICTIM_RANK);
    actor_give(victim, other, 0, RIGHT_CALL, 0);
    struct received received;
    actor_start(victim, 0);
    victim_fault(&received, LABEL_fault_read, PAGE);
    actor_start(victim, 1);
    CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), E_TOKEN);
    port_next(other, &received);
    uint32_t answer = 5;
    CHECK_EQUAL(ipc_reply(received.token, TAG(0x2001, 1, 0, 0), &answer), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], OK);
    CHECK_EQUAL(victim->result[1], 5);
    victim_end();
    port_end(other);
}

static void silent_pager(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    self->result[0] = received.tag;
    ipc_receive(GIVEN, &received);
}

TEST(pager_ends, "when a pager ends before it answered, the next one is asked") {
    victim_begin();
    struct actor *pager = task_make(POOL, 20, silent_pager);
    actor_give(pager, victim_port, 0, RIGHT_RECEIVE, 0);
    actor_start(pager, 0);
    CHECK(!actor_finished(pager));
    struct actor *victim = victim_make(read_pages);
    actor_start(victim, 1);
    world_settle();
    CHECK_EQUAL(pager->result[0], TAG(LABEL_fault_read, 2, 0, 0));
    actor_end(pager);
    struct received received;
    victim_fault(&received, LABEL_fault_read, PAGE);
    CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), OK);
    victim_is_dead(victim);
    victim_end();
}

// Reads the page, then calls.
static void read_then_call(struct actor *self) {
    (void)*(volatile uint32_t *)PAGE;
    uint32_t in = 3, out = 0;
    self->result[0] = ipc_call(HANDLE(SLOT_GIVEN + 1), 0x2001, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

TEST(retry_then_call, "after a fault that was tried again the thread's next call is a call") {
    for (uint32_t how = 0; how < 2; how++) {
        victim_begin();
        handle_t other = port_make(SLOT_TEST, VICTIM_RANK);
        handle_t faults = port_make(SLOT_TEST + 1, VICTIM_RANK);
        struct actor *pager = task_make(POOL, 20, silent_pager);
        struct actor *victim = victim_make(read_then_call);
        CHECK_EQUAL(task_fault_port(victim->task, faults, 0), OK);
        actor_give(victim, other, 1, RIGHT_CALL, 0);
        actor_give(pager, faults, 0, RIGHT_RECEIVE, 0);
        if (how == 0) {  // the pager has received the fault; else it stands in the queue
            actor_start(pager, 0);
        }
        actor_start(victim, 0);
        CHECK(!actor_finished(victim));
        frame_t frame = frame_get();
        CHECK_EQUAL(map_one(victim->task, PAGE, MAP_READ, frame), OK);
        actor_end(pager);
        port_end(faults);
        struct received received;
        port_next(other, &received);
        uint32_t answer = 9;
        CHECK_EQUAL(ipc_reply(received.token, TAG(0x2001, 1, 0, 0), &answer), OK);
        actor_wait(victim);
        CHECK_EQUAL(victim->result[0], OK);
        CHECK_EQUAL(victim->result[1], 9);
        actor_end(victim);
        frame_put(frame);
        victim_end();
        port_end(other);
    }
}

// A wrong answer: refused with `error`, nothing mapped, the faulter still waits.
static void refused(struct actor *victim, token_t token, const struct map_item *items,
                    uint32_t count, error_t error) {
    struct task_info_out before, after;
    CHECK_EQUAL(task_info(victim->task, &before), OK);
    CHECK_EQUAL(ipc_reply_map(token, items, count), error);
    struct received received;
    ipc_reply_map_receive(victim_port, token, items, count, &received);
    CHECK_EQUAL(TAG_TO_ERROR(received.tag), error);
    CHECK_EQUAL(task_info(victim->task, &after), OK);
    CHECK_EQUAL(after.mapped, before.mapped);
    CHECK_EQUAL(after.tables, before.tables);
    CHECK(!actor_finished(victim));
}

TEST(map_wrong, "a wrong map item is refused whole, the faulter waits on, and may yet be answered") {
    victim_begin();
    struct actor *victim = victim_make(read_pages);
    handle_t pool = pool_make(SLOT_TEST, 8);
    struct pool_frames_alloc_out out;
    CHECK_EQUAL(pool_frames_alloc(pool, 1, 0, &out), OK);
    frame_t foreign = ITEM_FRAME(message_buffer()->list[0]);
    frame_t frame = frame_get();
    actor_start(victim, 1);
    struct received received;
    victim_fault(&received, LABEL_fault_read, PAGE);
    const struct {
        struct map_item item;
        error_t error;
    } wrong[] = {
        {{PAGE | MAP_READ, foreign << 8}, E_OWNER},
        {{PAGE | MAP_READ, 0x100 << 8}, E_OWNER},  // the kernel's first frame
        {{PAGE | MAP_READ, 0}, E_OWNER},
        {{PAGE | MAP_READ, 0xffffffu << 8}, E_OWNER},
        {{PAGE | MAP_READ, frame << 8 | FRAME_DIRTY}, E_ARGUMENT},
        {{PAGE | MAP_READ, frame << 8 | 0x80}, E_ARGUMENT},
        {{PAGE | MAP_WRITE, frame << 8}, E_ARGUMENT},
        {{PAGE, frame << 8}, E_ARGUMENT},
        {{PAGE | 8 | MAP_READ, frame << 8}, E_ARGUMENT},
        {{PAGE | 0x800 | MAP_READ, frame << 8}, E_ARGUMENT},
        {{PAGE | MAP_RIGHTS, frame << 8}, E_WX},
        {{LAYOUT_KERNEL | MAP_READ, frame << 8}, E_ADDRESS},
        {{0xfffff000u | MAP_READ, frame << 8}, E_ADDRESS},
        {{MAP_READ, frame << 8}, E_ADDRESS},
        {{(LAYOUT_USER_FIRST - PAGE_SIZE) | MAP_READ, frame << 8}, E_ADDRESS},
        {{0x401000u | MAP_READ, frame << 8}, E_MAPPED},
        {{LAYOUT_BUFFER | MAP_READ, frame << 8}, E_MAPPED},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct map_item items[2] = {wrong[i].item, wrong[i].item};
        refused(victim, received.token, items, 1, wrong[i].error);
        items[0] = (struct map_item){(PAGE + 8 * PAGE_SIZE) | MAP_READ, frame << 8};
        refused(victim, received.token, items, 2, wrong[i].error);
    }
    struct map_item twice[2] = {{PAGE | MAP_READ, frame << 8}, {PAGE | MAP_READ, frame << 8}};
    refused(victim, received.token, twice, 2, E_MAPPED);
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 0, 0, 17), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 0, 0, 31), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 1, 0, 0), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 0, 1, 0), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(ipc_reply_map(received.token, twice, 1), OK);
    actor_wait(victim);
    actor_end(victim);
    frame_put(frame);
    message_buffer()->list[0] = (struct map_item){0, foreign << 8};
    struct pool_frames_free_out freed;
    CHECK_EQUAL(pool_frames_free(pool, 1, &freed), OK);
    CHECK_EQUAL(pool_destroy(pool), OK);
    victim_end();
}

TEST(map_no_memory, "a reply that needs a page table the faulter cannot pay for maps nothing") {
    victim_begin();
    frame_t frame = frame_get();
    handle_t pool = pool_make(SLOT_TEST, 64);
    struct actor *victim = task_make(pool, 10, read_pages);
    CHECK_EQUAL(task_fault_port(victim->task, victim_port, VICTIM_BADGE), OK);
    struct pool_info_out info;
    CHECK_EQUAL(pool_info(pool, &info), OK);
    uint32_t rest = info.reserved - info.used;
    kept_take(pool, rest, FRAMES_ANY);
    actor_start(victim, 1);
    struct received received;
    victim_fault(&received, LABEL_fault_read, PAGE);
    struct map_item item = {PAGE | MAP_READ, frame << 8};
    refused(victim, received.token, &item, 1, E_MEMORY);  // no directory
    CHECK_EQUAL(free_one(pool, ITEM_FRAME(kept[--rest])), OK);
    refused(victim, received.token, &item, 1, E_MEMORY);  // directory, but no table
    CHECK_EQUAL(free_one(pool, ITEM_FRAME(kept[--rest])), OK);
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    kept_back(pool, rest);
    actor_end(victim);
    CHECK_EQUAL(pool_destroy(pool), OK);
    frame_put(frame);
    victim_end();
}
