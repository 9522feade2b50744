// SPDX-License-Identifier: MIT
// The allocator's core: what it must refuse, what happens when pages run out at any point, and that
// its check sees damage.
#include "heap_host.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#define BLOCKS 4000

static void refuse(void *block, enum heap_fault fault) {
    uint32_t faults = heap_pages.faults;
    heap_give(heap, block);
    CHECK_EQUAL(heap_pages.faults, faults + 1);
    CHECK_EQUAL(heap_pages.fault, fault);
    CHECK_EQUAL(heap_check(heap), 0);
}

// ---- rejections ------------------------------------------------------------------------------

TEST(malloc_double, "a block freed twice is refused, small or large, at once or later") {
    heap_host_begin();
    static const size_t sizes[] = {1, 12, 13, 100, 1000, 8188, 8189, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = heap_take(heap, sizes[i]);
        CHECK(block != NULL);
        heap_give(heap, block);
        refuse(block, HEAP_DOUBLE);
        heap_trim(heap);  // now its span is gone as well
        refuse(block, HEAP_DOUBLE);
    }
}

TEST(malloc_double_batch, "of many blocks freed, each is refused a second time") {
    heap_host_begin();
    static char *block[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++) {
        block[i] = heap_take(heap, 40);
    }
    for (uint32_t i = 0; i < BLOCKS; i += 2) {
        heap_give(heap, block[i]);
    }
    for (uint32_t i = 0; i < BLOCKS; i += 2) {
        heap_pages.faults = 0;
        heap_give(heap, block[i]);
        CHECK(heap_pages.faults == 1 && heap_pages.fault == HEAP_DOUBLE);
    }
    CHECK_EQUAL(heap_check(heap), 0);
}

TEST(malloc_interior, "every address inside a block but its first is refused") {
    heap_host_begin();
    static const size_t sizes[] = {12, 24, 200, 700, 3000, 8000, 50000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = heap_take(heap, sizes[i]);
        size_t step = sizes[i] > 10000 ? 997 : 1;
        for (size_t at = 1; at < sizes[i]; at += step) {
            refuse(block + at, HEAP_INTERIOR);
        }
        heap_give(heap, block);
    }
    CHECK_EQUAL(heap_check(heap), 0);
}

TEST(malloc_wild, "addresses that the heap never gave are refused without being read") {
    heap_host_begin();
    static char elsewhere[64];
    char local[64];
    refuse(elsewhere, HEAP_WILD);
    refuse(local, HEAP_WILD);
    refuse(heap_pages.window, HEAP_WILD);
    refuse(heap_pages.window + HEAP_HOST_BYTES, HEAP_WILD);
    refuse(heap_pages.window - 16, HEAP_WILD);
    refuse((void *)1, HEAP_WILD);
    refuse((void *)UINTPTR_MAX, HEAP_WILD);
    CHECK(heap_take(heap, 100) != NULL);
    refuse(heap_pages.window + heap_pages.used, HEAP_WILD);
    CHECK_EQUAL(heap_usable(heap, elsewhere), 0);
    CHECK(heap_resize(heap, elsewhere, 10) == NULL);
}

TEST(malloc_overflow, "a write past the end is found when the block is freed or resized") {
    heap_host_begin();
    for (size_t size = 1; size < 20000; size += size / 3 + 1) {
        char *block = heap_take(heap, size);
        size_t usable = heap_usable(heap, block);
        CHECK(usable >= size);
        bool guarded = size <= HEAP_SMALL || size % HEAP_PAGE < HEAP_PAGE - HEAP_CANARY;
        memset(block, 0x41, usable);
        if (!guarded || size % HEAP_PAGE == 0) {
            heap_give(heap, block);
            continue;
        }
        char saved = block[usable];
        block[usable] ^= 1;
        refuse(block, HEAP_OVERFLOW);
        CHECK(heap_resize(heap, block, size + 1) == NULL);
        block[usable] = saved;
        heap_give(heap, block);
    }
    CHECK_EQUAL(heap_check(heap), 0);
}

TEST(malloc_too_much, "sizes beyond all memory are refused and change nothing") {
    heap_host_begin();
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4096, (size_t)1 << 31, HEAP_HOST_BYTES,
                                   HEAP_HOST_BYTES / 2 + 1, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK(heap_take(heap, sizes[i]) == NULL);
        CHECK(heap_take_zeroed(heap, sizes[i]) == NULL);
        CHECK(heap_take_aligned(heap, sizes[i], 65536) == NULL);
    }
    char *block = heap_take(heap, 10);
    strcpy(block, "kept");
    CHECK(heap_resize(heap, block, SIZE_MAX - 100) == NULL);
    CHECK(strcmp(block, "kept") == 0);
    char *large = heap_take(heap, 70000);
    CHECK(heap_resize(heap, large, SIZE_MAX - 100) == NULL);
    CHECK_EQUAL(heap_check(heap), 0);
    CHECK_EQUAL(heap_pages.faults, 0);
}

// ---- exhaustion ------------------------------------------------------------------------------

TEST(malloc_exhausted, "with the source failing at the 1st, 2nd ... call only requests fail") {
    uint32_t n = 1, failed;
    do {
        heap_host_begin();
        heap_pages.fail_at = n++;
        heap_pages.largest = 65536;
        failed = heap_host_use(4711);
        CHECK_EQUAL(heap_check(heap), 0);
        CHECK_EQUAL(heap_pages.faults, 0);
        heap_pages.fail_at = 0;
        CHECK_EQUAL(heap_host_use(4711), 0);
        CHECK_EQUAL(heap_check(heap), 0);
    } while (failed > 0 && n < 1000);
    CHECK(n > 20 && n < 1000);
}

TEST(malloc_no_forget, "a source that cannot forget is asked once and costs no correctness") {
    heap_host_begin();
    heap_pages.can_forget = false;
    CHECK_EQUAL(heap_host_use(99), 0);
    size_t asked = heap_pages.forgotten;
    CHECK_EQUAL(heap_host_use(98), 0);
    CHECK_EQUAL(heap_pages.forgotten, asked);
    CHECK_EQUAL(heap_check(heap), 0);
}

TEST(malloc_check_sees, "heap_check finds damage planted in each structure") {
    heap_host_begin();
    char *block = heap_take(heap, 100), *large = heap_take(heap, 50000);
    struct span *span = heap_span(heap, block);
    CHECK(large != NULL && heap_check(heap) == 0);
    span->free_blocks++;
    CHECK(heap_check(heap) > 0);
    span->free_blocks--;
    span->free_bits[0] ^= 1u << (((uintptr_t)block - span->start) / span->block_size);
    CHECK(heap_check(heap) > 0);
    span->free_bits[0] ^= 1u << (((uintptr_t)block - span->start) / span->block_size);
    heap->used_pages++;
    CHECK(heap_check(heap) > 0);
    heap->used_pages--;
    heap->page_span[((uintptr_t)large - heap->window) / HEAP_PAGE + 3] = NULL;
    CHECK(heap_check(heap) > 0);
}
