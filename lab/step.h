// SPDX-License-Identifier: MIT
// A policy at work, reference by reference: what is in each frame after it, which page left and
// why. All is derived from what a host sees: the slots' records before and after each call, and the
// policy's memory, read with the words of describe.h.
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "checked.h"

#define STEP_FRAMES_MAX 64u
#define STEP_REFERENCES_MAX 4096u
#define STEP_LISTS (POLICY_LISTS + 1)

struct step_reference {
    uint32_t page;
    bool write;
};

// What a list or a frame shows of one page.
struct step_page {
    bool there;         // false: a free frame
    bool ghost, ref, dirty;
    uint32_t page;
    uint32_t hands;     // bit n: hand n points here
    const char *state;  // or NULL
    bool numbered;
    uint32_t number;    // UINT32_MAX: "never"
};

struct step_list {
    const char *name;
    struct step_page *page;
    uint32_t count;
};

struct step_number {
    const char *name;
    uint32_t value, part;  // part: 32 bits behind the point
};

struct step {
    struct step_reference reference;
    bool hit, evicted, next_known;
    uint32_t faults;                     // so far
    uint32_t place;                      // the frame that holds the page, from 0
    uint32_t victim, next;               // pages: that left; that would leave next
    struct step_page *frame;             // [run.frames]
    struct step_list list[STEP_LISTS];   // oldest first; name NULL: no more
    struct step_number number[POLICY_NUMBERS];
    char *why;                           // sentences
};

struct step_run {
    const char *policy;   // as it was asked for
    uint32_t frames, count, pages;
    uint32_t faults, violations;
    bool ref_used;        // the policy looks at reference bits
    bool ghosts;          // it may remember pages that left
    const char *number;   // what a page's number is, or NULL
    const char *hand[POLICY_HANDS];
    struct step *step;    // [count]
    char line[160];       // what the policy did wrong, or ""
};

// choice.kind NULL: Belady's MIN. frames: 1 to STEP_FRAMES_MAX; count >= 1. End: step_run_free().
struct step_run step_run(struct policy_choice choice, const char *name, uint32_t frames,
                         const struct step_reference *list, uint32_t count);
void step_run_free(struct step_run *run);
void step_run_min(struct step_run *run);  // fills the steps, whose references are there

// Reads page numbers (0x for hexadecimal, w behind a number: written), separated by commas and
// blanks. Returns how many it appended to `list` from `count` on, or writes into `error` and
// returns -1.
int step_read(const char *text, struct step_reference *list, uint32_t count, char *error,
              size_t size);

void step_text(FILE *to, const struct step_run *run);
void step_html(FILE *to, const struct step_run *run);
