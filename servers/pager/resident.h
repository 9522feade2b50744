// SPDX-License-Identifier: MIT
// The resident pages of a domain and its policy: every policy is asked through checked.h, and its
// memory grows with the domain. Marks are the numbers under which the policy knows pages; they are
// what checked.h calls slots. The pager keeps no ghosts: a page that leaves is forgotten.
#pragma once
#include "domain.h"
#include "framelist.h"

#define RESIDENT_INCOMING 16u  // pages of one domain that may be coming in at a time
#define RESIDENT_SPARE 32u     // the same, and pages that come back because they could not be written

// Give a new domain its policy. 0: no memory, nothing changed.
int resident_init(struct domain *domain, const struct policy_kind *kind);

// Marks are left for a page more, and for those that come back because they could not be written.
static inline int resident_has_slots(const struct domain *domain) {
    return domain->resident + domain->reading + domain->writing + 2 < domain->policy.policy.slots;
}
// A mark (policy slot) for a page that is coming in; POLICY_NONE: the domain can hold no more
// pages (evict one).
uint32_t resident_take(struct domain *domain);
// The page of a frame (its mark taken before) is resident now.
static inline void resident_admit(struct domain *domain, uint32_t slot, enum policy_how how) {
    struct frame_record *frame = framelist_at(slot);
    domain->policy.record[frame->mark].owner = slot;
    domain->resident++;
    checked_admit(&domain->policy, frame->mark, how);
    machine_trace(EVENT_admit, domain->number, frame->page, frame->mark, how);
}
// Slot of the frame to evict, resident no more, its mark gone; 0: nothing is resident.
uint32_t resident_victim(struct domain *domain, uint32_t incoming);
// A resident page is gone, or a mark is not needed after all.
void resident_drop(struct domain *domain, uint32_t slot);
void resident_untake(struct domain *domain, uint32_t mark);

void resident_limit_set(struct domain *domain, uint32_t limit);
void resident_policy_set(struct domain *domain, const struct policy_kind *kind);

// The last complaint about a policy, in words; its length is 0 if there was none.
extern char resident_complaint[TEXT_BYTES];
uint32_t resident_faults(void);  // complaints over all domains, the past ones included
// How many laws between frames, marks and policy are broken.
uint32_t resident_check(struct domain *domain);
void resident_reset(void);
// The domain ends: its complaints go on counting.
void resident_end(struct domain *domain);
