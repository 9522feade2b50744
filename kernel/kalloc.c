// SPDX-License-Identifier: MIT
#include "kalloc.h"
#include "cpu.h"
#include "list.h"
#include "panic.h"
#include "window.h"

// Head of a slab. Free objects are linked through their first word.
//   free + used == capacity; a slab is in its pool's list exactly when free > 0
struct slab {
    struct slab *next;
    void *at;
    void *first_free;
    uint16_t class;
    uint16_t used;
    uint16_t capacity;
    uint16_t pool;
    uint32_t reserved[3];
};
#define SLAB_HEAD (sizeof(void *) == 4 ? 32u : 64u)  // where objects begin
_Static_assert(sizeof(struct slab) <= SLAB_HEAD, "the head lies before the objects");

#define SLAB_SPACE (PAGE_SIZE - SLAB_HEAD)

static uint32_t class_of(uint32_t bytes) {
    return bytes <= 32 ? 0 : bit_highest(bytes - 1) + 1 - 5;
}

// The largest class holds two objects in what the head leaves of a page.
static uint32_t class_bytes(uint32_t class) {
    return class == KALLOC_CLASSES - 1 ? 2016 : 32u << class;
}

static struct slab *slab_create(struct pool *pool, uint32_t class) {
    struct slab *slab = kalloc_page(pool, FRAME_OBJECT);
    if (slab == NULL) {
        return NULL;
    }
    uint32_t bytes = class_bytes(class);
    slab->class = (uint16_t)class;
    slab->capacity = (uint16_t)(SLAB_SPACE / bytes);
    slab->pool = pool_number(pool);
    char *object = (char *)slab + SLAB_HEAD;
    for (uint32_t i = 0; i < slab->capacity; i++, object += bytes) {
        *(void **)object = slab->first_free;
        slab->first_free = object;
    }
    LIST_ADD(pool->partial[slab->class], slab, next);
    return slab;
}

void *kalloc(struct pool *pool, uint32_t bytes) {
    uint32_t class = class_of(bytes);
    ASSERT(class < KALLOC_CLASSES && bytes <= class_bytes(class));
    struct slab *slab = pool->partial[class];
    if (slab == NULL && (slab = slab_create(pool, class)) == NULL) {
        return NULL;
    }
    void *object = slab->first_free;
    slab->first_free = *(void **)object;
    if (++slab->used == slab->capacity) {
        LIST_REMOVE(slab, next);
    }
    bytes_zero(object, class_bytes(class));
    return object;
}

bool kalloc_poison;

static void poison(void *memory, uint32_t bytes) {
    for (uint32_t *word = memory; bytes >= 4; bytes -= 4) {
        *word++ = 0x5afe5afe;
    }
}

void kfree(struct pool *pool, void *memory) {
    struct slab *slab = (struct slab *)((uintptr_t)memory & ~(uintptr_t)(PAGE_SIZE - 1));
    ASSERT(slab->pool == pool_number(pool) && slab->used > 0);
    if (__builtin_expect(kalloc_poison, 0)) {
        poison(memory, class_bytes(slab->class));
    }
    if (slab->used-- == slab->capacity) {
        LIST_ADD(pool->partial[slab->class], slab, next);
    }
    *(void **)memory = slab->first_free;
    slab->first_free = memory;
    if (slab->used == 0) {
        LIST_REMOVE(slab, next);
        kfree_page(pool, slab);
    }
}

void *kalloc_page(struct pool *pool, enum frame_type type) {
    frame_t frame = pool_take(pool, type);
    return frame == FRAME_NONE ? NULL : window_address(frame);
}

void kfree_page(struct pool *pool, void *page) {
    pool_release(pool, window_frame(page));
}
