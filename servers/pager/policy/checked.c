// SPDX-License-Identifier: MIT
// The host's own truth about slots, against which every answer of a policy is compared.
// Answers of policies are untrusted input here; records and counters of this file are not.
#include "checked.h"

#define FALLBACK (&policy_kinds[POLICY_INDEX_fifo])

// ---- faults ----------------------------------------------------------------------------------

static void fault_note(struct checked *c, const char *policy, const char *call, uint32_t slot,
                       const char *what) {
    c->faults++;
    if (c->fault.what == NULL) {
        c->fault = (struct checked_fault){policy, call, what, slot, false};
    }
}

static void fault_host(struct checked *c, const char *call, uint32_t slot, const char *what) {
    fault_note(c, "host", call, slot, what);
}

// ---- records ---------------------------------------------------------------------------------

static bool slot_valid(const struct checked *c, uint32_t slot) {
    return slot != POLICY_NONE && slot < c->policy.slots;
}

static void slot_push(struct checked *c, uint32_t *list, uint32_t slot, enum checked_state state) {
    c->record[slot].state = (uint8_t)state;
    c->record[slot].newer = *list;
    *list = slot;
}

static void slot_free(struct checked *c, uint32_t slot) {
    slot_push(c, &c->free, slot, CHECKED_FREE);
}

static void slot_zero(struct policy_slot *slot) {
    *slot = (struct policy_slot){0};
}

static void resident_remove(struct checked *c, uint32_t slot) {
    uint32_t older = c->record[slot].older, newer = c->record[slot].newer;
    if (older != POLICY_NONE) {
        c->record[older].newer = newer;
    } else {
        c->oldest = newer;
    }
    if (newer != POLICY_NONE) {
        c->record[newer].older = older;
    } else {
        c->newest = older;
    }
    c->resident--;
}

// ---- set up ----------------------------------------------------------------------------------

static uint32_t ghosts_of(uint32_t frames, uint32_t percent) {
    return (uint32_t)((uint64_t)frames * percent / 100);
}

uint32_t checked_slots(uint32_t frames, uint32_t incoming) {
    uint32_t percent = 0;
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        if (policy_kinds[i].operations->ghosts > percent) {
            percent = policy_kinds[i].operations->ghosts;
        }
    }
    return 1 + frames + ghosts_of(frames, percent) + incoming;
}

size_t checked_bytes(uint32_t slots) {
    return slots * (sizeof(struct policy_slot) + sizeof(struct checked_record) + sizeof(uint32_t));
}

// Clears what the policy remembers and puts it in charge of no page at all; FIFO if it is incomplete.
static void policy_start(struct checked *c, const struct policy_choice *wanted) {
    static const char no_operation[] = "the policy has no such operation";
    const char *missing = policy_incomplete(wanted->kind->operations);
    struct policy_choice choice = missing == NULL ? *wanted : policy_normal(FALLBACK);
    if (missing != NULL) {
        fault_note(c, wanted->kind->name, missing, POLICY_NONE, no_operation);
        c->fault.table = c->fault.what == no_operation;
    }
    c->kind = choice.kind;
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        c->policy.parameter[i] = choice.parameter[i];
    }
    for (uint32_t i = 0; i < POLICY_MEMORY_WORDS; i++) {
        c->policy.memory[i] = 0;
    }
    slot_zero(&c->policy.slot[0]);
    c->kind->operations->init(&c->policy);
}

void checked_extend(struct checked *c, uint32_t slots) {
    for (uint32_t slot = c->policy.slots; slot < slots; slot++) {
        slot_zero(&c->policy.slot[slot]);
    }
    c->policy.slots = slots;
}

void checked_init_at(struct checked *c, struct policy_choice choice,
                     struct checked_memory memory, uint32_t slots, uint32_t frames) {
    *c = (struct checked){0};
    c->policy.slot = memory.slot;
    c->record = memory.record;
    c->scratch = memory.scratch;
    c->fresh = 1;
    checked_extend(c, slots);
    checked_frames_set(c, frames);
    policy_start(c, &choice);
}

void checked_init(struct checked *c, struct policy_choice choice, void *memory, uint32_t slots,
                  uint32_t frames) {
    struct policy_slot *slot = memory;
    struct checked_record *record = (struct checked_record *)(slot + slots);
    struct checked_memory parts = {slot, record, (uint32_t *)(record + slots)};
    checked_init_at(c, choice, parts, slots, frames);
}

// ---- change of policy ------------------------------------------------------------------------

// What the new policy may see of a slot: nothing of a page that is not resident, ref and dirty of
// one that is.
static void slot_reset(struct checked *c, uint32_t slot) {
    struct policy_slot *record = &c->policy.slot[slot];
    struct policy_slot kept = {.ref = record->ref, .dirty = record->dirty};
    switch ((enum checked_state)c->record[slot].state) {
    case CHECKED_RESIDENT:
        *record = kept;
        return;
    case CHECKED_GHOST:
        slot_push(c, &c->stale, slot, CHECKED_STALE);
        break;
    case CHECKED_RETURNING:
        c->record[slot].state = CHECKED_TAKEN;
        break;
    case CHECKED_TAKEN:
    case CHECKED_FREE:
    case CHECKED_STALE:
        break;
    }
    slot_zero(record);
}

// Puts `kind` in charge; it adopts the residents in the order of `scratch`, which is checked.
static void policy_change(struct checked *c, struct policy_choice choice) {
    for (uint32_t slot = 1; slot < c->fresh; slot++) {
        slot_reset(c, slot);
    }
    c->ghosts = 0;
    policy_start(c, &choice);
    for (uint32_t i = 0; i < c->resident; i++) {
        c->kind->operations->admit(&c->policy, c->scratch[i], POLICY_ADOPTED);
    }
}

static void scratch_fill(struct checked *c) {
    uint32_t count = 0;
    for (uint32_t at = c->oldest; at != POLICY_NONE; at = c->record[at].newer) {
        c->scratch[count++] = at;
    }
}

// The policy was wrong: FIFO goes on from the truth.
static void policy_fall(struct checked *c, const char *call, uint32_t slot, const char *what) {
    fault_note(c, c->kind->name, call, slot, what);
    scratch_fill(c);
    policy_change(c, policy_normal(FALLBACK));
}

// ---- checks of orders ------------------------------------------------------------------------

// Are these residents, none of them twice? Otherwise says what is wrong with which slot.
static const char *order_wrong(struct checked *c, const uint32_t *order, uint32_t count,
                               uint32_t *slot) {
    const char *what = NULL;
    uint32_t marked = 0;
    for (; marked < count && what == NULL; marked++) {
        *slot = order[marked];
        if (!slot_valid(c, *slot)) {
            what = "does not exist";
        } else if (checked_state(c, *slot) != CHECKED_RESIDENT) {
            what = "is not resident";
        } else if (c->record[*slot].mark) {
            what = "is listed twice";
        } else {
            c->record[*slot].mark = 1;
        }
    }
    for (uint32_t i = 0; i < marked; i++) {
        if (slot_valid(c, order[i])) {
            c->record[order[i]].mark = 0;
        }
    }
    return what;
}

// The first resident that the order leaves out; POLICY_NONE if there is none.
static uint32_t order_missing(struct checked *c, const uint32_t *order, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        c->record[order[i]].mark = 1;
    }
    uint32_t missing = POLICY_NONE;
    for (uint32_t at = c->oldest; at != POLICY_NONE; at = c->record[at].newer) {
        if (!c->record[at].mark && missing == POLICY_NONE) {
            missing = at;
        }
        c->record[at].mark = 0;
    }
    return missing;
}

// Asks for the order of all residents, into scratch. NULL, or what is wrong with which slot.
static const char *order_ask(struct checked *c, uint32_t *slot) {
    // There is at least slot 0's word to spare: room to see one page too many.
    uint32_t limit = c->resident + 1;
    uint32_t count = c->kind->operations->order(&c->policy, c->scratch, limit);
    *slot = POLICY_NONE;
    if (count > limit) {
        return "is where it wrote on past its limit";
    }
    const char *what = order_wrong(c, c->scratch, count, slot);
    if (what == NULL && count < c->resident) {
        *slot = order_missing(c, c->scratch, count);
        what = "is missing though resident";
    }
    return what;
}

uint32_t checked_order(struct checked *c, uint32_t *out, uint32_t limit) {
    uint32_t slot = POLICY_NONE;
    uint32_t count = c->kind->operations->order(&c->policy, out, limit);
    const char *what = count > limit ? "is where it wrote on past its limit"
                                     : order_wrong(c, out, count, &slot);
    if (what != NULL) {
        policy_fall(c, "order", slot, what);
        count = c->kind->operations->order(&c->policy, out, limit);
    }
    return count;
}

static bool policy_audit(struct checked *c, const char *call) {
    uint32_t slot = POLICY_NONE;
    const char *what = order_ask(c, &slot);
    if (what != NULL) {
        policy_fall(c, call, slot, what);
    }
    return what == NULL;
}

bool checked_audit(struct checked *c) {
    return policy_audit(c, "order");
}

bool checked_switch(struct checked *c, struct policy_choice choice) {
    uint32_t slot = POLICY_NONE, faults = c->faults;
    const char *what = order_ask(c, &slot);
    if (what != NULL) {
        fault_note(c, c->kind->name, "order", slot, what);
        scratch_fill(c);
    }
    policy_change(c, choice);
    return policy_audit(c, "admit") && faults == c->faults;
}

// ---- calls of the host -----------------------------------------------------------------------

uint32_t checked_take(struct checked *c, uint32_t ghost) {
    if (ghost != POLICY_NONE) {
        if (checked_state(c, ghost) == CHECKED_GHOST) {
            c->record[ghost].state = CHECKED_RETURNING;
            c->ghosts--;
            return ghost;
        }
        fault_host(c, "take", ghost, "is no ghost");
    }
    return checked_take_new(c);
}

bool checked_admit_ghost(struct checked *c, uint32_t slot) {
    if (checked_state(c, slot) == CHECKED_RETURNING) {
        return true;
    }
    fault_host(c, "admit", slot, "was not taken");
    return false;
}

static const char *victim_wrong(const struct checked *c, uint32_t answer) {
    uint32_t slot = POLICY_SLOT(answer);
    if (!slot_valid(c, slot)) {
        return slot == POLICY_NONE ? "is no victim though pages are resident" : "does not exist";
    }
    if (checked_state(c, slot) != CHECKED_RESIDENT) {
        return "is not resident";
    }
    if ((answer & POLICY_CLEAN) != 0 && (answer & POLICY_GHOST) != 0) {
        return "is to be evicted and to be cleaned first";
    }
    if ((answer & POLICY_CLEAN) != 0 && !c->policy.slot[slot].dirty) {
        return "is to be cleaned first, but is clean";
    }
    if ((answer & POLICY_GHOST) != 0 && c->kind->operations->ghosts == 0) {
        return "is to be a ghost, but the policy has none";
    }
    return NULL;
}

uint32_t checked_victim(struct checked *c, uint32_t incoming) {
    enum checked_state state = checked_state(c, incoming);
    if (incoming != POLICY_NONE && state != CHECKED_TAKEN && state != CHECKED_RETURNING) {
        fault_host(c, "victim", incoming, "was not taken");
        incoming = POLICY_NONE;
    }
    if (c->resident == 0) {
        return POLICY_NONE;
    }
    uint32_t answer = c->kind->operations->victim(&c->policy, incoming);
    const char *what = victim_wrong(c, answer);
    if (what != NULL) {
        policy_fall(c, "victim", POLICY_SLOT(answer), what);
        answer = c->oldest;
        c->kind->operations->drop(&c->policy, answer);
    }
    if ((answer & POLICY_CLEAN) != 0) {
        return answer;
    }
    uint32_t slot = POLICY_SLOT(answer);
    resident_remove(c, slot);
    if ((answer & POLICY_GHOST) != 0) {
        c->record[slot].state = CHECKED_GHOST;
        c->ghosts++;
    } else {
        slot_free(c, slot);
    }
    return slot;
}

void checked_drop(struct checked *c, uint32_t slot) {
    switch (checked_state(c, slot)) {
    case CHECKED_FREE:
    case CHECKED_STALE:
        fault_host(c, "drop", slot, "belongs to no page");
        return;
    case CHECKED_TAKEN:
        // A policy without ghosts does not look at what comes in.
        if (c->kind->operations->ghosts == 0) {
            slot_free(c, slot);
            return;
        }
        break;
    case CHECKED_RESIDENT:
        resident_remove(c, slot);
        break;
    case CHECKED_GHOST:
        c->ghosts--;
        break;
    case CHECKED_RETURNING:
        break;
    }
    c->kind->operations->drop(&c->policy, slot);
    slot_free(c, slot);
}

void checked_tick(struct checked *c) {
    if (c->kind->operations->tick != NULL) {
        c->kind->operations->tick(&c->policy);
    }
}

// ---- ghosts ----------------------------------------------------------------------------------

static bool ghosts_too_many(const struct checked *c) {
    return (c->free == POLICY_NONE && c->fresh == c->policy.slots) ||
           c->ghosts > ghosts_of(c->policy.frames, c->kind->operations->ghosts);
}

// Asks the policy for a ghost less. POLICY_NONE if it need not and will not, or was wrong: then
// all ghosts are stale.
static uint32_t ghost_reap(struct checked *c, bool must) {
    uint32_t slot = c->kind->operations->reap(&c->policy, must);
    if (slot == POLICY_NONE && !must) {
        return POLICY_NONE;
    }
    enum checked_state state = checked_state(c, slot);
    if (state == CHECKED_GHOST || state == CHECKED_RETURNING) {
        c->ghosts -= state == CHECKED_GHOST;
        return slot;
    }
    policy_fall(c, "reap", slot, slot == POLICY_NONE ? "is no ghost though there are some"
                                                     : "is no ghost");
    return POLICY_NONE;
}

// False: the policy gives none up.
static bool ghost_give_up(struct checked *c, bool must) {
    uint32_t slot = ghost_reap(c, must);
    if (slot == POLICY_NONE) {
        return false;
    }
    if (c->record[slot].state == CHECKED_GHOST) {
        slot_push(c, &c->stale, slot, CHECKED_STALE);
    } else {
        // Its page is coming in: the host still needs the slot, as that of a new page.
        c->record[slot].state = CHECKED_TAKEN;
        slot_zero(&c->policy.slot[slot]);
    }
    return true;
}

uint32_t checked_reap(struct checked *c) {
    if (c->ghosts > 0) {
        (void)ghost_give_up(c, true);
    }
    return checked_forget(c);
}

uint32_t checked_forget(struct checked *c) {
    while (c->stale == POLICY_NONE && c->ghosts > 0 && ghost_give_up(c, ghosts_too_many(c))) {
    }
    uint32_t slot = c->stale;
    if (slot != POLICY_NONE) {
        c->stale = c->record[slot].newer;
        slot_free(c, slot);
    }
    return slot;
}
