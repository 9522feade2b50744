// SPDX-License-Identifier: MIT
// The allocator's core on the host: see heap_host.h.
#include "heap_host.h"

#include <string.h>
#include <sys/mman.h>

#include "random.h"
#include "test.h"

struct heap *heap;
struct heap_pages heap_pages;

static void *source_map(void *context, size_t bytes) {
    (void)context;
    if (heap_pages.fail_at != 0 && ++heap_pages.maps >= heap_pages.fail_at) {
        return NULL;
    }
    if (bytes % HEAP_PAGE != 0 || bytes > HEAP_HOST_BYTES - heap_pages.used ||
        (heap_pages.largest != 0 && bytes > heap_pages.largest)) {
        return NULL;
    }
    char *start = heap_pages.window + heap_pages.used;
    heap_pages.used += bytes;
    return mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0 ? start : NULL;
}

static bool source_forget(void *context, void *start, size_t bytes) {
    (void)context;
    heap_pages.forgotten += bytes;
    return heap_pages.can_forget && madvise(start, bytes, MADV_DONTNEED) == 0;
}

static void source_fault(void *context, enum heap_fault fault, const void *block) {
    (void)context;
    (void)block;
    heap_pages.faults++;
    heap_pages.fault = fault;
}

static const struct heap_source callbacks = {NULL, source_map, source_forget, source_fault};

void heap_host_begin(void) {
    static struct heap the_heap;
    if (heap_pages.window == NULL) {
        heap_pages.window = mmap(NULL, HEAP_HOST_BYTES, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CHECK(heap_pages.window != MAP_FAILED);
    }
    if (heap_pages.used > 0) {
        CHECK(mmap(heap_pages.window, heap_pages.used, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
              heap_pages.window);
    }
    char *window = heap_pages.window;
    memset(&heap_pages, 0, sizeof heap_pages);
    heap_pages.window = window;
    heap_pages.can_forget = true;
    memset(&the_heap, 0, sizeof the_heap);
    heap = &the_heap;
    heap_init(heap, &callbacks, (uintptr_t)window, 0x5eedf00d);
}

uint32_t heap_host_use(uint32_t seed) {
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
