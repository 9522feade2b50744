// SPDX-License-Identifier: MIT
// malloc and its kin: the heap's core with pages that come from the pager by message. An error of
// the program (double free, wild free, write past the end) is one line on stderr and the end.
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"
#include "linux.h"
#include "stubs.h"

static struct heap heap;

static void *pages_map(void *context, size_t bytes) {
    struct pager_map_out out;
    (void)context;
    error_t error = pager_map(HANDLE(SLOT_PAGER), 0, bytes, MAP_READ | MAP_WRITE, &out);
    return error == OK ? (void *)out.address : NULL;
}

static bool pages_forget(void *context, void *start, size_t bytes) {
    (void)context;
    return pager_advise(HANDLE(SLOT_PAGER), (uint32_t)start, bytes, ADVICE_FREE) == OK;
}

// Nothing here may allocate.
static void program_fault(void *context, enum heap_fault fault, const void *block) {
    static const char *const texts[] = {
        [HEAP_WILD] = "is no block of this heap",
        [HEAP_INTERIOR] = "lies inside a block",
        [HEAP_DOUBLE] = "was freed before",
        [HEAP_OVERFLOW] = "was written past its end",
    };
    char line[96];
    (void)context;
    int length = snprintf(line, sizeof line, "malloc: freed or resized: %p %s\n", block,
                          texts[fault]);
    if (write(STDERR_FILENO, line, (size_t)length) < 0) {
        errno = EIO;  // the console is gone: abort() tells as much as can be told
    }
    abort();
}

// Before all other constructors, for they may allocate.
__attribute__((constructor(101))) static void heap_begin(void) {
    static const struct heap_source source = {NULL, pages_map, pages_forget, program_fault};
    heap_init(&heap, &source, 0, linux_random_word());
}

static void *answer(void *block) {
    if (block == NULL) {
        errno = ENOMEM;
    }
    return block;
}

// The two that count are kept free of a frame: what is rare stands in functions of its own, which
// are called as any others (noipa), so that no register has to be kept for them.
#define SHORT __attribute__((optimize("omit-frame-pointer")))
#define RARE __attribute__((noipa))

RARE static void *malloc_slow(size_t size) {
    return answer(heap_take_slow(&heap, size));
}

RARE static void free_slow(void *block) {
    if (block != NULL) {
        heap_give_slow(&heap, block);
    }
}

SHORT void *malloc(size_t size) {
    void *block = heap_take_cached(&heap, size);
    return __builtin_expect(block != NULL, 1) ? block : malloc_slow(size);
}

SHORT void free(void *block) {
    if (__builtin_expect(!heap_give_cached(&heap, block), 0)) {
        free_slow(block);
    }
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return answer(NULL);
    }
    return answer(heap_take_zeroed(&heap, bytes));
}

void *realloc(void *block, size_t size) {
    return answer(block == NULL ? heap_take(&heap, size) : heap_resize(&heap, block, size));
}

static bool power_of_two(size_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
    if (!power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return answer(heap_take_aligned(&heap, size, alignment));
}

void *memalign(size_t alignment, size_t size) {
    return aligned_alloc(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    if (!power_of_two(alignment) || alignment < sizeof(void *)) {
        return EINVAL;
    }
    void *found = heap_take_aligned(&heap, size, alignment);
    if (found == NULL) {
        return ENOMEM;
    }
    *block = found;
    return 0;
}

size_t malloc_usable_size(void *block) {
    return block == NULL ? 0 : heap_usable(&heap, block);
}
