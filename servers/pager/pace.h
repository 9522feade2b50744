// SPDX-License-Identifier: MIT
// Rules of paging that the laboratory's emulation (lab/seen.c) follows, too: when Accessed bits are
// read, and which victims stay. Nothing of the kernel's.
#pragma once
#include <stdint.h>

#define LIMIT_MIN 8u  // an instruction may need so many pages at once

// Accessed bits of a domain are read before an eviction once so many evictions have passed since
// the last time: 1 / SCAN_SHARE of its resident pages, at least 1. Measured with index (1,322 pages
// in 300 frames), faults and instructions in the pager, against a scan before each eviction:
//   1/8  clock 50,823, 298 M  sieve 46,735, 270 M
//   1/32 clock 50,515, 491 M  sieve 47,135, 454 M
//   each clock 50,470, 2.8 G  sieve 47,124, 2.6 G
#define SCAN_SHARE 8u

// Before each eviction: are the bits to be read? `since`: evictions since they were. share 0: always.
static inline int pace_scan_due(uint32_t *since, uint32_t resident, uint32_t share) {
    return (*since)++ >= (share == 0 ? 0 : resident / share);
}

// So many last victims are remembered: fewer than LIMIT_MIN, so that no page meets itself under FIFO.
#define VICTIMS (LIMIT_MIN - 1)
struct pace_victims {
    uint32_t page[VICTIMS], next;  // pages that left last, and the oldest of these; 0: none
};

// Is a page (not 0) the victim that left a moment ago and came back? One instruction may need several
// pages at once, and a policy that always gives up the newest (LFU may) would take them from each
// other for ever. Notes the page.
static inline int pace_is_chased(struct pace_victims *victims, uint32_t page) {
    int found = 0;
    for (uint32_t i = 0; i < VICTIMS; i++) {
        found |= victims->page[i] == page;
    }
    victims->page[victims->next] = page;
    victims->next = (victims->next + 1) % VICTIMS;
    return found;
}

// Marks beside those of frames and ghosts: of pages that are coming in, or that come back because
// they could not be written.
#define RESIDENT_SPARE 32u
