// SPDX-License-Identifier: MIT
// What the CPU remembers of page tables is forgotten when they change. QEMU's TLB keeps entries of a
// loaded space, so an invlpg or a CR3 load that is missing is seen here; it keeps no page-directory
// entries, so that the reload which those need is counted on the host (space_tlb).
#include "victim.h"

#define OWN HANDLE(SLOT_TASK)
#define WORD (*(volatile uint32_t *)VICTIM_PAGE)

static frame_t frame_of(uint32_t value) {
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, VICTIM_WINDOW, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)VICTIM_WINDOW = value;
    CHECK_EQUAL(unmap_one(TASK, VICTIM_WINDOW, NULL), OK);
    return frame;
}

static void reply_with(const struct received *fault, frame_t frame) {
    struct map_item item = {VICTIM_PAGE | MAP_READ | MAP_WRITE, frame << 8};
    CHECK_EQUAL(ipc_reply_map(fault->token, &item, 1), OK);
}

static error_t own_protect(uint32_t rights) {
    struct task_protect_out out;
    message_buffer()->list[0] = (struct map_item){VICTIM_PAGE | rights, 0};
    return task_protect(OWN, 1, &out);
}

static void read_unmap_read(struct actor *self) {
    self->result[0] = WORD;
    self->result[1] = unmap_one(OWN, VICTIM_PAGE, NULL);
    self->result[2] = WORD;
}

TEST(cached_unmap, "a page that a task has just read is gone for it when it unmaps it") {
    victim_begin();
    struct actor *victim = victim_make(read_unmap_read);
    frame_t first = frame_of(11), second = frame_of(22);
    CHECK_EQUAL(map_one(victim->task, VICTIM_PAGE, MAP_READ, first), OK);
    actor_start(victim, 0);
    struct received fault;
    victim_fault(&fault, LABEL_fault_read, VICTIM_PAGE);
    CHECK_EQUAL(victim->result[0], 11);
    CHECK_EQUAL(victim->result[1], OK);
    reply_with(&fault, second);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[2], 22);
    actor_end(victim);
    frame_put(first);
    frame_put(second);
    victim_end();
}

static void write_protect_write(struct actor *self) {
    WORD = 1;
    self->result[0] = own_protect(MAP_READ);
    WORD = 2;
    self->result[1] = own_protect(MAP_READ | MAP_WRITE);
    WORD = 3;
}

TEST(cached_protect, "a page that a task has just written is read-only at once, and writable again") {
    victim_begin();
    struct task_protect_out out;
    struct actor *victim = victim_make(write_protect_write);
    frame_t frame = frame_of(0);
    CHECK_EQUAL(map_one(victim->task, VICTIM_PAGE, MAP_READ | MAP_WRITE, frame), OK);
    actor_start(victim, 0);
    struct received fault;
    victim_fault(&fault, LABEL_fault_protection, VICTIM_PAGE);
    CHECK_EQUAL(victim->result[0], OK);
    message_buffer()->list[0] = (struct map_item){VICTIM_PAGE | MAP_READ | MAP_WRITE, 0};
    CHECK_EQUAL(task_protect(victim->task, 1, &out), OK);
    CHECK_EQUAL(ipc_reply(fault.token, 0, NULL), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[1], OK);
    CHECK_EQUAL(map_one(TASK, VICTIM_WINDOW, MAP_READ, frame), OK);
    CHECK_EQUAL(*(volatile uint32_t *)VICTIM_WINDOW, 3);
    CHECK_EQUAL(unmap_one(TASK, VICTIM_WINDOW, NULL), OK);
    actor_end(victim);
    frame_put(frame);
    victim_end();
}

TEST(cached_remap, "a page mapped anew shows the new frame, and is clean") {
    struct map_item was;
    world_begin();
    frame_t frame[2] = {frame_of(1), frame_of(2)};
    for (uint32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(map_one(TASK, VICTIM_PAGE, MAP_READ | MAP_WRITE, frame[i % 2]), OK);
        CHECK_EQUAL(WORD, i % 2 + 1);
        if (i % 3 == 0) {
            WORD = i % 2 + 1;
        }
        CHECK_EQUAL(unmap_one(TASK, VICTIM_PAGE, &was), OK);
        CHECK_EQUAL(was.frame & FRAME_FLAGS, FRAME_ACCESSED | (i % 3 == 0 ? FRAME_DIRTY : 0));
    }
    frame_put(frame[0]);
    frame_put(frame[1]);
    world_end();
}

static void read_once(struct actor *self) {
    self->result[0] = WORD;
}

TEST(cached_switch, "two tasks see each its own frame at one address, however often they take turns") {
    world_begin();
    struct actor *actor[2];
    frame_t frame[2];
    for (uint32_t i = 0; i < 2; i++) {
        actor[i] = task_make(POOL, 10, read_once);
        frame[i] = frame_of(100 + i);
        CHECK_EQUAL(map_one(actor[i]->task, VICTIM_PAGE, MAP_READ, frame[i]), OK);
    }
    for (uint32_t turn = 0; turn < 8; turn++) {
        struct actor *reader = actor[turn % 2];
        reader->result[0] = 0;
        if (turn < 2) {
            actor_start(reader, 0);
        } else {
            CHECK_EQUAL(actor_restart(reader), OK);
        }
        actor_wait(reader);
        CHECK_EQUAL(reader->result[0], 100 + turn % 2);
    }
    for (uint32_t i = 0; i < 2; i++) {
        actor_end(actor[i]);
        frame_put(frame[i]);
    }
    world_end();
}

TEST(cached_tables, "tables that are trimmed and made again lead to the new frame") {
    struct task_tables_trim_out trimmed;
    world_begin();
    frame_t frame[2] = {frame_of(1), frame_of(2)};
    for (uint32_t i = 0; i < 6; i++) {
        CHECK_EQUAL(map_one(TASK, VICTIM_PAGE, MAP_READ, frame[i % 2]), OK);
        CHECK_EQUAL(WORD, i % 2 + 1);
        CHECK_EQUAL(unmap_one(TASK, VICTIM_PAGE, NULL), OK);
        CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
        CHECK(trimmed.freed > 0);
    }
    frame_put(frame[0]);
    frame_put(frame[1]);
    world_end();
}
