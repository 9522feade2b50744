// SPDX-License-Identifier: MIT
// The kernel's size classes: sizes, zeros, accounts, exhaustion at every point.
#include <string.h>
#include "kernel_host.h"
#include "kernel/window.h"

enum { FRAMES = 512, KERNEL = 20, LIVE = 300, LARGEST = 2016 };

TEST(kalloc_sizes, "every size from 1 to 2016 comes zeroed, aligned, and inside one frame") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    for (uint32_t bytes = 1; bytes <= LARGEST; bytes++) {
        unsigned char *memory = kalloc(root, bytes);
        CHECK(memory != NULL);
        CHECK((uintptr_t)memory % 16 == 0);
        CHECK(window_frame(memory) == window_frame(memory + bytes - 1));
        for (uint32_t i = 0; i < bytes; i++) {
            CHECK(memory[i] == 0);
        }
        memset(memory, 0xff, bytes);
        kfree(root, memory);
    }
    CHECK_EQUAL(root->used, 0);
    machine_check();
}

static struct pool *panicking;
static void too_large(void) {
    (void)!kalloc(panicking, 2049);
}
static void foreign(void) {
    struct pool *child = pool_split(panicking, 10, 0, 20);
    kfree(panicking, kalloc(child, 64));
}

TEST(kalloc_wrong, "a size past the classes, or a block of another pool, is a panic") {
    panicking = machine_make(FRAMES, KERNEL, FRAMES);
    CHECK(panics(too_large));
    CHECK(panics(foreign));
}

TEST(kalloc_random, "20,000 random steps: blocks never overlap, contents stay, all frames return") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    static struct {
        unsigned char *memory;
        uint32_t bytes;
        unsigned char mark;
    } live[LIVE];
    memset(live, 0, sizeof live);
    uint32_t state = 3;
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t i = roll(&state) % LIVE;
        if (live[i].memory == NULL) {
            live[i].bytes = 1 + roll(&state) % (roll(&state) % 4 == 0 ? LARGEST : 200);
            live[i].memory = kalloc(root, live[i].bytes);
            CHECK(live[i].memory != NULL);
            live[i].mark = (unsigned char)(step | 1);
            memset(live[i].memory, live[i].mark, live[i].bytes);
            continue;
        }
        for (uint32_t at = 0; at < live[i].bytes; at++) {
            CHECK(live[i].memory[at] == live[i].mark);
        }
        kfree(root, live[i].memory);
        live[i].memory = NULL;
    }
    for (uint32_t i = 0; i < LIVE; i++) {
        if (live[i].memory != NULL) {
            kfree(root, live[i].memory);
        }
    }
    CHECK_EQUAL(root->used, 0);
    machine_check();
}

TEST(kalloc_classes, "a freed block is used again for its own size class only") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    char *block[40];
    for (uint32_t i = 0; i < ARRAY_LENGTH(block); i++) {
        block[i] = kalloc(root, 200);
    }
    uint32_t frames_before = root->used;
    kfree(root, block[0]);
    kfree(root, block[20]);
    CHECK(window_frame(kalloc(root, 30)) != window_frame(block[0]));
    CHECK_EQUAL(root->used, frames_before + 1);
    char *again = kalloc(root, 200);
    CHECK(again == block[0] || again == block[20]);
    CHECK_EQUAL(root->used, frames_before + 1);
    machine_check();
}

TEST(kalloc_fits, "a block of 32, 64, 128 bytes takes just that, and a frame loses 64") {
    for (uint32_t bytes = 32; bytes <= 1024; bytes *= 2) {
        struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
        struct pool *pool = pool_split(root, 1, 0, 20);
        uint32_t blocks = 0;
        while (kalloc(pool, bytes) != NULL) {
            blocks++;
        }
        CHECK_EQUAL(blocks, (PAGE_SIZE - 64) / bytes);
        machine_check();
    }
}

TEST(kalloc_exhausted, "with a reservation of n frames exactly what fits into n frames is had") {
    for (uint32_t reserved = 0; reserved < 6; reserved++) {
        struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
        struct pool *pool = pool_split(root, reserved, 0, 20);
        uint32_t blocks = 0;
        while (kalloc(pool, 1000) != NULL) {
            blocks++;
        }
        CHECK_EQUAL(pool->used, reserved);
        CHECK(blocks >= reserved * 3 && blocks <= reserved * 4);
        CHECK(kalloc_page(pool, FRAME_OBJECT) == NULL);
        machine_check();
    }
}

TEST(kalloc_pools, "blocks of two pools never share a frame") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    struct pool *a = pool_split(root, 50, 0, 20), *b = pool_split(root, 50, 0, 20);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK(pool_of(window_frame(kalloc(a, 32 + i))) == a);
        CHECK(pool_of(window_frame(kalloc(b, 32 + i))) == b);
    }
    machine_check();
}

TEST(objects_slots, "object slots return with a new generation; an old reference finds nothing") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    uint32_t used = objects.used;
    struct object *object = object_create(OBJECT_EVENT, 40, root);
    struct reference reference = object_reference(object);
    CHECK(reference_body(reference) == object->body);
    object_destroy(object);
    CHECK(reference_body(reference) == NULL);
    struct object *next = object_create(OBJECT_TIMER, 40, root);
    CHECK(next == object);
    CHECK(reference_body(reference) == NULL);
    object_destroy(next);
    CHECK_EQUAL(objects.used, used);
    CHECK_EQUAL(root->used, 0);
}

TEST(objects_retired, "a slot whose generations are used up is not used again") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    struct object *object = object_create(OBJECT_EVENT, 40, root);
    object_destroy(object);
    object->key = KEY_SLOW | (GENERATION_RETIRED - 1);
    CHECK(object_create(OBJECT_EVENT, 40, root) == object);
    struct reference last = object_reference(object);
    object_destroy(object);
    CHECK(reference_body(last) == NULL);
    for (uint32_t left = objects.count - 3; left > 0; left--) {  // slot 0, the root's, the retired one
        struct object *next = object_create(OBJECT_EVENT, 32, root);
        CHECK(next != NULL && next != object);
    }
    CHECK(object_create(OBJECT_EVENT, 32, root) == NULL);
    CHECK_EQUAL(object->type, OBJECT_NONE);
    machine_check();
}

TEST(objects_share, "a pool gets all the object slots it reserved, and not one more") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    uint32_t room = root->objects_reserved - root->objects;
    CHECK(pool_split(root, 10, 0, room) == NULL);  // its own object takes a slot
    CHECK(pool_split(root, 10, 0, UINT32_MAX) == NULL);
    struct pool *saver = pool_split(root, 10, 0, 9), *glutton = pool_split(root, 20, 0, 30);
    CHECK(pool_split(saver, 1, 0, 9) == NULL);
    for (uint32_t i = 0; i < 30; i++) {
        CHECK(object_create(OBJECT_EVENT, 32, glutton) != NULL);
    }
    CHECK(object_create(OBJECT_EVENT, 32, glutton) == NULL);
    while (object_create(OBJECT_EVENT, 32, root) != NULL) {
    }
    for (uint32_t i = 0; i < 9; i++) {
        CHECK(object_create(OBJECT_TIMER, 32, saver) != NULL);
    }
    CHECK(object_create(OBJECT_TIMER, 32, saver) == NULL);
    machine_check();
    for (uint32_t left = 9; left > 0; left--) {
        CHECK_EQUAL(saver->objects, left);
        CHECK_EQUAL(object_first(saver)->type, OBJECT_TIMER);
        object_destroy(object_first(saver));
    }
    CHECK(object_first(saver) == NULL);
    CHECK_EQUAL(pool_end(saver), OK);
    machine_check();
}

TEST(objects_order, "what a pool pays for is found in constant time, its child pools last") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    struct pool *parent = pool_split(root, 50, 0, 40);
    struct object *one = object_create(OBJECT_EVENT, 32, parent);
    struct pool *a = pool_split(parent, 5, 0, 5), *b = pool_split(parent, 5, 0, 5);
    struct object *two = object_create(OBJECT_EVENT, 32, parent);
    CHECK(object_first(parent) == two);
    object_destroy(two);
    CHECK(object_first(parent) == one);
    object_destroy(one);
    CHECK(object_first(parent) == a->object);
    CHECK_EQUAL(pool_end(a), OK);
    CHECK(object_first(parent) == b->object);
    CHECK_EQUAL(pool_end(b), OK);
    CHECK(object_first(parent) == NULL);
    CHECK_EQUAL(pool_end(parent), OK);
    struct pool *deep = root;
    for (uint32_t depth = 0; depth < POOL_DEPTH_MAX; depth++) {
        deep = pool_split(deep, 100 - 2 * depth, 0, 100 - 2 * depth);
        CHECK(deep != NULL);
    }
    CHECK(pool_split(deep, 1, 0, 1) == NULL);
    machine_check();
}

TEST(objects_exhausted, "when all slots are taken a creation fails and takes no memory") {
    struct pool *root = machine_make(FRAMES, KERNEL, FRAMES);
    while (object_create(OBJECT_EVENT, 32, root) != NULL) {
    }
    CHECK_EQUAL(objects.used, objects.count - 1);
    uint32_t used = root->used;
    CHECK(object_create(OBJECT_EVENT, 32, root) == NULL);
    CHECK_EQUAL(root->used, used);
    machine_check();
}
