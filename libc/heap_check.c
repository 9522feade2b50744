// SPDX-License-Identifier: MIT
// The laws of struct heap, walked in full. For tests: it costs time and changes nothing.
#include "heap.h"
#include "heap_run.h"

static uint32_t bits_set(const struct span *span) {
    uint32_t count = 0;
    for (uint32_t word = 0; word < HEAP_SPAN_BLOCKS / 32; word++) {
        count += (uint32_t)__builtin_popcount(span->free_bits[word]);
    }
    return count;
}

static const struct span *span_at(const struct heap *heap, uintptr_t address) {
    return heap_span(heap, (const void *)address);
}

static uint32_t check_blocks(const struct heap *heap, const struct span *span) {
    uint32_t broken = 0;
    for (uint32_t page = 0; page < span->pages; page++) {
        broken += span_at(heap, span->start + (uintptr_t)page * HEAP_PAGE) != span;
    }
    if (span->class == HEAP_LARGE) {
        return broken + (span->last != span->start) + (span->block_count != 1);
    }
    broken += span->class > HEAP_LARGE || span->line != &heap->cache.line[span->class] ||
              span->block_size != span->line->block_size;
    broken += bits_set(span) != span->free_blocks;
    broken += span->free_blocks > span->block_count;
    broken += span->last + span->block_size > span->start + (uintptr_t)span->pages * HEAP_PAGE;
    return broken;
}

static uint32_t check_free(const struct heap *heap, const struct span *span) {
    uintptr_t end = span->start + (uintptr_t)span->pages * HEAP_PAGE;
    const struct span *next = span_at(heap, end);
    return (span_at(heap, span->start) != span) + (span_at(heap, end - HEAP_PAGE) != span) +
           (span->last != 0) + (span->dirty_pages > span->pages) +
           (next != NULL && next->state == SPAN_FREE);
}

static uint32_t check_lists(const struct heap *heap, uint32_t *listed_free) {
    uint32_t broken = 0;
    for (uint32_t bin = 0; bin < HEAP_BINS; bin++) {
        const struct span *previous = NULL;
        for (const struct span *span = heap->bin[bin]; span != NULL; span = span->next) {
            broken += span->state != SPAN_FREE || run_bin(span->pages) != bin ||
                      span->previous != previous;
            previous = span;
            ++*listed_free;
        }
    }
    for (uint32_t class = 0; class < HEAP_CLASSES; class++) {
        const struct span *previous = NULL;
        for (const struct span *span = heap->partial[class]; span != NULL; span = span->next) {
            broken += span->state != SPAN_BLOCKS || span->class != class ||
                      span->free_blocks == 0 || span->previous != previous;
            previous = span;
        }
    }
    return broken;
}

// No block in the cache may be marked free in its span as well.
static uint32_t check_line(const struct heap *heap, const struct heap_line *line) {
    uint32_t broken = line->first[-1] != NULL || line->top < line->first || line->top > line->limit;
    for (void *const *at = line->first; at < line->top; at++) {
        const struct span *span = heap_span(heap, *at);
        if (span == NULL || span->line != line || (uintptr_t)*at > span->last) {
            broken++;
            continue;
        }
        uint32_t index = (uint32_t)((uintptr_t)*at - span->start) / span->block_size;
        broken += span->free_bits[index / 32] >> index % 32 & 1;
    }
    return broken;
}

static uint32_t check_cache(const struct heap *heap) {
    const struct heap_line *large = &heap->cache.line[HEAP_LARGE];
    uint32_t broken = large->top != large->limit || large->top != large->first;
    for (uint32_t class = 0; class < HEAP_CLASSES; class++) {
        broken += check_line(heap, &heap->cache.line[class]);
    }
    return broken;
}

uint32_t heap_check(const struct heap *heap) {
    uint32_t broken = 0, used = 0, unused = 0, dirty = 0, runs = 0, listed = 0;
    uint32_t mapped = 0;
    for (uint32_t i = 0; i < heap->span_count; i++) {
        const struct span *span = &heap->span[i];
        if (span->state == SPAN_BLOCKS) {
            broken += check_blocks(heap, span);
            used += span->pages;
        } else if (span->state == SPAN_FREE) {
            broken += check_free(heap, span);
            dirty += span->dirty_pages;
            mapped += span->pages;
            runs++;
        } else {
            unused++;
        }
    }
    mapped += used;
    broken += check_lists(heap, &listed) + check_cache(heap);
    for (const struct span *span = heap->unused; span != NULL; span = span->next) {
        unused--;
    }
    return broken + (used != heap->used_pages) + (mapped != heap->mapped_pages) +
           (dirty != heap->dirty_pages) + (listed != runs) + (unused != 0);
}
