// SPDX-License-Identifier: MIT
// Reads a policy's memory and records through its description; changes nothing of them, and
// believes no link: a list ends after as many slots as there are.
#include "step_look.h"

#include <stdlib.h>
#include <string.h>

#include "sim_trace.h"

static const struct policy_description nothing;

uint32_t step_list_slots(const struct step_look *look, uint32_t n, uint32_t *out) {
    const struct policy_list_words *list = &look->description->list[n];
    uint32_t count = 0;
    if (list->name == NULL) {
        return 0;
    }
    for (uint32_t at = look->memory[list->oldest];
         at != POLICY_NONE && at < look->slots && count < look->slots;
         at = look->slot[at].record.word[list->newer]) {
        out[count++] = at;
    }
    return count;
}

static void place_by_lists(struct step_look *look) {
    uint32_t *slot = sim_allocate(look->slots, sizeof(*slot));
    for (uint32_t n = 0; n < POLICY_LISTS; n++) {
        uint32_t count = step_list_slots(look, n, slot);
        for (uint32_t i = 0; i < count; i++) {
            struct step_slot *at = &look->slot[slot[i]];
            if (at->list == POLICY_LISTS) {
                at->list = n;
                at->newest = i + 1 == count;
                at->place = look->description->list[n].name;
                at->why = look->description->list[n].why;
            }
        }
    }
    free(slot);
}

static void place_by_state(struct step_look *look, enum policy_state_in in) {
    for (uint32_t i = 1; i < look->slots; i++) {
        struct step_slot *at = &look->slot[i];
        uint8_t value = in == POLICY_IN_STATE ? at->record.state : at->record.count;
        at->place = at->why = NULL;
        for (uint32_t n = 0; n < POLICY_STATES; n++) {
            const struct policy_state_words *state = &look->description->state[n];
            if ((state->name != NULL || state->why != NULL) && state->value == value) {
                at->place = state->name;
                at->why = state->why;
            }
        }
    }
}

struct step_look step_look(const struct checked *checked, const uint32_t *page_of) {
    const struct policy_description *description = checked->kind->operations->description;
    struct step_look look = {
        .description = description == NULL ? &nothing : description,
        .slots = checked->policy.slots,
        .slot = sim_allocate(checked->policy.slots, sizeof(struct step_slot)),
    };
    memcpy(look.memory, checked->policy.memory, sizeof(look.memory));
    for (uint32_t i = 0; i < look.slots; i++) {
        enum checked_state state = checked_state(checked, i);
        look.slot[i] = (struct step_slot){checked->policy.slot[i], state, page_of[i],
                                          POLICY_LISTS, false, NULL, NULL};
    }
    place_by_lists(&look);
    if (look.description->state_in != POLICY_IN_LIST) {
        place_by_state(&look, look.description->state_in);
    }
    return look;
}

void step_look_end(struct step_look *look) {
    free(look->slot);
    *look = (struct step_look){0};
}

bool step_resident(const struct step_slot *slot) {
    return slot->state == CHECKED_RESIDENT;
}

uint32_t step_page_number(const struct step_look *look, uint32_t slot) {
    const struct policy_number_words *number = &look->description->page;
    const struct policy_slot *record = &look->slot[slot].record;
    return number->name == NULL             ? 0
           : number->at < POLICY_COUNT_BYTE ? record->word[number->at]
                                            : record->count;
}

static uint32_t hands_at(const struct step_look *look, uint32_t slot) {
    uint32_t hands = 0;
    for (uint32_t n = 0; n < POLICY_HANDS && look->description->hand[n].name != NULL; n++) {
        const struct policy_hand_words *hand = &look->description->hand[n];
        uint32_t at = look->memory[hand->at];
        at = at != POLICY_NONE ? at : look->memory[hand->none];
        hands |= (uint32_t)(at == slot) << n;
    }
    return hands;
}

bool step_tells(const struct step_look *look) {
    return look->description->state_in != POLICY_IN_LIST || look->description->list[1].name != NULL;
}

struct step_page step_page(const struct step_look *look, uint32_t slot) {
    const struct step_slot *at = &look->slot[slot];
    const struct policy_description *description = look->description;
    return (struct step_page){
        .there = true,
        .ghost = !step_resident(at),
        .ref = at->record.ref != 0,
        .dirty = at->record.dirty != 0,
        .page = at->page,
        .hands = hands_at(look, slot),
        .state = step_tells(look) ? at->place : NULL,
        .numbered = description->page.name != NULL && step_resident(at),
        .number = step_page_number(look, slot),
    };
}
