// SPDX-License-Identifier: MIT
// Tasks that fault, for tests that stand in for their pager.
#pragma once
#include "world.h"

#define VICTIM_PAGE 0x50000000u    // where they fault
#define VICTIM_WINDOW 0x60000000u  // where the test looks into frames

enum { VICTIM_RANK = 25, VICTIM_BADGE = 0x77, VICTIM_DEATH = 1u << 20 };

extern handle_t victim_port;  // their fault port, ranked VICTIM_RANK; faults bear VICTIM_BADGE

// world_begin and world_end, with the fault port.
void victim_begin(void);
void victim_end(void);
// A task whose faults come to victim_port, and whose end sets VICTIM_DEATH in WORLD_EVENT.
struct actor *victim_make(void (*run)(struct actor *));
// The next fault, which must have this label and first word.
void victim_fault(struct received *received, uint32_t label, uint32_t word);
// It has ended by a fault, and its end has been told.
void victim_is_dead(struct actor *victim);
