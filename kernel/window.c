// SPDX-License-Identifier: MIT
#include "window.h"
#include "cpu.h"
#include "space.h"

// Two pages below the end of the address space hold frames that the window does not reach.
#define TEMPORARY 0xffc00000u
static pte_t temporary_table[512] __attribute__((aligned(4096)));

void window_init(void) {
    kernel_page_directory[(TEMPORARY >> 21) & 511] =
        entry_make(FRAME_PADDR(window_frame(temporary_table)), ENTRY_PRESENT | ENTRY_WRITE);
}

static void *reach(frame_t frame, uint32_t place) {
    if (frame_is_low(frame)) {
        return window_address(frame);
    }
    temporary_table[place] =
        entry_make(FRAME_PADDR(frame), ENTRY_PRESENT | ENTRY_WRITE | space_no_execute);
    vaddr_t page = TEMPORARY + place * PAGE_SIZE;
    page_invalidate(page);
    return (void *)page;
}

void window_zero(frame_t frame) {
    bytes_zero(reach(frame, 0), PAGE_SIZE);
}

void window_copy(frame_t to, frame_t from, uint32_t first, uint32_t end) {
    char *target = reach(to, 0);
    const char *source = reach(from, 1);
    bytes_zero(target, first & ~3u);
    for (uint32_t i = first & ~3u; i < first; i++) {
        target[i] = 0;
    }
    uint32_t aligned = (end - first) & ~3u;
    words_copy(target + first, source + first, aligned / 4);
    bytes_copy(target + first + aligned, source + first + aligned, (end - first) & 3u);
    uint32_t rest = (end + 3u) & ~3u;
    for (uint32_t i = end; i < rest && i < PAGE_SIZE; i++) {
        target[i] = 0;
    }
    bytes_zero(target + rest, PAGE_SIZE - rest);
}
