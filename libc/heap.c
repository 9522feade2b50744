// SPDX-License-Identifier: MIT
// Size classes over spans: the slow paths behind the cache of free blocks.
#include "heap.h"
#include "heap_run.h"

#define CACHE_BYTES 32768u  // of one class, at most
#define SPAN_PAGES_MAX 8u
#define REQUEST_MAX ((size_t)HEAP_WINDOW_PAGES / 2 * HEAP_PAGE)

// Steps of 16 bytes up to 256, then four sizes to each power of two.
static uint32_t size_of_class(uint32_t class) {
    if (class < 16) {
        return (class + 1) * HEAP_UNIT;
    }
    uint32_t power = (class - 16) / 4;
    return (256u << power) + ((class - 16) % 4 + 1) * (64u << power);
}

// The fewest pages that waste at most a sixteenth and hold 8 blocks, or else 4, or 2: one block in
// use keeps its whole span.
static uint8_t pages_of_class(uint32_t size) {
    for (uint32_t blocks = 8; blocks > 1; blocks /= 2) {
        for (uint32_t pages = 1; pages <= SPAN_PAGES_MAX; pages++) {
            uint32_t bytes = pages * HEAP_PAGE;
            if (bytes / size >= blocks && bytes % size * 16 <= bytes) {
                return (uint8_t)pages;
            }
        }
    }
    return SPAN_PAGES_MAX;
}

void heap_init(struct heap *heap, const struct heap_source *source, uintptr_t window,
               uint32_t secret) {
    heap->source = *source;
    heap->window = window;
    heap->secret = secret;
    uint32_t unit = 0;
    for (uint32_t class = 0; class < HEAP_CLASSES; class++) {
        uint32_t size = size_of_class(class);
        heap->class_pages[class] = pages_of_class(size);
        for (; unit <= size / HEAP_UNIT; unit++) {
            heap->class_of[unit] = (uint8_t)class;
        }
        struct heap_line *line = &heap->cache.line[class];
        uint32_t limit = CACHE_BYTES / size;
        line->block_size = size;
        line->first = line->top = &heap->cache.block[class][1];
        line->limit = line->top + (limit < HEAP_CACHE ? limit : HEAP_CACHE);
    }
    // Large blocks are never cached: their line is always full.
    struct heap_line *line = &heap->cache.line[HEAP_LARGE];
    line->first = line->top = line->limit = &heap->cache.block[HEAP_LARGE][1];
}

// ---- spans of one class ----------------------------------------------------------------------

static void partial_insert(struct heap *heap, struct span *span) {
    struct span **list = &heap->partial[span->class];
    span->previous = NULL;
    span->next = *list;
    if (*list != NULL) {
        (*list)->previous = span;
    }
    *list = span;
}

static void partial_remove(struct heap *heap, struct span *span) {
    if (span->previous != NULL) {
        span->previous->next = span->next;
    } else {
        heap->partial[span->class] = span->next;
    }
    if (span->next != NULL) {
        span->next->previous = span->previous;
    }
}

static struct span *class_span(struct heap *heap, uint32_t class) {
    if (heap->partial[class] != NULL) {
        return heap->partial[class];
    }
    struct span *span = run_take(heap, heap->class_pages[class], HEAP_PAGE);
    if (span == NULL) {
        return NULL;
    }
    uint32_t size = heap->cache.line[class].block_size;
    uint32_t count = span->pages * HEAP_PAGE / size;
    span->class = (uint8_t)class;
    span->line = &heap->cache.line[class];
    span->block_size = size;
    span->block_count = (uint16_t)count;
    span->free_blocks = (uint16_t)count;
    span->canary = true;
    span->last = span->start + (uintptr_t)(count - 1) * size;
    for (uint32_t word = 0; word < HEAP_SPAN_BLOCKS / 32; word++) {
        uint32_t left = count > word * 32 ? count - word * 32 : 0;
        span->free_bits[word] = left >= 32 ? ~0u : (1u << left) - 1;
    }
    partial_insert(heap, span);
    return span;
}

// Put all free blocks of the span into the cache, as far as there is room; the lowest leaves first.
static void span_drain(struct heap *heap, struct span *span) {
    void **top = span->line->top;
    for (uint32_t word = HEAP_SPAN_BLOCKS / 32; word > 0; word--) {
        uint32_t bits = span->free_bits[word - 1];
        uintptr_t base = span->start + (uintptr_t)(word - 1) * 32 * span->block_size;
        while (bits != 0 && top < span->line->limit) {
            uint32_t bit = 31 - (uint32_t)__builtin_clz(bits);
            bits ^= 1u << bit;
            *top++ = (void *)(base + (uintptr_t)bit * span->block_size);
        }
        span->free_bits[word - 1] = bits;
    }
    span->free_blocks = (uint16_t)(span->free_blocks - (top - span->line->top));
    span->line->top = top;
    if (span->free_blocks == 0) {
        partial_remove(heap, span);
    }
}

// The cache of this class is empty, or the block is a large one.
void *heap_take_slow(struct heap *heap, size_t size) {
    if (size > HEAP_SMALL - HEAP_CANARY) {
        return heap_take_large(heap, size, HEAP_PAGE);
    }
    uint32_t class = heap->class_of[(size + HEAP_CANARY + HEAP_UNIT - 1) / HEAP_UNIT];
    struct span *span = class_span(heap, class);
    if (span == NULL) {
        return NULL;
    }
    span_drain(heap, span);
    return heap_take_cached(heap, size);
}

// Back to its span; a span whose blocks are all back is given back, but for one of each class.
static void block_return(struct heap *heap, uintptr_t block) {
    struct span *span = heap_span(heap, (void *)block);
    uint32_t index = (uint32_t)(block - span->start) / span->block_size;
    span->free_bits[index / 32] |= 1u << index % 32;
    if (span->free_blocks++ == 0) {
        partial_insert(heap, span);
    }
    bool alone = heap->partial[span->class] == span && span->next == NULL;
    if (span->free_blocks == span->block_count && !alone) {
        partial_remove(heap, span);
        run_give(heap, span);
    }
}

static uint32_t line_held(const struct heap_line *line) {
    return (uint32_t)(line->top - line->first);
}

// Move the `count` blocks that lie in the line for longest back to their spans.
static void line_flush(struct heap *heap, struct heap_line *line, uint32_t count) {
    void **first = line->first;
    for (uint32_t i = 0; i < count; i++) {
        block_return(heap, (uintptr_t)first[i]);
    }
    uint32_t left = line_held(line) - count;
    for (uint32_t i = 0; i < left; i++) {
        first[i] = first[count + i];
    }
    line->top = first + left;
}

static bool canary_intact(const struct heap *heap, const struct span *span, const void *block) {
    return !span->canary || heap_word(heap_canary_place(block, span->block_size)) ==
                                heap_canary(heap, block);
}

static void heap_reject(struct heap *heap, const void *block) {
    const struct span *span = heap_span(heap, block);
    enum heap_fault fault = HEAP_WILD;
    if (span != NULL && span->state == SPAN_FREE) {
        fault = HEAP_DOUBLE;
    } else if (span != NULL) {
        uintptr_t offset = (uintptr_t)block - span->start;
        uint32_t index = (uint32_t)(offset / span->block_size);
        if (offset % span->block_size != 0 || (uintptr_t)block > span->last) {
            fault = HEAP_INTERIOR;
        } else if (span->class != HEAP_LARGE &&
                   ((span->free_bits[index / 32] >> index % 32 & 1) ||
                    heap_word(heap_canary_place(block, span->block_size)) ==
                        ~heap_canary(heap, block))) {
            fault = HEAP_DOUBLE;
        } else {
            fault = HEAP_OVERFLOW;
        }
    }
    heap->source.fault(heap->source.context, fault, block);
}

// Not a block in use: nothing, a wrong address, or one whose canary is damaged.
static bool is_wrong(const struct heap *heap, const struct span *span, const void *block) {
    return span == NULL || (uintptr_t)block > span->last ||
           (span->class == HEAP_LARGE && (uintptr_t)block != span->start) ||
           !canary_intact(heap, span, block);
}

// The cache is full, the block is a large one, or it is none.
void heap_give_slow(struct heap *heap, void *block) {
    struct span *span = heap_span(heap, block);
    if (is_wrong(heap, span, block)) {
        heap_reject(heap, block);
    } else if (span->class == HEAP_LARGE) {
        run_give(heap, span);
    } else {
        line_flush(heap, span->line, (line_held(span->line) + 1) / 2);
        heap_give(heap, block);
    }
}

// ---- large blocks, and the rest of the interface ---------------------------------------------

static void large_shape(struct heap *heap, struct span *span, size_t size) {
    span->class = HEAP_LARGE;
    span->line = &heap->cache.line[HEAP_LARGE];
    span->block_size = span->pages * HEAP_PAGE;
    span->block_count = 1;
    span->free_blocks = 0;
    span->last = span->start;
    span->canary = span->block_size - size >= HEAP_CANARY;
    if (span->canary) {
        heap_word_set(heap_canary_place((void *)span->start, span->block_size),
                      heap_canary(heap, (void *)span->start));
    }
}

void *heap_take_large(struct heap *heap, size_t size, size_t alignment) {
    if (size > REQUEST_MAX || alignment > REQUEST_MAX) {
        return NULL;
    }
    uint32_t pages = (uint32_t)((size + HEAP_PAGE - 1) / HEAP_PAGE);
    struct span *span = run_take(heap, pages > 0 ? pages : 1,
                                 alignment > HEAP_PAGE ? alignment : HEAP_PAGE);
    if (span == NULL) {
        return NULL;
    }
    large_shape(heap, span, size);
    return (void *)span->start;
}

// Blocks of a class that is a power of two are aligned to it, up to a page.
void *heap_take_aligned(struct heap *heap, size_t size, size_t alignment) {
    if (alignment <= HEAP_UNIT) {
        return heap_take(heap, size);
    }
    size_t block = alignment;
    while (block < HEAP_SMALL && block < size + HEAP_CANARY) {
        block *= 2;
    }
    if (alignment > HEAP_PAGE || size > HEAP_SMALL - HEAP_CANARY || block > HEAP_SMALL) {
        return heap_take_large(heap, size, alignment);
    }
    return heap_take(heap, block - HEAP_CANARY);
}

void *heap_take_zeroed(struct heap *heap, size_t size) {
    void *block = heap_take(heap, size);
    if (block == NULL) {
        return NULL;
    }
    struct span *span = heap_span(heap, block);
    if (span->class != HEAP_LARGE || span->dirty_pages != 0) {
        __builtin_memset(block, 0, size);
    }
    return block;
}

size_t heap_usable(struct heap *heap, const void *block) {
    struct span *span = heap_span(heap, block);
    if (is_wrong(heap, span, block)) {
        return 0;
    }
    return span->block_size - (span->canary ? HEAP_CANARY : 0);
}

// Where it is, if that wastes no more than half; large blocks try to grow and shrink in place.
static bool resize_in_place(struct heap *heap, struct span *span, size_t usable, size_t size) {
    if (span->class != HEAP_LARGE) {
        return size <= usable && (size >= usable / 2 || usable < 64);
    }
    if (size <= HEAP_SMALL - HEAP_CANARY || size > REQUEST_MAX) {
        return false;
    }
    uint32_t pages = (uint32_t)((size + HEAP_PAGE - 1) / HEAP_PAGE);
    if (pages != span->pages && !run_resize(heap, span, pages)) {
        return false;
    }
    large_shape(heap, span, size);
    return true;
}

void *heap_resize(struct heap *heap, void *block, size_t size) {
    size_t usable = heap_usable(heap, block);
    if (usable == 0) {
        heap_reject(heap, block);
        return NULL;
    }
    if (resize_in_place(heap, heap_span(heap, block), usable, size)) {
        return block;
    }
    void *other = heap_take(heap, size);
    if (other != NULL) {
        __builtin_memcpy(other, block, size < usable ? size : usable);
        heap_give(heap, block);
    }
    return other;
}

void heap_trim(struct heap *heap) {
    for (uint32_t class = 0; class < HEAP_CLASSES; class++) {
        struct heap_line *line = &heap->cache.line[class];
        line_flush(heap, line, line_held(line));
        struct span *span = heap->partial[class];
        while (span != NULL) {
            struct span *next = span->next;
            if (span->free_blocks == span->block_count) {
                partial_remove(heap, span);
                run_give(heap, span);
            }
            span = next;
        }
    }
    run_purge(heap);
}
