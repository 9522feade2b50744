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
    struct sim_result result;
};

static void sim_start(struct sim *sim, const struct sim_trace *trace,
                      struct policy_choice choice, uint32_t frames) {
    // More frames than pages never fill up.
    uint32_t used = frames < trace->footprint ? frames : trace->footprint;
    uint32_t slots = checked_slots(used, 1);
    sim->memory = sim_allocate(checked_bytes(slots), 1);
    sim->slot_of = sim_allocate(trace->footprint, 4);
    sim->ghost_of = sim_allocate(trace->footprint, 4);
    sim->page_of = sim_allocate(slots, 4);
    sim->frames = used;
    sim->interval = sim->until = frames / 8 > 0 ? frames / 8 : 1;
    checked_init(&sim->checked, choice, sim->memory, slots, frames);
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

static void sim_write_out(struct sim *sim, uint32_t slot) {
    uint8_t *dirty = &sim->checked.policy.slot[slot].dirty;
    sim->result.writebacks += *dirty;
    *dirty = 0;
}

static void sim_evict(struct sim *sim, uint32_t incoming, uint32_t reference) {
    uint32_t slot = checked_victim(&sim->checked, incoming);
    sim_write_out(sim, POLICY_SLOT(slot));
    if ((slot & POLICY_CLEAN) != 0) {
        sim->result.cleans++;
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

static uint32_t sim_miss(struct sim *sim, uint32_t page, uint32_t reference) {
    uint32_t slot = checked_take(&sim->checked, sim->ghost_of[page]);
    while (sim->checked.resident >= sim->frames) {
        sim_evict(sim, slot, reference);
    }
    sim->page_of[slot] = page;
    sim->slot_of[page] = slot;
    sim->ghost_of[page] = POLICY_NONE;
    checked_admit(&sim->checked, slot, POLICY_USED);
    sim->result.misses++;
    return slot;
}

static void sim_references(struct sim *sim, const struct sim_block *block) {
    for (uint32_t i = 0; i < block->count; i++) {
        uint32_t slot = sim->slot_of[block->page[i]];
        if (slot != POLICY_NONE) {
            checked_touch(&sim->checked, slot);
        } else {
            slot = sim_miss(sim, block->page[i], block->first + i);
        }
        if (block->write != NULL && block->write[i]) {
            sim->checked.policy.slot[slot].dirty = 1;
        }
    }
}

struct sim_result sim_replay_choice(const struct sim_trace *trace, struct policy_choice choice,
                                    uint32_t frames, sim_victim_seen *seen, void *context) {
    struct sim sim = {.seen = seen, .context = context};
    struct sim_blocks blocks;
    struct sim_block block;
    sim_start(&sim, trace, choice, frames);
    sim_blocks_start(&blocks, trace);
    while (sim_blocks_next(&blocks, &block)) {
        sim_references(&sim, &block);
    }
    sim_blocks_end(&blocks);
    (void)checked_audit(&sim.checked);
    struct sim_result result = sim.result;
    result.violations = sim.checked.faults;
    (void)checked_fault_take(&sim.checked, result.line, sizeof(result.line));
    sim_end(&sim);
    return result;
}

struct sim_result sim_replay(const struct sim_trace *trace, const struct policy_kind *kind,
                             uint32_t frames, sim_victim_seen *seen, void *context) {
    return sim_replay_choice(trace, policy_normal(kind), frames, seen, context);
}
