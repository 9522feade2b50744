// SPDX-License-Identifier: MIT
// A host of policies, like the pager, but it sees every reference and has no I/O.
#include "sim_replay.h"

#include <stdlib.h>

struct sim {
    struct checked checked;
    void *memory;
    uint32_t *slot_of;   // of a resident page; POLICY_NONE: not resident
    uint32_t *ghost_of;  // of a page that the policy remembers
    uint32_t *page_of;   // of a slot
    uint32_t frames;
    uint32_t interval, until;  // evictions between two ticks, and until the next
    sim_victim_seen *seen;
    void *context;
};

static void sim_start(struct sim *sim, const struct sim_trace *trace,
                      const struct policy_kind *kind, uint32_t frames) {
    // More frames than pages never fill up.
    uint32_t used = frames < trace->footprint ? frames : trace->footprint;
    uint32_t slots = checked_slots(used, 1);
    sim->memory = sim_allocate(checked_bytes(slots), 1);
    sim->slot_of = sim_allocate(trace->footprint, 4);
    sim->ghost_of = sim_allocate(trace->footprint, 4);
    sim->page_of = sim_allocate(slots, 4);
    sim->frames = used;
    sim->interval = sim->until = frames / 8 > 0 ? frames / 8 : 1;
    checked_init(&sim->checked, policy_normal(kind), sim->memory, slots, frames);
}

static void sim_end(struct sim *sim) {
    free(sim->memory);
    free(sim->slot_of);
    free(sim->ghost_of);
    free(sim->page_of);
}

static void sim_forget_ghosts(struct sim *sim) {
    uint32_t slot;
    while ((slot = checked_forget(&sim->checked)) != POLICY_NONE) {
        sim->ghost_of[sim->page_of[slot]] = POLICY_NONE;
    }
}

static void sim_evict(struct sim *sim, uint32_t incoming, uint32_t reference) {
    uint32_t slot = checked_victim(&sim->checked, incoming);
    if ((slot & POLICY_CLEAN) != 0) {
        sim->checked.policy.slot[POLICY_SLOT(slot)].dirty = 0;
        return;
    }
    uint32_t page = sim->page_of[slot];
    sim->slot_of[page] = POLICY_NONE;
    if (checked_state(&sim->checked, slot) == CHECKED_GHOST) {
        sim->ghost_of[page] = slot;
    }
    sim_forget_ghosts(sim);
    if (--sim->until == 0) {
        sim->until = sim->interval;
        checked_tick(&sim->checked);
    }
    if (sim->seen != NULL) {
        sim->seen(sim->context, reference, page);
    }
}

// Kept out of the loop over references, whose hits must stay short.
__attribute__((noinline)) static void sim_miss(struct sim *sim, uint32_t page,
                                               uint32_t reference) {
    uint32_t slot = checked_take(&sim->checked, sim->ghost_of[page]);
    while (sim->checked.resident >= sim->frames) {
        sim_evict(sim, slot, reference);
    }
    sim->page_of[slot] = page;
    sim->slot_of[page] = slot;
    sim->ghost_of[page] = POLICY_NONE;
    checked_admit(&sim->checked, slot, POLICY_USED);
}

// A hit is one store for policies that keep no order.
static uint32_t sim_references(struct sim *sim, const struct sim_trace *trace) {
    const uint32_t *slot_of = sim->slot_of;
    struct policy_slot *record = sim->checked.policy.slot;
    uint32_t misses = 0;
    for (uint32_t i = 0; i < trace->length; i++) {
        uint32_t slot = slot_of[trace->page[i]];
        if (slot != POLICY_NONE) {
            record[slot].ref = 1;
        } else {
            misses++;
            sim_miss(sim, trace->page[i], i);
        }
    }
    return misses;
}

static uint32_t sim_references_touching(struct sim *sim, const struct sim_trace *trace) {
    uint32_t misses = 0;
    for (uint32_t i = 0; i < trace->length; i++) {
        uint32_t slot = sim->slot_of[trace->page[i]];
        if (slot != POLICY_NONE) {
            checked_touch(&sim->checked, slot);
        } else {
            misses++;
            sim_miss(sim, trace->page[i], i);
        }
    }
    return misses;
}

struct sim_result sim_replay(const struct sim_trace *trace, const struct policy_kind *kind,
                             uint32_t frames, sim_victim_seen *seen, void *context) {
    struct sim sim = {.seen = seen, .context = context};
    struct sim_result result = {0};
    sim_start(&sim, trace, kind, frames);
    // After a violation the policy is FIFO, for which touching is nothing but the store.
    result.misses = kind->operations->touch == NULL ? sim_references(&sim, trace)
                                                    : sim_references_touching(&sim, trace);
    (void)checked_audit(&sim.checked);
    result.violations = sim.checked.faults;
    (void)checked_fault_take(&sim.checked, result.line, sizeof(result.line));
    sim_end(&sim);
    return result;
}
