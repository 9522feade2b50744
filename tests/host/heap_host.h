// SPDX-License-Identifier: MIT
// The allocator's core on the host, over a page source that counts, fails on demand and checks what
// it is told.
#pragma once
#include "heap.h"

#define HEAP_HOST_BYTES ((size_t)HEAP_WINDOW_PAGES * HEAP_PAGE)  // of the source in all

extern struct heap *heap;
extern struct heap_pages {
    char *window;
    size_t used;           // bytes handed out from the window's beginning
    uint32_t maps;         // calls so far
    uint32_t fail_at;      // this map call and all later ones fail; 0: none does
    size_t largest;        // bytes of one call; 0: any
    bool can_forget;
    size_t forgotten;      // bytes ever forgotten
    uint32_t faults;
    enum heap_fault fault;
} heap_pages;

// A new heap, and a source that gives what it is asked for.
void heap_host_begin(void);
// A little of everything, which depends on the seed alone; returns how many requests failed.
uint32_t heap_host_use(uint32_t seed);
