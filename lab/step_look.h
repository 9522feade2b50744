// SPDX-License-Identifier: MIT
// A look at a policy from outside, between two calls, and the sentences about what changed.
#pragma once
#include "step.h"

struct step_slot {
    struct policy_slot record;
    enum checked_state state;
    uint32_t page;
    uint32_t list;      // number of the first list that holds it; POLICY_LISTS: none
    bool newest;        // and it is the newest there
    const char *place;  // list or state, or NULL
    const char *why;    // it would leave from there
};

struct step_look {
    const struct policy_description *description;  // never NULL
    struct step_slot *slot;                        // [slots]
    uint32_t slots;
    uint32_t memory[POLICY_MEMORY_WORDS];
};

// Looks without changing anything; page_of[slot] names pages. Give it back to step_look_end().
struct step_look step_look(const struct checked *checked, const uint32_t *page_of);
void step_look_end(struct step_look *look);

// The place of a page tells something: there is more than one.
bool step_tells(const struct step_look *look);
bool step_resident(const struct step_slot *slot);
uint32_t step_page_number(const struct step_look *look, uint32_t slot);  // 0 if it has none
struct step_page step_page(const struct step_look *look, uint32_t slot);

// Slots of list number n, oldest first; returns how many (0: also if there is no such list).
uint32_t step_list_slots(const struct step_look *look, uint32_t n, uint32_t *out);

// ---- sentences -------------------------------------------------------------------------------

struct step_why {
    FILE *to;
    bool begun;
};
__attribute__((format(printf, 2, 3))) void step_say(struct step_why *why, const char *format, ...);

// What else changed but for this slot: numbers, bits, places. Returns whether anything did.
bool step_say_changes(struct step_why *why, const struct step_look *before,
                      const struct step_look *after, uint32_t except);
// What a use changed of this slot itself.
bool step_say_use(struct step_why *why, const struct step_look *before,
                  const struct step_look *after, uint32_t slot, bool ref_used);
