// SPDX-License-Identifier: MIT
// The allocator's core: its blocks never overlap, keep their contents and come back.
#include "heap_host.h"

#include <string.h>

#include "random.h"
#include "test.h"

#define BLOCKS 4000

TEST(malloc_small, "every small size gives what was asked for, aligned to 16") {
    heap_host_begin();
    for (size_t size = 0; size <= 20000; size++) {
        char *block = heap_take(heap, size);
        CHECK(block != NULL && (uintptr_t)block % HEAP_UNIT == 0);
        CHECK(heap_usable(heap, block) >= size);
        CHECK(size < 64 || heap_usable(heap, block) <= size + size / 4 + HEAP_PAGE);
        memset(block, 1, size);
        heap_give(heap, block);
    }
    CHECK_EQUAL(heap_check(heap), 0);
    CHECK_EQUAL(heap_pages.faults, 0);
}

TEST(malloc_aligned, "every alignment up to 4 MiB is kept, and such blocks can be freed") {
    heap_host_begin();
    for (size_t alignment = 1; alignment <= 4u << 20; alignment *= 2) {
        for (size_t size = 1; size < 100000; size = size * 3 + 1) {
            char *first = heap_take_aligned(heap, size, alignment);
            char *second = heap_take_aligned(heap, size, alignment);
            CHECK(first != NULL && second != NULL && first != second);
            CHECK((uintptr_t)first % alignment == 0 && (uintptr_t)second % alignment == 0);
            CHECK(heap_usable(heap, first) >= size);
            memset(first, 1, size);
            heap_give(heap, first);
            heap_give(heap, second);
        }
    }
    CHECK_EQUAL(heap_check(heap), 0);
    CHECK_EQUAL(heap_pages.faults, 0);
}

TEST(malloc_zeroed, "zeroed blocks are zeros, whatever was there before") {
    heap_host_begin();
    static const size_t sizes[] = {10, 500, 9000, 200000, 3000000};
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *block = heap_take_zeroed(heap, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at++) {
                CHECK(block[at] == 0);
            }
            memset(block, 0xee, sizes[i]);
            heap_give(heap, block);
        }
    }
}

TEST(malloc_resize, "contents survive growing and shrinking, in small steps and large") {
    heap_host_begin();
    uint32_t seed = 3;
    unsigned char *block = heap_take(heap, 1);
    size_t kept = 0;
    for (int i = 0; i < 4000; i++) {
        size_t size = random_next(&seed) % (i % 3 == 0 ? 200000 : 600) + 1;
        block = heap_resize(heap, block, size);
        CHECK(block != NULL);
        for (size_t at = 0; at < (kept < size ? kept : size); at++) {
            CHECK(block[at] == (unsigned char)(at * 7));
        }
        for (size_t at = 0; at < size; at++) {
            block[at] = (unsigned char)(at * 7);
        }
        kept = size;
    }
    heap_give(heap, block);
    CHECK_EQUAL(heap_check(heap), 0);
    CHECK_EQUAL(heap_pages.faults, 0);
}

// The shadow: what each block ought to hold.
struct shadow {
    unsigned char *block;
    size_t size;
    unsigned char byte;
};

static void shadow_check(const struct shadow *at) {
    size_t step = at->size > 512 ? 61 : 1;
    for (size_t i = 0; i < at->size; i += step) {
        CHECK(at->block[i] == at->byte);
    }
    CHECK(at->size == 0 || at->block[at->size - 1] == at->byte);
}

static size_t random_size(uint32_t *seed) {
    uint32_t kind = random_next(seed) % 100, value = random_next(seed);
    return kind < 70 ? value % 256 : kind < 95 ? value % 8192 : value % 150000;
}

static void shadow_step(struct shadow *at, uint32_t *seed) {
    size_t size = random_size(seed);
    uint32_t kind = random_next(seed) % 8;
    if (at->block == NULL) {
        at->block = kind == 0 ? heap_take_aligned(heap, size, 16u << random_next(seed) % 9)
                              : heap_take(heap, size);
    } else if (kind < 2) {
        shadow_check(at);
        at->block = heap_resize(heap, at->block, size);
    } else {
        shadow_check(at);
        heap_give(heap, at->block);
        *at = (struct shadow){0};
        return;
    }
    CHECK(at->block != NULL);
    at->size = size;
    at->byte = (unsigned char)random_next(seed);
    memset(at->block, at->byte, size);
}

TEST(malloc_shadow, "400,000 random requests against a shadow: no block ever touches another") {
    static struct shadow shadow[2000];
    uint32_t seed = 20250101;
    heap_host_begin();
    memset(shadow, 0, sizeof shadow);
    for (uint32_t i = 0; i < 400000; i++) {
        shadow_step(&shadow[random_next(&seed) % 2000], &seed);
        if (i % 5000 == 0) {
            CHECK_EQUAL(heap_check(heap), 0);
        }
    }
    for (uint32_t i = 0; i < 2000; i++) {
        if (shadow[i].block != NULL) {
            shadow_check(&shadow[i]);
            heap_give(heap, shadow[i].block);
        }
    }
    heap_trim(heap);
    CHECK_EQUAL(heap_check(heap), 0);
    CHECK_EQUAL(heap->used_pages, 0);
    CHECK_EQUAL(heap_pages.faults, 0);
}

TEST(malloc_gives_back, "when most is freed, most goes back to the source, in few calls") {
    heap_host_begin();
    static char *block[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++) {
        block[i] = heap_take(heap, 2000);
        memset(block[i], 1, 2000);
    }
    uint32_t used = heap->used_pages;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        if (i / 40 % 10 != 0) {
            heap_give(heap, block[i]);
        }
    }
    CHECK(heap->used_pages < used / 4);
    CHECK(heap->dirty_pages <= 64 + heap->used_pages / 8);
    CHECK(heap->source_calls < 400);
    CHECK_EQUAL(heap_check(heap), 0);
}

TEST(malloc_few_calls, "a steady program asks the source for nothing") {
    heap_host_begin();
    CHECK_EQUAL(heap_host_use(5), 0);
    uint32_t calls = heap->source_calls;
    for (int i = 0; i < 20; i++) {
        void *block = heap_take(heap, 300);
        heap_give(heap, block);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        heap_give(heap, heap_take(heap, i % 1000));
    }
    CHECK_EQUAL(heap->source_calls, calls);
}
