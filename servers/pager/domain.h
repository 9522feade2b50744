// SPDX-License-Identifier: MIT
// A domain: one program's address space, its frame limit, its policy, its counters. The table of
// all of them, found by task number.
//   resident: frames in state FRAME_RESIDENT, reading: FRAME_READING, writing: FRAME_WRITING
//   swapped: entries in state ENTRY_STORED, with a ghost or without
//   resident + reading <= limit, but for the time that it takes to evict after a limit was lowered
// audit.c compares all counts with the page map, the frame list and the policy.
#pragma once
#include "message.h"
#include "pace.h"
#include "pagemap.h"
#include "policy/checked.h"
#include "region.h"

#define DOMAINS_MAX 64u
#define LIMIT_NONE UINT32_MAX

enum domain_state {
    DOMAIN_FREE,
    DOMAIN_ALIVE,
    DOMAIN_RETIRED,  // counters and last words are kept until the place is needed
};

struct counters {
    uint32_t faults, evictions, written, read, zeroed, copied, scans;
};

struct domain {
    uint32_t number;  // of its task: the badge of its messages
    uint32_t index;   // its place in domain_table
    uint32_t program; // the module that it was started from
    enum domain_state state;
    handle_t space;   // to change the task's address space with
    uint32_t age;     // retired: smaller is longer ago
    struct regions regions;
    uint32_t regions_page;  // metapage of the list
    struct pagemap pages;
    uint32_t limit;
    uint32_t resident, reading, writing, swapped;
    uint32_t since_scan;  // evictions since the last scan
    struct pace_victims victims;  // that left last
    struct checked policy;  // owner of a resident slot: the slot of its frame; of a ghost: its page
    struct counters counters;
    uint32_t reason_length;
    char reason[TEXT_BYTES];  // why a fault was refused, or the program not admitted
};

extern struct domain domain_table[DOMAINS_MAX];
// Sums over domains whose place was used again.
extern struct counters domain_past;

void domain_init(void);
// The domain of a task that is alive, or NULL. Faults of one task come in runs, so the one found last
// is looked at first.
extern struct domain *domain_last;
struct domain *domain_search(uint32_t number);
static inline struct domain *domain_find(uint32_t number) {
    struct domain *domain = domain_last;
    return domain->number == number && domain->state == DOMAIN_ALIVE ? domain
                                                                     : domain_search(number);
}
// The same for one that may be retired.
struct domain *domain_recall(uint32_t number);
// A place for a new domain, nothing in it but its number (state DOMAIN_RETIRED); NULL: all taken.
struct domain *domain_open(uint32_t number);
// Give it a region list and a page map, and let it live. 0: no memory, nothing changed.
int domain_start(struct domain *domain, handle_t space);
// The reverse: its pages are gone already.
void domain_end(struct domain *domain);

static inline uint32_t domain_index(const struct domain *domain) {
    return domain->index;
}

#define FOR_EACH_DOMAIN(domain)                                          \
    for (struct domain *domain = domain_table; domain < domain_table + DOMAINS_MAX; domain++) \
        if (domain->state == DOMAIN_ALIVE)
