// SPDX-License-Identifier: MIT
// Policies are checked, not trusted: hosts (pager, simulator) reach every policy through here.
//
// The wrapper keeps its own truth of which slots are resident and in which order they came. A
// victim that is not resident, a lost page, an order with a double is caught at the call and named
// in one line (policy, call, slot), and the host goes on under FIFO, rebuilt from the truth. It
// also hands the residents from one policy to another. Memory comes from the caller; no libc.
//
// What it cannot catch: a policy that never returns, or writes outside what it was given.
//
// How a host serves a fault:
//
//     slot = checked_take(c, slot of the page's ghost, or POLICY_NONE);  // note: page <-> slot
//     while (c->resident >= frames) {                     // or ahead, with POLICY_NONE for slot
//         victim = checked_victim(c, slot);
//         if (victim & POLICY_CLEAN) { write POLICY_SLOT(victim) out, clear its dirty; continue; }
//         evict the page of the victim;
//         if (checked_state(c, victim) == CHECKED_FREE) forget its slot (else it is a ghost);
//         while ((ghost = checked_forget(c)) != POLICY_NONE) forget the slot of ghost's page;
//     }
//     bring the page in;                                  // may take long; other calls may come
//     checked_admit(c, slot, POLICY_USED);                // or checked_drop() if it failed
//
// Accessed and Dirty bits: checked_touch(c, slot) for a page used, c->policy.slot[slot].dirty.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

enum checked_state {
    CHECKED_FREE,       // belongs to no page
    CHECKED_TAKEN,      // its page is coming in
    CHECKED_RETURNING,  // a ghost whose page is coming in
    CHECKED_RESIDENT,
    CHECKED_GHOST,      // evicted, the policy remembers it
    CHECKED_STALE,      // the policy forgot it, the host has to: checked_forget() tells
};

struct checked_record {
    uint32_t older, newer;  // residents: order of arrival; free and stale slots: the next (newer);
                            // older of a ghost is the host's own, too
    uint8_t state;          // enum checked_state
    uint8_t mark;           // met in the list being checked
    uint16_t unused;
    uint32_t owner;         // the host's own
};

// What a policy did wrong. `policy` is "host" if the host did: such a call has no effect.
struct checked_fault {
    const char *policy, *call, *what;  // what: NULL if nothing happened
    uint32_t slot;
    bool table;  // the mistake is in the policy's table: no slot has to do with it
};

// Invariant (checked_audit() compares it with the policy's own order): the list oldest .. newest
// holds each resident slot once, `resident` in number; free, taken, resident, ghost and stale slots
// together are slots 1 to fresh - 1. Those from `fresh` on were never taken.
struct checked {
    struct policy policy;
    const struct policy_kind *kind;  // the policy in charge
    struct checked_record *record;
    uint32_t *scratch;  // one word per slot; the host may use it between calls
    uint32_t oldest, newest;
    uint32_t free, stale, fresh;
    uint32_t resident, ghosts;   // ghosts: those whose pages are coming in are none any more
    uint32_t faults;             // so many times a policy (or the host) was wrong
    struct checked_fault fault;  // the first one since checked_fault_take()
};

// Slots for that many frames under any policy of policies.def, when at most `incoming` pages are
// coming in at a time; and the bytes that checked_init() needs for so many slots.
uint32_t checked_slots(uint32_t frames, uint32_t incoming);
size_t checked_bytes(uint32_t slots);

// `memory`: checked_bytes(slots) bytes, aligned to 4, any contents. slots >= 2, frames >= 1.
void checked_init(struct checked *c, struct policy_choice choice, void *memory, uint32_t slots,
                  uint32_t frames);
// The same with the three arrays in places of their own, each with room for `slots`.
struct checked_memory {
    struct policy_slot *slot;
    struct checked_record *record;
    uint32_t *scratch;
};
void checked_init_at(struct checked *c, struct policy_choice choice,
                     struct checked_memory memory, uint32_t slots, uint32_t frames);
// All three arrays have room for more slots now.
void checked_extend(struct checked *c, uint32_t slots);

// The number of frames that the pages may fill; if fewer than before, the host calls
// checked_victim() until enough are free.
static inline void checked_frames_set(struct checked *c, uint32_t frames) {
    c->policy.frames = frames == 0 ? 1 : frames;
}

static inline enum checked_state checked_state(const struct checked *c, uint32_t slot) {
    return slot < c->fresh ? (enum checked_state)c->record[slot].state : CHECKED_FREE;
}

// A slot for a page that is coming in: that of its ghost (which may be POLICY_NONE), or a free one
// with a zeroed record. POLICY_NONE: all are in use; after checked_forget() was called until it had
// no more this means that the host has more pages than slots.
uint32_t checked_take(struct checked *c, uint32_t ghost);
// The same for a page that has no ghost.
static inline uint32_t checked_take_new(struct checked *c) {
    uint32_t slot = c->free;
    if (slot != POLICY_NONE) {
        c->free = c->record[slot].newer;
    } else if (c->fresh < c->policy.slots) {
        slot = c->fresh++;
        c->record[slot].mark = 0;
    } else {
        return POLICY_NONE;
    }
    c->record[slot].state = CHECKED_TAKEN;
    c->policy.slot[slot] = (struct policy_slot){0};
    return slot;
}

// The page of a taken slot is resident now.
bool checked_admit_ghost(struct checked *c, uint32_t slot);
static inline void checked_admit(struct checked *c, uint32_t slot, enum policy_how how) {
    struct checked_record *record = &c->record[slot];
    if (checked_state(c, slot) != CHECKED_TAKEN && !checked_admit_ghost(c, slot)) {
        return;
    }
    record->state = CHECKED_RESIDENT;
    record->older = c->newest;
    record->newer = POLICY_NONE;
    if (c->newest != POLICY_NONE) {
        c->record[c->newest].newer = slot;
    } else {
        c->oldest = slot;
    }
    c->newest = slot;
    c->resident++;
    if (how != POLICY_ADOPTED) {
        c->policy.slot[slot].ref = 0;
    }
    c->kind->operations->admit(&c->policy, slot, how);
}

// A resident page was used: one store, and a call if the policy keeps an order.
static inline void checked_touch(struct checked *c, uint32_t slot) {
    c->policy.slot[slot].ref = 1;
    if (c->kind->operations->touch != NULL) {
        c->kind->operations->touch(&c->policy, slot);
    }
}

// The slot of the page to evict for `incoming` (a taken slot) or ahead of need (POLICY_NONE): no
// longer resident when this returns, its state is CHECKED_FREE or CHECKED_GHOST. Or, with the flag
// POLICY_CLEAN, of a dirty page to write out first. POLICY_NONE if and only if nothing is resident.
uint32_t checked_victim(struct checked *c, uint32_t incoming);

// The slot of a page that the host has to forget (the slot is free now), or POLICY_NONE. Call it
// until POLICY_NONE after each checked_victim() and checked_switch().
uint32_t checked_forget(struct checked *c);

// The host is short of slots: the policy has to give up a ghost although it has no more than it may.
// Returns what checked_forget() does, which the host calls next.
uint32_t checked_reap(struct checked *c);

// The page is unmapped, pinned or dead, or never came: the slot is free at once.
void checked_drop(struct checked *c, uint32_t slot);

// The host has pushed the Accessed bits of a whole scan.
void checked_tick(struct checked *c);

// The first `limit` residents in the order of their eviction if no page were used any more:
// whose Accessed bits to read before evicting, for example. Returns how many.
uint32_t checked_order(struct checked *c, uint32_t *out, uint32_t limit);

// Compares the policy's order with the truth. False: it was wrong, FIFO is in charge now.
bool checked_audit(struct checked *c);

// Puts another policy in charge: its records start at zero but for ref and dirty, it adopts the
// residents, coldest first, and ghosts are dropped. False: one of the two was wrong, the residents
// are complete nevertheless (under the new policy if the old one was wrong, else under FIFO).
bool checked_switch(struct checked *c, struct policy_choice choice);

// If a fault was recorded since the last call: writes one line without newline, such as
// "policy clock: victim: slot 17 is not resident; going on under fifo", cut to `size` with its 0,
// and returns true.
bool checked_fault_take(struct checked *c, char *line, size_t size);
