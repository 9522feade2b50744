// SPDX-License-Identifier: MIT
#include "metapage.h"
#include "framelist.h"

// A free page's first word is the number of the next free one.
static uint32_t first_free;
uint32_t metapage_count, metapage_used;

void metapage_init(void) {
    first_free = metapage_count = metapage_used = 0;
}

static int grow(void) {
    uint32_t number = metapage_count + 1;
    if (number + 1 > machine_window_pages(WINDOW_META) ||
        !framelist_window_map(WINDOW_META, number)) {
        return 0;
    }
    metapage_count = number;
    *(uint32_t *)metapage_at(number) = first_free;
    first_free = number;
    return 1;
}

uint32_t metapage_take(void) {
    if (first_free == 0 && !grow()) {
        return 0;
    }
    uint32_t number = first_free;
    uint32_t *page = metapage_at(number);
    first_free = page[0];
    page[0] = 0;
    metapage_used++;
    return number;
}

void metapage_release(uint32_t number) {
    uint32_t *page = metapage_at(number);
    __builtin_memset(page, 0, PAGE_SIZE);
    page[0] = first_free;
    first_free = number;
    metapage_used--;
}
