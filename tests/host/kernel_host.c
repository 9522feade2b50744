// SPDX-License-Identifier: MIT
#include "kernel_host.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/panic.h"
#include "kernel/tracepoint.h"
#include "kernel/window.h"

enum { OBJECTS = 2048 };

char window_memory[HOST_FRAMES * PAGE_SIZE] __attribute__((aligned(4096)));
uint32_t trace_mask;
struct thread *current_thread;

static struct frame frame_table[HOST_FRAMES];
static struct object object_table[OBJECTS];
static uint32_t bitmap_words_[HOST_FRAMES];
static struct pool root;
static jmp_buf escape;
static bool expected;

void panic(const char *file, uint32_t line, const char *reason) {
    if (expected) {
        longjmp(escape, 1);
    }
    test_fail(file, (int)line, reason);
}

bool panics(void (*function)(void)) {
    expected = true;
    volatile bool ended = setjmp(escape) != 0;
    if (!ended) {
        function();
    }
    expected = false;
    return ended;
}

void trace_record(enum event_kind kind, const struct thread *thread, uint32_t peer, uint32_t id,
                  uint32_t tag, uint32_t word0, uint32_t word1, uint32_t word2) {
    (void)kind, (void)thread, (void)peer, (void)id, (void)tag, (void)word0, (void)word1;
    (void)word2;
}

void trace_object(enum event_kind kind, const struct object *peer, uint32_t word0) {
    (void)kind, (void)peer, (void)word0;
}

void window_zero(frame_t frame) {
    memset(window_address(frame), 0, PAGE_SIZE);
}

struct pool *machine_make(uint32_t count, uint32_t kernel, uint32_t low_end) {
    memset(frame_table, 0, sizeof frame_table);
    memset(window_memory, 0xa5, sizeof window_memory);
    kalloc_poison = true;
    object_init(object_table, OBJECTS);
    frame_init(frame_table, bitmap_words_, count, low_end);
    struct pool *pool = pool_root_create(&root, 0);
    for (frame_t frame = 1; frame < count; frame++) {  // frame 0 is firmware's
        frame_add(frame, frame <= kernel ? FRAME_KERNEL : FRAME_FREE, 0);
    }
    pool->reserved = frames.free;
    return pool;
}

static void pool_check(const struct pool *pool) {
    uint32_t used = 0, low = 0;
    for (frame_t frame = 0; frame < frames.count; frame++) {
        const struct frame *entry = frame_entry(frame);
        if (entry->type > FRAME_FREE && entry->type != FRAME_KERNEL &&
            entry->pool == pool_number(pool)) {
            used++;
            low += entry->type != FRAME_USER;
        }
    }
    CHECK_EQUAL(pool->used, used);
    CHECK_EQUAL(pool->low_used, low);
    CHECK(pool->used + pool->split <= pool->reserved);
    uint32_t paid = 0;
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        paid += objects.table[slot].type != OBJECT_NONE && objects.table[slot].pool == pool;
    }
    CHECK_EQUAL(pool->objects, paid);
    CHECK(pool->objects + pool->objects_split <= pool->objects_reserved);
}

void machine_check(void) {
    uint32_t free = 0, free_low = 0, promised = 0, total = 0;
    for (frame_t frame = 0; frame < frames.count; frame++) {
        bool is_free = frame_entry(frame)->type == FRAME_FREE;
        CHECK(bitmap_get(&frames.bitmap, frame) == is_free);
        free += is_free;
        free_low += is_free && frame_is_low(frame);
        total += frame_entry(frame)->type != FRAME_ABSENT;
    }
    CHECK_EQUAL(frames.free, free);
    CHECK_EQUAL(frames.free_low, free_low);
    CHECK_EQUAL(frames.total, total);
    CHECK(bitmap_check(&frames.bitmap));
    for (uint32_t slot = 1; slot < objects.count; slot++) {
        if (objects.table[slot].type == OBJECT_POOL) {
            const struct pool *pool = objects.table[slot].body;
            pool_check(pool);
            promised += pool->low_used < pool->low_reserved ? pool->low_reserved - pool->low_used : 0;
        }
    }
    CHECK_EQUAL(frames.promised, promised);
    CHECK(frames.promised <= frames.free_low);
}
