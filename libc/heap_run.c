// SPDX-License-Identifier: MIT
// Free runs stand in bins by length; neighbours are found through the page table and joined.
// Pages that were used and are free now ("dirty") are given back together once they exceed a share
// of those in use, so that a steady program never asks the source for anything.
#include "heap_run.h"

#define CHUNK_FIRST 256u    // pages asked for the first time, then doubled ...
#define CHUNK_LAST 4096u    // ... up to here: address space costs nothing until it is touched
#define DIRTY_FLOOR 64u     // free dirty pages that are always tolerated
#define DIRTY_SHARE 8u      // and this share of the pages in use

static uint32_t page_of(const struct heap *heap, uintptr_t address) {
    return (uint32_t)heap_page(heap, address);
}

static void pages_name(struct heap *heap, uintptr_t start, uint32_t pages, struct span *span) {
    uint32_t first = page_of(heap, start);
    for (uint32_t i = 0; i < pages; i++) {
        heap->page_span[first + i] = span;
    }
}

static struct span *descriptor_take(struct heap *heap) {
    struct span *span = heap->unused;
    if (span != NULL) {
        heap->unused = span->next;
    } else if (heap->span_count < HEAP_SPANS) {
        span = &heap->span[heap->span_count++];
    }
    return span;
}

static void descriptor_give(struct heap *heap, struct span *span) {
    span->state = SPAN_UNUSED;
    span->next = heap->unused;
    heap->unused = span;
}

static void bin_insert(struct heap *heap, struct span *span) {
    struct span **bin = &heap->bin[run_bin(span->pages)];
    span->previous = NULL;
    span->next = *bin;
    if (*bin != NULL) {
        (*bin)->previous = span;
    }
    *bin = span;
    heap->dirty_pages += span->dirty_pages;
}

static void bin_remove(struct heap *heap, struct span *span) {
    if (span->previous != NULL) {
        span->previous->next = span->next;
    } else {
        heap->bin[run_bin(span->pages)] = span->next;
    }
    if (span->next != NULL) {
        span->next->previous = span->previous;
    }
    heap->dirty_pages -= span->dirty_pages;
}

// Only the first and the last page of a free run name it; the others name nothing.
static void run_free(struct heap *heap, struct span *span, uintptr_t start, uint32_t pages,
                     uint32_t dirty) {
    span->start = start;
    span->last = 0;
    span->pages = pages;
    span->dirty_pages = dirty < pages ? dirty : pages;
    span->state = SPAN_FREE;
    span->class = HEAP_LARGE;
    span->block_count = 0;
    span->free_blocks = 0;
    heap->page_span[page_of(heap, start)] = span;
    heap->page_span[page_of(heap, start) + pages - 1] = span;
    bin_insert(heap, span);
}

// The free run that ends before, or starts at, this page; NULL if there is none.
static struct span *run_neighbour(const struct heap *heap, uint32_t page) {
    struct span *span = page < HEAP_WINDOW_PAGES ? heap->page_span[page] : NULL;
    return span != NULL && span->state == SPAN_FREE ? span : NULL;
}

// Make start .. pages a free run, joined with what is free on both sides. `span` is its
// descriptor; those of the neighbours are given back.
static void run_release(struct heap *heap, struct span *span, uintptr_t start, uint32_t pages,
                        uint32_t dirty) {
    uint32_t first = page_of(heap, start);
    struct span *side[2] = {run_neighbour(heap, first - 1), run_neighbour(heap, first + pages)};
    pages_name(heap, start, pages, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        if (side[i] == NULL) {
            continue;
        }
        bin_remove(heap, side[i]);
        pages_name(heap, side[i]->start, 1, NULL);
        pages_name(heap, side[i]->start + (side[i]->pages - 1) * HEAP_PAGE, 1, NULL);
        start = i == 0 ? side[i]->start : start;
        pages += side[i]->pages;
        dirty += side[i]->dirty_pages;
        descriptor_give(heap, side[i]);
    }
    run_free(heap, span, start, pages, dirty);
}

static uint32_t run_lead(const struct span *span, size_t alignment) {
    return (uint32_t)((-span->start & (alignment - 1)) / HEAP_PAGE);
}

// The shortest run that fits, so that long ones stay whole.
static struct span *run_find(const struct heap *heap, uint32_t pages, size_t alignment) {
    struct span *best = NULL;
    for (uint32_t bin = run_bin(pages); bin < HEAP_BINS && best == NULL; bin++) {
        for (struct span *span = heap->bin[bin]; span != NULL; span = span->next) {
            if (span->pages >= pages + run_lead(span, alignment) &&
                (best == NULL || span->pages < best->pages)) {
                best = span;
            }
            if (best != NULL && bin < HEAP_BINS - 1) {
                break;
            }
        }
    }
    return best;
}

static bool chunk_map(struct heap *heap, uint32_t pages) {
    struct span *span = descriptor_take(heap);
    if (span == NULL) {
        return false;
    }
    heap->source_calls++;
    uintptr_t start = (uintptr_t)heap->source.map(heap->source.context, (size_t)pages * HEAP_PAGE);
    uint32_t first = page_of(heap, start);
    if (start == 0 || start < heap->window || first > HEAP_WINDOW_PAGES - pages) {
        descriptor_give(heap, span);  // nothing, or memory where the heap cannot describe it
        return false;
    }
    heap->mapped_pages += pages;
    run_release(heap, span, start, pages, 0);
    return true;
}

// More memory than needed while that is to be had, then just what is needed.
static bool chunk_add(struct heap *heap, uint32_t pages) {
    uint32_t wanted = pages > heap->chunk_pages ? pages : heap->chunk_pages;
    if (heap->chunk_pages == 0) {
        wanted = pages > CHUNK_FIRST ? pages : CHUNK_FIRST;
    }
    if (chunk_map(heap, wanted)) {
        heap->chunk_pages = wanted * 2 < CHUNK_LAST ? wanted * 2 : CHUNK_LAST;
        return true;
    }
    return wanted > pages && chunk_map(heap, pages);
}

// Cut what is before `start` and behind `start + pages` off the free run, as free runs.
static bool run_cut(struct heap *heap, struct span *span, uintptr_t start, uint32_t pages) {
    uint32_t lead = (uint32_t)((start - span->start) / HEAP_PAGE);
    uint32_t tail = span->pages - lead - pages;
    struct span *before = lead > 0 ? descriptor_take(heap) : NULL;
    struct span *behind = tail > 0 ? descriptor_take(heap) : NULL;
    if ((lead > 0 && before == NULL) || (tail > 0 && behind == NULL)) {
        if (before != NULL) {
            descriptor_give(heap, before);
        }
        return false;
    }
    uint32_t dirty = span->dirty_pages;
    bin_remove(heap, span);
    if (lead > 0) {
        run_free(heap, before, span->start, lead, dirty);
    }
    if (tail > 0) {
        run_free(heap, behind, start + (uintptr_t)pages * HEAP_PAGE, tail, dirty);
    }
    span->start = start;
    span->pages = pages;
    return true;
}

struct span *run_take(struct heap *heap, uint32_t pages, size_t alignment) {
    struct span *span = run_find(heap, pages, alignment);
    if (span == NULL) {
        uint32_t slack = (uint32_t)(alignment / HEAP_PAGE) - 1;
        if (!chunk_add(heap, pages + slack)) {
            return NULL;
        }
        span = run_find(heap, pages, alignment);
    }
    if (span == NULL ||
        !run_cut(heap, span, span->start + (uintptr_t)run_lead(span, alignment) * HEAP_PAGE,
                 pages)) {
        return NULL;
    }
    span->state = SPAN_BLOCKS;
    heap->used_pages += pages;
    pages_name(heap, span->start, pages, span);
    return span;
}

void run_give(struct heap *heap, struct span *span) {
    heap->used_pages -= span->pages;
    run_release(heap, span, span->start, span->pages, span->pages);
    if (heap->dirty_pages > DIRTY_FLOOR + heap->used_pages / DIRTY_SHARE) {
        run_purge(heap);
    }
}

bool run_resize(struct heap *heap, struct span *span, uint32_t pages) {
    uintptr_t end = span->start + (uintptr_t)span->pages * HEAP_PAGE;
    if (pages < span->pages) {
        struct span *tail = descriptor_take(heap);
        if (tail == NULL) {
            return false;
        }
        uint32_t cut = span->pages - pages;
        span->pages = pages;
        tail->start = span->start + (uintptr_t)pages * HEAP_PAGE;
        tail->pages = cut;
        run_give(heap, tail);
        return true;
    }
    struct span *next = run_neighbour(heap, page_of(heap, end));
    uint32_t more = pages - span->pages;
    if (next == NULL || next->pages < more || !run_cut(heap, next, end, more)) {
        return false;
    }
    descriptor_give(heap, next);
    span->pages = pages;
    heap->used_pages += more;
    pages_name(heap, end, more, span);
    return true;
}

void run_purge(struct heap *heap) {
    for (uint32_t bin = 0; bin < HEAP_BINS && !heap->keep; bin++) {
        for (struct span *span = heap->bin[bin]; span != NULL && !heap->keep; span = span->next) {
            if (span->dirty_pages == 0) {
                continue;
            }
            heap->source_calls++;
            if (!heap->source.forget(heap->source.context, (void *)span->start,
                                     (size_t)span->pages * HEAP_PAGE)) {
                heap->keep = true;
                return;
            }
            heap->dirty_pages -= span->dirty_pages;
            span->dirty_pages = 0;
        }
    }
}
