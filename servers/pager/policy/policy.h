// SPDX-License-Identifier: MIT
// Replacement policies: the interface between a policy and its host (the pager, the simulator).
//
// A policy sees slots, never addresses, frames or tasks. A slot is one page identity that the
// policy may remember: resident, ghost (evicted but remembered) or free. The host owns the map from
// pages to slots, the frames, the I/O and the Accessed and Dirty bits, which it pushes into the
// slots; a policy never asks back. One policy is one file, all functions static, reached through
// one table of operations; no allocation, no globals, no call to anything outside the file.
//
// Hosts do not call the operations themselves: checked.h does, and believes nothing.
#pragma once
#include <stdint.h>

#include "describe.h"

// Slot 0 is no page. A policy may use its record as it likes (as the end of a list, for example).
#define POLICY_NONE 0u

// The host's slots are 1 to slots - 1. All that a policy remembers of a page is here: the host
// zeroes the record when a page gets a slot, and keeps it while the page is resident or a ghost.
struct policy_slot {
    uint32_t word[4];  // the policy's own (list.h links slots with words 0 and 1)
    uint8_t state;     // the policy's own: which of its lists, for example
    uint8_t count;     // the policy's own
    uint8_t ref;       // the host sets 1 when the page was accessed; the policy clears it
    uint8_t dirty;     // the host sets and clears it; a policy only reads it
};
_Static_assert(sizeof(struct policy_slot) == 20, "a slot is 20 bytes");

#define POLICY_MEMORY_WORDS 32u
#define POLICY_PARAMETERS 4u

// One instance, in the caller's memory. The operations get it as `policy` and may change the slots'
// records, but for `dirty`, and `memory`.
struct policy {
    struct policy_slot *slot;  // slot[0 .. slots)
    uint32_t slots;
    uint32_t frames;     // that the pages may fill: never 0, may change between any two calls
    uint32_t parameter[POLICY_PARAMETERS];  // in the order of the table's; variants share one table
    uint32_t memory[POLICY_MEMORY_WORDS];  // the policy's own, zeroed before init
};

// Defines NAME_memory(), a policy's view of `memory`: a struct of uint32_t only.
#define POLICY_MEMORY(name, type)                                                       \
    _Static_assert(sizeof(type) <= POLICY_MEMORY_WORDS * 4, #type " is too long");      \
    static inline type *name##_memory(struct policy *policy) {                          \
        return (type *)policy->memory;                                                  \
    }

// A share of the frames, in percent, rounded down.
static inline uint32_t policy_share(const struct policy *policy, uint32_t percent) {
    return (uint32_t)((uint64_t)policy->frames * percent / 100);
}

// How a page became resident.
enum policy_how {
    POLICY_USED,        // a program waits for it
    POLICY_READ_AHEAD,  // nobody asked for it yet
    POLICY_COLD,        // it is not expected to be used again: the next victim, if policy agrees
    POLICY_ADOPTED,     // it was resident under another policy; `ref` tells of its past
};

// What victim() answers: a slot and flags.
#define POLICY_SLOT(answer) ((answer) & 0x3fffffffu)
#define POLICY_GHOST 0x40000000u  // evict it; the policy remembers the slot as a ghost
#define POLICY_CLEAN 0x80000000u  // do not evict it yet, it stays: write it out first and ask again

// A number that whoever chooses the policy may set: "arc:p=8".
struct policy_parameter {
    const char *name;  // NULL: there is none
    uint32_t normal, least, most;
    const char *text;
};

// No operation may be missing, but those marked "may be NULL".
struct policy_operations {
    uint32_t blind;   // 1: it never looks at `ref`, so the host need not read Accessed bits
    uint32_t sees_dirty;  // 1: it looks at `dirty`, so the host tells it of Dirty bits
    uint32_t last_touch;  // 1: of a page's touches with no other call but touches between them only
                          // the last counts, so the host may leave out the others
    struct policy_parameter parameter[POLICY_PARAMETERS];

    uint32_t ghosts;  // how many ghosts it wants, in percent of the frames; the host keeps slots
                      // for so many and enforces it by reap()

    // `memory` and all records are zero, nothing is resident.
    void (*init)(struct policy *policy);

    // The page became resident: a new slot (zero but for ref and dirty) or a ghost, whose state is
    // still in its record; victim() may have seen it as `incoming` just before. `ref` is 0, but for
    // POLICY_ADOPTED.
    void (*admit)(struct policy *policy, uint32_t slot, enum policy_how how);

    // May be NULL: only for policies that keep an order. The resident page was used; the host has
    // set `ref`. Called per reference in the simulator, per accessed page after a scan in the
    // pager.
    void (*touch)(struct policy *policy, uint32_t slot);

    // Choose a resident page and forget it, or keep it as ghost (POLICY_GHOST), or ask for it to be
    // written first (POLICY_CLEAN, only if it is dirty). `incoming` is the slot of the page that
    // will take its place (new or ghost, never resident), POLICY_NONE when evicting ahead.
    // Returns POLICY_NONE only if nothing is resident.
    uint32_t (*victim)(struct policy *policy, uint32_t incoming);

    // The page is unmapped, pinned or dead: forget the slot at once. It may be resident, a ghost,
    // or (only if the policy has ghosts) a page that never came: the `incoming` of a victim(), or
    // a slot that the policy has not heard of, with a zero record.
    void (*drop)(struct policy *policy, uint32_t slot);

    // May be NULL if ghosts is 0. Forget a ghost and return it: the stalest one if `must`, else one
    // that the policy itself has no use for any more. POLICY_NONE: there is none.
    uint32_t (*reap)(struct policy *policy, int must);

    // May be NULL. The host has pushed the Accessed bits of a whole scan.
    void (*tick)(struct policy *policy);

    // Write the residents in the order in which victim() would choose them if no page were used
    // any more, at most `limit` of them; returns how many. Changes nothing.
    uint32_t (*order)(struct policy *policy, uint32_t *out, uint32_t limit);

    // May be NULL. Names for people (describe.h); says nothing to the host.
    const struct policy_description *description;
};

// The name of an operation that is missing though it may not be, or NULL.
const char *policy_incomplete(const struct policy_operations *operations);

// One line of policies.def.
struct policy_kind {
    const char *name;
    const struct policy_operations *operations;
    uint32_t set, value;  // parameter number set - 1 has this value; set is 0: all are normal
    const char *text;     // what it does, in a few words
};

#define POLICY(name, operations, setting, text) POLICY_INDEX_##name,
enum policy_index {
#include "policies.def"
    POLICY_COUNT
};
#undef POLICY

// All policies, in the order of policies.def.
extern const struct policy_kind policy_kinds[POLICY_COUNT];

// The policy of this name, or NULL. `name` is untrusted: at most `limit` bytes are read.
const struct policy_kind *policy_find(const char *name, uint32_t limit);

// A policy and its parameters.
struct policy_choice {
    const struct policy_kind *kind;
    uint32_t parameter[POLICY_PARAMETERS];
};
struct policy_choice policy_normal(const struct policy_kind *kind);

// Reads "NAME[:PARAMETER=NUMBER]...", such as "arc:p=8"; `text` is untrusted and ends with 0 within
// `limit` bytes. NULL, or what is wrong with it: the end of a sentence that begins with the text.
const char *policy_choose(struct policy_choice *choice, const char *text, uint32_t limit);
// How many bytes of such a text are the policy's name.
uint32_t policy_name_length(const char *text, uint32_t limit);
// The reverse of policy_choose(): the name, and the parameters that are not as the name alone has
// them. Ends with 0; the name alone where `size` has no room for all.
void policy_describe(const struct policy_choice *choice, char *text, uint32_t size);
