// SPDX-License-Identifier: MIT
// A small host of policies for tests: pages are numbers below HOST_PAGES, nothing is moved. Does
// all that checked.h asks of a host, and checks itself after each step.
#pragma once
#include <string.h>

#include "checked.h"
#include "random.h"
#include "test.h"

#define EACH_POLICY(kind)                                                             \
    for (const struct policy_kind *kind = policy_kinds;                               \
         kind < policy_kinds + POLICY_COUNT && (test_case(kind->name), 1); kind++)

#define HOST_PAGES 256u
#define HOST_FRAMES 64u
#define HOST_SLOTS (2 * HOST_FRAMES + 8)  // as many ghosts as frames, some pages coming in

struct host {
    struct checked c;
    uint32_t frames;
    uint32_t slot_of[HOST_PAGES];   // of a resident page, or POLICY_NONE
    uint32_t ghost_of[HOST_PAGES];  // of a page that the policy remembers, or POLICY_NONE
    uint32_t page_of[HOST_SLOTS];
    uint32_t misses, evictions, ghost_hits;
    uint32_t victim;                // page of the last eviction, or the last one cleaned
    uint32_t memory[HOST_SLOTS * 10];
};

static inline void host_start(struct host *host, const struct policy_kind *kind,
                              uint32_t frames) {
    memset(host, 0xa5, sizeof(*host));  // the wrapper must not rely on zeroed memory
    memset(host->slot_of, 0, sizeof(host->slot_of));
    memset(host->ghost_of, 0, sizeof(host->ghost_of));
    host->misses = host->evictions = host->ghost_hits = 0;
    host->frames = frames;
    CHECK(checked_bytes(HOST_SLOTS) <= sizeof(host->memory));
    checked_init(&host->c, policy_normal(kind), host->memory, HOST_SLOTS, frames);
}

static inline void host_forget(struct host *host) {
    uint32_t slot;
    while ((slot = checked_forget(&host->c)) != POLICY_NONE) {
        host->ghost_of[host->page_of[slot]] = POLICY_NONE;
    }
}

static inline void host_evict(struct host *host, uint32_t incoming) {
    uint32_t slot = checked_victim(&host->c, incoming);
    CHECK(slot != POLICY_NONE);
    if ((slot & POLICY_CLEAN) != 0) {
        CHECK(host->c.policy.slot[POLICY_SLOT(slot)].dirty);
        host->c.policy.slot[POLICY_SLOT(slot)].dirty = 0;
        host->victim = host->page_of[POLICY_SLOT(slot)];
        return;
    }
    uint32_t page = host->page_of[slot];
    CHECK(host->slot_of[page] == slot);
    host->slot_of[page] = POLICY_NONE;
    host->c.policy.slot[slot].dirty = 0;  // written out
    if (checked_state(&host->c, slot) == CHECKED_GHOST) {
        host->ghost_of[page] = slot;
    }
    host->victim = page;
    host->evictions++;
    host_forget(host);
}

static inline void host_frames(struct host *host, uint32_t frames) {
    host->frames = frames;
    checked_frames_set(&host->c, frames);
    while (host->c.resident > frames) {
        host_evict(host, POLICY_NONE);
    }
}

static inline void host_admit(struct host *host, uint32_t page, enum policy_how how) {
    uint32_t slot = checked_take(&host->c, host->ghost_of[page]);
    CHECK(slot != POLICY_NONE);
    host->ghost_hits += host->ghost_of[page] != POLICY_NONE;
    while (host->c.resident >= host->frames) {
        host_evict(host, slot);
    }
    host->ghost_of[page] = POLICY_NONE;
    host->slot_of[page] = slot;
    host->page_of[slot] = page;
    checked_admit(&host->c, slot, how);
}

// Returns whether it was a miss.
static inline int host_reference(struct host *host, uint32_t page) {
    if (host->slot_of[page] != POLICY_NONE) {
        checked_touch(&host->c, host->slot_of[page]);
        return 0;
    }
    host->misses++;
    host_admit(host, page, POLICY_USED);
    return 1;
}

static inline void host_drop(struct host *host, uint32_t page) {
    uint32_t slot = host->slot_of[page] != POLICY_NONE ? host->slot_of[page]
                                                       : host->ghost_of[page];
    if (slot != POLICY_NONE) {
        checked_drop(&host->c, slot);
        host->slot_of[page] = host->ghost_of[page] = POLICY_NONE;
    }
}

static inline uint32_t host_resident(const struct host *host) {
    uint32_t count = 0;
    for (uint32_t page = 0; page < HOST_PAGES; page++) {
        count += host->slot_of[page] != POLICY_NONE;
    }
    return count;
}

// The wrapper's own list of residents is whole, from both ends.
static inline void host_check_truth(const struct host *host) {
    const struct checked *c = &host->c;
    uint32_t count = 0, before = POLICY_NONE;
    for (uint32_t at = c->oldest; at != POLICY_NONE; at = c->record[at].newer) {
        CHECK(checked_state(c, at) == CHECKED_RESIDENT);
        CHECK_EQUAL(c->record[at].older, before);
        CHECK(++count <= c->resident);
        before = at;
    }
    CHECK_EQUAL(c->newest, before);
    CHECK_EQUAL(count, c->resident);
}

// Nothing was ever wrong, and policy, wrapper and host agree.
static inline void host_check(struct host *host) {
    char line[160];
    (void)checked_audit(&host->c);
    if (checked_fault_take(&host->c, line, sizeof(line))) {
        test_fail(__FILE__, __LINE__, line);
    }
    CHECK_EQUAL(host->c.faults, 0);
    CHECK_EQUAL(host->c.resident, host_resident(host));
    CHECK(host->c.resident <= host->frames);
    host_check_truth(host);
}

// One step of a mixed load: skewed references above all, some writes, drops, read-ahead.
static inline void host_step(struct host *host, uint32_t *seed) {
    uint32_t page = random_next(seed) % (1 + random_next(seed) % HOST_PAGES);
    uint32_t what = random_next(seed) % 64;
    if (what == 63) {
        checked_tick(&host->c);
    } else if (what == 0) {
        host_drop(host, page);
    } else if (what <= 2 && host->slot_of[page] == POLICY_NONE) {
        host_admit(host, page, what == 1 ? POLICY_READ_AHEAD : POLICY_COLD);
    } else {
        host_reference(host, page);
        if (what < 16) {
            host->c.policy.slot[host->slot_of[page]].dirty = 1;
        }
    }
}

static inline void host_steps(struct host *host, uint32_t *seed, uint32_t steps) {
    for (uint32_t i = 0; i < steps; i++) {
        host_step(host, seed);
        if (i % 16 == 0) {
            host_check(host);
        }
    }
    host_check(host);
}
