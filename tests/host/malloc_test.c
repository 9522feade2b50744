// SPDX-License-Identifier: MIT
// The allocator's core with a page source of its own: what it must refuse, what happens when pages
// run out at any point, and that its blocks never overlap, keep their contents and come back.
#include "heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "test.h"

#define WINDOW_BYTES ((size_t)HEAP_WINDOW_PAGES * HEAP_PAGE)
#define BLOCKS 4000

// ---- a page source that counts, fails on demand and checks what it is told ---------------------
static struct {
    char *window;
    size_t used;           // bytes handed out from the window's beginning
    uint32_t maps;         // calls so far
    uint32_t fail_at;      // this map call and all later ones fail; 0: none does
    size_t largest;        // bytes of one call; 0: any
    bool can_forget;
    size_t forgotten;      // bytes ever forgotten
    uint32_t faults;
    enum heap_fault fault;
} source;

static struct heap *heap;

static void *source_map(void *context, size_t bytes) {
    (void)context;
    if (source.fail_at != 0 && ++source.maps >= source.fail_at) {
        return NULL;
    }
    if (bytes % HEAP_PAGE != 0 || bytes > WINDOW_BYTES - source.used ||
        (source.largest != 0 && bytes > source.largest)) {
        return NULL;
    }
    char *start = source.window + source.used;
    source.used += bytes;
    return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0 ? start : NULL;
}

static bool source_forget(void *context, void *start, size_t bytes) {
    (void)context;
    source.forgotten += bytes;
    return source.can_forget && madvise(start, bytes, MADV_DONTNEED) == 0;
}

static void source_fault(void *context, enum heap_fault fault, const void *block) {
    (void)context;
    (void)block;
    source.faults++;
    source.fault = fault;
}

static const struct heap_source callbacks = {NULL, source_map, source_forget, source_fault};

static void begin(void) {
    static struct heap the_heap;
    if (source.window == NULL) {
        source.window = mmap(NULL, WINDOW_BYTES, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CHECK(source.window != MAP_FAILED);
    }
    if (source.used > 0) {
        CHECK(mmap(source.window, source.used, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
              source.window);
    }
    char *window = source.window;
    memset(&source, 0, sizeof source);
    source.window = window;
    source.can_forget = true;
    memset(&the_heap, 0, sizeof the_heap);
    heap = &the_heap;
    heap_init(heap, &callbacks, (uintptr_t)window, 0x5eedf00d);
}

static void refuse(void *block, enum heap_fault fault) {
    uint32_t faults = source.faults;
    heap_give(heap, block);
    CHECK_EQUAL(source.faults, faults + 1);
    CHECK_EQUAL(source.fault, fault);
    CHECK_EQUAL(heap_check(heap), 0);
}

static uint32_t random_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

// ---- rejections ------------------------------------------------------------------------------

TEST(malloc_double, "a block freed twice is refused, small or large, at once or later") {
    begin();
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
    begin();
    static char *block[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++) {
        block[i] = heap_take(heap, 40);
    }
    for (uint32_t i = 0; i < BLOCKS; i += 2) {
        heap_give(heap, block[i]);
    }
    for (uint32_t i = 0; i < BLOCKS; i += 2) {
        source.faults = 0;
        heap_give(heap, block[i]);
        CHECK(source.faults == 1 && source.fault == HEAP_DOUBLE);
    }
    CHECK_EQUAL(heap_check(heap), 0);
}

TEST(malloc_interior, "every address inside a block but its first is refused") {
    begin();
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
    begin();
    static char elsewhere[64];
    char local[64];
    refuse(elsewhere, HEAP_WILD);
    refuse(local, HEAP_WILD);
    refuse(source.window, HEAP_WILD);
    refuse(source.window + WINDOW_BYTES, HEAP_WILD);
    refuse(source.window - 16, HEAP_WILD);
    refuse((void *)1, HEAP_WILD);
    refuse((void *)UINTPTR_MAX, HEAP_WILD);
    CHECK(heap_take(heap, 100) != NULL);
    refuse(source.window + source.used, HEAP_WILD);
    CHECK_EQUAL(heap_usable(heap, elsewhere), 0);
    CHECK(heap_resize(heap, elsewhere, 10) == NULL);
}

TEST(malloc_overflow, "a write past the end is found when the block is freed or resized") {
    begin();
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
    begin();
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4096, (size_t)1 << 31, WINDOW_BYTES,
                                   WINDOW_BYTES / 2 + 1, SIZE_MAX / 2};
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
    CHECK_EQUAL(source.faults, 0);
}

// ---- exhaustion ------------------------------------------------------------------------------

// A little of everything; returns how many requests failed.
static uint32_t busy(uint32_t seed) {
    static void *block[300];
    uint32_t failed = 0;
    memset(block, 0, sizeof block);
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t at = random_next(&seed) % 300, size = random_next(&seed) % 40000;
        size = i % 4 == 0 ? size : size % 300;
        if (block[at] == NULL) {
            block[at] = i % 3 == 0 ? heap_take_zeroed(heap, size) : heap_take(heap, size);
            failed += block[at] == NULL;
        } else if (i % 5 == 0) {
            void *other = heap_resize(heap, block[at], size);
            failed += other == NULL;
            block[at] = other != NULL ? other : block[at];
        } else {
            heap_give(heap, block[at]);
            block[at] = NULL;
        }
    }
    for (uint32_t i = 0; i < 300; i++) {
        if (block[i] != NULL) {
            heap_give(heap, block[i]);
        }
    }
    return failed;
}

TEST(malloc_exhausted, "with the source failing at the 1st, 2nd ... call only requests fail") {
    uint32_t n = 1, failed;
    do {
        begin();
        source.fail_at = n++;
        source.largest = 65536;
        failed = busy(4711);
        CHECK_EQUAL(heap_check(heap), 0);
        CHECK_EQUAL(source.faults, 0);
        source.fail_at = 0;
        CHECK_EQUAL(busy(4711), 0);
        CHECK_EQUAL(heap_check(heap), 0);
    } while (failed > 0 && n < 1000);
    CHECK(n > 20 && n < 1000);
}

TEST(malloc_no_forget, "a source that cannot forget is asked once and costs no correctness") {
    begin();
    source.can_forget = false;
    CHECK_EQUAL(busy(99), 0);
    size_t asked = source.forgotten;
    CHECK_EQUAL(busy(98), 0);
    CHECK_EQUAL(source.forgotten, asked);
    CHECK_EQUAL(heap_check(heap), 0);
}

// ---- what it must do -------------------------------------------------------------------------

TEST(malloc_small, "every small size gives what was asked for, aligned to 16") {
    begin();
    for (size_t size = 0; size <= 20000; size++) {
        char *block = heap_take(heap, size);
        CHECK(block != NULL && (uintptr_t)block % HEAP_UNIT == 0);
        CHECK(heap_usable(heap, block) >= size);
        CHECK(size < 64 || heap_usable(heap, block) <= size + size / 4 + HEAP_PAGE);
        memset(block, 1, size);
        heap_give(heap, block);
    }
    CHECK_EQUAL(heap_check(heap), 0);
    CHECK_EQUAL(source.faults, 0);
}

TEST(malloc_aligned, "every alignment up to 4 MiB is kept, and such blocks can be freed") {
    begin();
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
    CHECK_EQUAL(source.faults, 0);
}

TEST(malloc_zeroed, "zeroed blocks are zeros, whatever was there before") {
    begin();
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
    begin();
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
    CHECK_EQUAL(source.faults, 0);
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
    begin();
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
    CHECK_EQUAL(source.faults, 0);
}

TEST(malloc_gives_back, "when most is freed, most goes back to the source, in few calls") {
    begin();
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
    begin();
    CHECK_EQUAL(busy(5), 0);
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

TEST(malloc_check_sees, "heap_check finds damage planted in each structure") {
    begin();
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
