// SPDX-License-Identifier: MIT
// Naive models of policies, for comparison with the real ones: pages in arrays that are searched from
// end to end, written from the papers. Each says what a hit and what a miss does; naive_compare()
// replays a million references on both and demands the same victims at the same references.
#pragma once
#include <stdint.h>

#define NAIVE_PAGES 160u
#define NAIVE_NONE UINT32_MAX

// A sequence of pages, first to last.
struct pages {
    uint32_t count, at[2 * NAIVE_PAGES];
};

void pages_insert(struct pages *pages, uint32_t place, uint32_t page);
void pages_push(struct pages *pages, uint32_t page);      // at the end
uint32_t pages_cut(struct pages *pages, uint32_t place);  // returns the page
uint32_t pages_shift(struct pages *pages);                // the first
// Place of a page, NAIVE_NONE if it is not there.
uint32_t pages_find(const struct pages *pages, uint32_t page);
// Takes a page out if it is there; returns whether it was.
int pages_remove(struct pages *pages, uint32_t page);

struct naive {
    void (*start)(void);  // forget everything
    void (*hit)(uint32_t page);
    uint32_t (*victim)(uint32_t incoming);  // memory is full: the page that leaves
    void (*come)(uint32_t page);            // it was missing, and is there now
    void (*tick)(void);  // after each frames / 8 victims (at least one), before `come`; may be NULL
};
extern uint32_t naive_frames;

// A million references in four runs, from 3 frames to most of the pages.
void naive_compare(const char *name, struct naive model);
