// SPDX-License-Identifier: MIT
// Pages of the pager's own memory, for page tables and lists of regions: numbered from 1, zeroed
// when taken, kept mapped for good. Grows by frames of the frame list.
#pragma once
#include "machine.h"

void metapage_init(void);
// Number of a zeroed page, 0: no memory (and evicting may help).
uint32_t metapage_take(void);
void metapage_release(uint32_t number);

static inline void *metapage_at(uint32_t number) {
    return (char *)machine_window(WINDOW_META) + (size_t)number * PAGE_SIZE;
}
static inline uint32_t metapage_number(const void *page) {
    return (uint32_t)(((const char *)page - (char *)machine_window(WINDOW_META)) / PAGE_SIZE);
}

// Pages mapped, and of them in use.
extern uint32_t metapage_count, metapage_used;
