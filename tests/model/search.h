// SPDX-License-Identifier: MIT
// Breadth first through all states that operations of the kernel reach on a machine small enough
// for that. After each step the kernel's own laws are checked, and what the world demands.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"

struct step {
    error_t error;      // the kernel's answer
    const char *wrong;  // what should not have been, NULL: nothing
};

struct world {
    const char *name;
    void (*make)(void);   // the first state
    uint32_t operations;  // tried in every state: 0 to operations - 1
    bool (*skips)(uint32_t operation);  // not to be tried here: beyond what is searched
    struct step (*step)(uint32_t operation);
    void (*describe)(uint32_t operation, char *text, size_t room);
    // A number of the state, with names as they are. What it leaves out is not searched.
    uint64_t (*exact)(void);
    // The same for states that differ in nothing but names: which of two frames of one owner,
    // which of three equal tasks.
    uint64_t (*view)(void);
};

struct found {
    uint32_t states, steps, depth;
    char wrong[600];  // empty, or what is wrong and the shortest way to it
};

// Ends at the first wrong step. An answer other than OK must leave the state as it was.
void search(const struct world *world, struct found *found);

// A running number of what it was fed with.
static inline uint64_t mix(uint64_t sum, uint64_t value) {
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}
