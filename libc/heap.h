// SPDX-License-Identifier: MIT
// The allocator's core: size classes, spans of pages, and a cache of free blocks in front of them.
// It gets its pages from a source and knows neither messages nor threads nor errno, so that the
// same code is tested on a host with a source of its own.
//
// All that describes blocks lies in struct heap, far from the blocks; a block holds one word that
// is not the program's, the canary at its end. Its value depends on the block's address and on
// whether the block is in use: that tells double frees, frees of other addresses and writes past
// the end apart, at the price of one comparison.
//
// Not for several threads yet: struct heap_cache is what each thread will have of its own, the
// rest is what a lock will guard.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_PAGE 4096u
#if UINTPTR_MAX > UINT32_MAX
#define HEAP_WINDOW_PAGES 0x70000u  // of the address range that the source maps into
#else
#define HEAP_WINDOW_PAGES 0x100000u  // all of the address space: then no address needs a check
#endif
#define HEAP_SPANS 32768u
#define HEAP_UNIT 16u               // blocks are multiples of it, and aligned to it
#define HEAP_CANARY 4u              // bytes at the end of a block
#define HEAP_SMALL 8192u            // largest block of a size class; above: whole pages
#define HEAP_CLASSES 36u
#define HEAP_LARGE HEAP_CLASSES     // the class of spans that are one large block
#define HEAP_SPAN_BLOCKS 256u
#define HEAP_CACHE 1024u            // most blocks that the cache holds of one class
#define HEAP_BINS 64u               // free runs by length in pages; the last bin: that or longer

enum heap_fault {
    HEAP_WILD,      // an address that the heap never gave
    HEAP_INTERIOR,  // inside a block
    HEAP_DOUBLE,    // freed before
    HEAP_OVERFLOW,  // written past its end
};

// Where pages come from and go to. `context` is handed through.
struct heap_source {
    void *context;
    // `bytes` (a multiple of the page) of zeroed memory inside the window, or NULL.
    void *(*map)(void *context, size_t bytes);
    // The contents may be dropped; what is read there next must be zeros. False: not possible.
    bool (*forget)(void *context, void *start, size_t bytes);
    // The program's fault; may return, then the request had no effect.
    void (*fault)(void *context, enum heap_fault fault, const void *block);
};

enum span_state { SPAN_UNUSED, SPAN_FREE, SPAN_BLOCKS };

// A run of pages: free, one large block, or blocks of one class. Law, for blocks of a class:
// free_blocks == number of bits set in free_bits, and block_count - free_blocks blocks are with
// the program or in the cache. heap_check() walks all spans.
struct span {
    uintptr_t start;
    uintptr_t last;        // start of its last block; 0 while the run is free
    struct heap_line *line;  // its class's line of the cache
    uint32_t block_size;   // bytes, canary included
    uint32_t pages;
    uint8_t state;         // enum span_state
    uint8_t class;
    uint16_t block_count;
    uint16_t free_blocks;
    bool canary;           // large blocks without room for one have none
    uint32_t dirty_pages;  // at most so many hold other than zeros
    struct span *next;     // in its class's list of spans with free bits, its bin, or unused
    struct span *previous;
    uint32_t free_bits[HEAP_SPAN_BLOCKS / 32];
};

// Blocks of one class, ready to be handed out, last in, first out. first[-1] is NULL for ever, top
// points behind the last block. Law: first <= top <= limit.
struct heap_line {
    void **top;
    void **limit;
    void **first;
    uint32_t block_size;
};

struct heap_cache {
    struct heap_line line[HEAP_CLASSES + 1];
    void *block[HEAP_CLASSES + 1][HEAP_CACHE + 1];
};

struct heap {
    struct heap_cache cache;
    uintptr_t window;  // first address that the source may give; 0 where the window is everything
    uint32_t secret;
    uint8_t class_pages[HEAP_CLASSES];
    uint8_t class_of[HEAP_SMALL / HEAP_UNIT + 1];  // by block size in units
    struct heap_source source;
    struct span *partial[HEAP_CLASSES];  // spans that have free bits
    struct span *bin[HEAP_BINS];
    struct span *unused;                 // descriptors given back
    uint32_t span_count;                 // descriptors ever used
    uint32_t chunk_pages;                // how much to ask the source for next time
    uint32_t mapped_pages, used_pages, dirty_pages;  // dirty: of the free ones
    uint32_t source_calls;
    bool keep;                           // the source cannot forget: do not ask again
    struct span span[HEAP_SPANS];
    struct span *page_span[HEAP_WINDOW_PAGES];
};

void heap_init(struct heap *heap, const struct heap_source *source, uintptr_t window,
               uint32_t secret);

// What the inline functions below leave over: an empty or full cache, large blocks, faults.
void *heap_take_slow(struct heap *heap, size_t size);
void heap_give_slow(struct heap *heap, void *block);

// A block of whole pages; NULL when the source has no more. alignment is a power of two.
void *heap_take_large(struct heap *heap, size_t size, size_t alignment);
void *heap_take_aligned(struct heap *heap, size_t size, size_t alignment);
// As above, and the contents are zeros; `size` was checked against overflow.
void *heap_take_zeroed(struct heap *heap, size_t size);
void *heap_resize(struct heap *heap, void *block, size_t size);
// Bytes the program may use, or 0 when `block` is not a block in use.
size_t heap_usable(struct heap *heap, const void *block);
// Give back what is cached and free: for tests, and for programs that wait for long.
void heap_trim(struct heap *heap);
// Walks all structures; returns the number of broken laws.
uint32_t heap_check(const struct heap *heap);

static inline uint32_t heap_word(const void *address) {
    uint32_t word;
    __builtin_memcpy(&word, address, sizeof word);
    return word;
}

static inline void heap_word_set(void *address, uint32_t word) {
    __builtin_memcpy(address, &word, sizeof word);
}

static inline uint32_t heap_canary(const struct heap *heap, const void *block) {
    return heap->secret ^ (uint32_t)(uintptr_t)block;
}

static inline void *heap_canary_place(const void *block, uint32_t block_size) {
    return (char *)(uintptr_t)block + block_size - HEAP_CANARY;
}

static inline uintptr_t heap_page(const struct heap *heap, uintptr_t address) {
    uintptr_t window = UINTPTR_MAX > UINT32_MAX ? heap->window : 0;
    return (address - window) / HEAP_PAGE;
}

// The span that an address lies in; NULL outside all spans. The address is an allegation.
static inline struct span *heap_span(const struct heap *heap, const void *address) {
    uintptr_t page = heap_page(heap, (uintptr_t)address);
    return page < HEAP_WINDOW_PAGES ? heap->page_span[page] : NULL;
}

// The line of the class for requests of `size` bytes, which must be small.
static inline struct heap_line *heap_line(struct heap *heap, size_t size) {
    return &heap->cache.line[heap->class_of[(size + HEAP_CANARY + HEAP_UNIT - 1) / HEAP_UNIT]];
}

// A block from the cache; NULL: heap_take_slow() has to find one.
static inline void *heap_take_cached(struct heap *heap, size_t size) {
    if (__builtin_expect(size > HEAP_SMALL - HEAP_CANARY, 0)) {
        return NULL;
    }
    struct heap_line *line = heap_line(heap, size);
    void **top = line->top;
    void *block = top[-1];
    if (__builtin_expect(block != NULL, 1)) {
        line->top = top - 1;
        heap_word_set(heap_canary_place(block, line->block_size), heap_canary(heap, block));
    }
    return block;
}

// Put a block into the cache; false: nothing was changed, and heap_give_slow() has to see to it.
// `block` is an allegation: nothing of it is read before it is known to lie in a span.
static inline bool heap_give_cached(struct heap *heap, void *block) {
    struct span *span = heap_span(heap, block);
    if (__builtin_expect(span == NULL || (uintptr_t)block > span->last, 0)) {
        return false;
    }
    struct heap_line *line = span->line;
    void *place = heap_canary_place(block, span->block_size);
    uint32_t canary = heap_word(place);
    if (__builtin_expect((canary ^ (uint32_t)(uintptr_t)block) != heap->secret, 0)) {
        return false;
    }
    void **top = line->top;
    if (__builtin_expect(top == line->limit, 0)) {
        return false;
    }
    heap_word_set(place, ~canary);
    *top = block;
    line->top = top + 1;
    return true;
}

static inline void *heap_take(struct heap *heap, size_t size) {
    void *block = heap_take_cached(heap, size);
    return block != NULL ? block : heap_take_slow(heap, size);
}

static inline void heap_give(struct heap *heap, void *block) {
    if (!heap_give_cached(heap, block)) {
        heap_give_slow(heap, block);
    }
}
