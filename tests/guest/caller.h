// SPDX-License-Identifier: MIT
// A task that calls the kernel at random, with all rights to objects of its own and of a neighbour:
// every operation and message, arguments good, wrong and wild, replies to whom it likes, faults.
#pragma once
#include "contract.h"
#include "dice.h"
#include "world.h"

enum { CALLERS = 3, CALLER_SLOTS = 48, CALLER_MADE = 24, CALLER_FRAMES = 16 };
#define NEIGHBOUR 12u  // slot t holds an own object of type t, slot t + NEIGHBOUR a neighbour's

// Counts how the kernel answered. Errors above its own are counted as the last.
enum { MESSAGES = 88, ERRORS = E_LIMIT + 1 };
struct answers {
    uint32_t message[MESSAGES][ERRORS];  // in the order of contract[]
    uint32_t operation[OP_COUNT][ERRORS];
};

// What must outlive a caller's memory; it and the test share it.
struct report {
    volatile uint32_t calls;
    struct dice dice;
    uint32_t known_count;
    frame_t known[CALLER_FRAMES];  // frames that it has got, most of them its own still
    token_t token[16];             // that it saw, the latest first
    bool faulted;                  // the latest is that of a fault
    struct answers answers;
};

#define REPORT 0x58000000u
#define REPORT_PAGES (PAGE_UP(sizeof(struct report)) / PAGE_SIZE)
static inline struct report *report_of(uint32_t caller) {
    return (struct report *)(REPORT + caller * REPORT_PAGES * PAGE_SIZE);
}

#define SCRATCH 0x50000000u  // pages that it maps, unmaps and touches
enum { SCRATCH_PAGES = 64 };

void caller_run(struct actor *self);  // argument: its number
