// SPDX-License-Identifier: MIT
// The search. A state is kept as the operation that led to it from an earlier one, and made again
// when its turn comes: that costs less than keeping its memory.
#include "search.h"
#include <stdio.h>
#include <stdlib.h>
#include "machine.h"

enum { STATES = 1 << 20, PLACES = 4 * STATES, DEPTH = 64 };

struct state {
    uint64_t view;
    uint32_t parent;
    uint16_t operation, depth;
};

static struct state *state;
static uint32_t *place;  // by view: number of the state + 1
static char *first, *here;

// Enters a state if its view is new; false: there are too many.
static bool enter(struct found *found, uint64_t view, uint32_t parent, uint32_t operation) {
    uint32_t at = (uint32_t)view % PLACES;
    for (; place[at] != 0; at = (at + 1) % PLACES) {
        if (state[place[at] - 1].view == view) {
            return true;
        }
    }
    if (found->states == STATES) {
        return false;
    }
    uint16_t depth = found->states == 0 ? 0 : (uint16_t)(state[parent].depth + 1);
    state[found->states] = (struct state){view, parent, (uint16_t)operation, depth};
    place[at] = ++found->states;
    found->depth = depth;
    return true;
}

// The operations that lead to a state, first to last; returns their number.
static uint32_t way_to(uint32_t number, uint16_t *operation) {
    uint32_t length = state[number].depth;
    for (uint32_t i = length; i-- > 0; number = state[number].parent) {
        operation[i] = state[number].operation;
    }
    return length;
}

static void go_to(const struct world *world, uint32_t number) {
    uint16_t operation[DEPTH];
    uint32_t length = way_to(number, operation);
    machine_restore(first);
    for (uint32_t i = 0; i < length; i++) {
        (void)world->step(operation[i]);
    }
    machine_save(here);
}

static void tell(const struct world *world, struct found *found, uint32_t number,
                 uint32_t operation, const char *wrong) {
    uint16_t way[DEPTH];
    uint32_t length = way_to(number, way);
    way[length++] = (uint16_t)operation;
    size_t at = (size_t)snprintf(found->wrong, sizeof found->wrong, "broken: %s; after", wrong);
    for (uint32_t i = 0; i < length && at + 1 < sizeof found->wrong; i++) {
        char text[80];
        world->describe(way[i], text, sizeof text);
        at += (size_t)snprintf(found->wrong + at, sizeof found->wrong - at, "%s %s",
                               i == 0 ? ":" : ",", text);
    }
}

// One operation in the present state. *view is its number, and becomes that of the next; `exact`
// is of the present one. NULL, or what is wrong.
static const char *try(const struct world *world, uint32_t operation, uint64_t exact, uint64_t *view,
                       bool *refused) {
    if (setjmp(machine_escape) != 0) {
        return machine_assertion;
    }
    struct step step = world->step(operation);
    const char *wrong = step.wrong != NULL ? step.wrong : machine_laws();
    *refused = step.error != OK;
    if (wrong == NULL && *refused && world->exact() != exact) {
        wrong = "what is refused changes nothing";
    }
    if (wrong == NULL && !*refused) {
        *view = world->view();
    }
    return wrong;
}

// All operations in one state; false: found->wrong says what was wrong.
static bool try_all(const struct world *world, struct found *found, uint32_t number) {
    go_to(world, number);
    uint64_t exact = world->exact();
    for (uint32_t operation = 0; operation < world->operations; operation++) {
        if (world->skips(operation)) {
            continue;
        }
        uint64_t view = state[number].view;
        bool refused = false;
        const char *wrong = try(world, operation, exact, &view, &refused);
        found->steps++;
        if (wrong == NULL && !refused && !enter(found, view, number, operation)) {
            wrong = "the states are finite in number";
        }
        if (wrong != NULL) {
            tell(world, found, number, operation, wrong);
            return false;
        }
        if (!refused) {  // after a refusal it is the same state
            machine_restore(here);
        }
    }
    return true;
}

void search(const struct world *world, struct found *found) {
    *found = (struct found){0};
    if (setjmp(machine_escape) != 0) {
        snprintf(found->wrong, sizeof found->wrong, "no first state: %s", machine_assertion);
        return;
    }
    world->make();
    state = malloc(STATES * sizeof *state);
    place = calloc(PLACES, sizeof *place);
    first = malloc(machine_bytes());
    here = malloc(machine_bytes());
    machine_save(first);
    enter(found, world->view(), 0, 0);
    for (uint32_t number = 0; number < found->states && try_all(world, found, number); number++) {
    }
    free(state), free(place), free(first), free(here);
}
