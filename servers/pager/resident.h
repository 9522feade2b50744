// SPDX-License-Identifier: MIT
// The resident pages of a domain and its policy: every policy is asked through checked.h, and its
// memory grows with the domain. Marks are the numbers under which the policy knows pages; they are
// what checked.h calls slots.
//
// A ghost, a page that has left and that its policy remembers, keeps its mark. It lies where looking
// for the page finds it anyway: in the page's entry (ENTRY_GHOST), whose own contents move into the
// mark's record, or while the page is being written in its frame. So ghosts cost no memory but their
// marks, pages that are dropped without I/O can be ghosts, too, whoever forgets a page meets its
// ghost, and a first touch pays nothing.
#pragma once
#include "domain.h"
#include "framelist.h"

#define RESIDENT_INCOMING 16u  // pages of one domain that may be coming in at a time

// Give a new domain its policy. 0: no memory, nothing changed.
int resident_init(struct domain *domain, const struct policy_choice *choice);

// Marks are left for a page more, and for those that come back because they could not be written.
static inline int resident_has_slots(const struct domain *domain) {
    return domain->resident + domain->reading + domain->writing + domain->policy.ghosts + 2 <
           domain->policy.policy.slots;
}
// A mark (policy slot) for a page that is coming in and has no ghost; POLICY_NONE: the domain can
// hold no more pages (evict one). Ghosts make room before pages do.
uint32_t resident_take(struct domain *domain);

// The mark by which the policy remembers a page that is gone or going; POLICY_NONE: it does not.
uint32_t resident_ghost(const struct domain *domain, uint32_t page);
// The page of a ghost comes back: its mark is taken, its entry or frame as if it had no ghost.
uint32_t resident_return(struct domain *domain, uint32_t page);
// Its page is gone for good: the policy forgets it.
void resident_ghost_drop(struct domain *domain, uint32_t page);
// The entry of a page that has left, `entry` without its ghost; frame: the one that it was in.
static inline uint32_t resident_entry(struct domain *domain, const struct frame_record *frame,
                                      uint32_t entry) {
    if (!frame->ghost) {
        return entry;
    }
    domain->policy.record[frame->mark].older = entry;
    return ENTRY(ENTRY_GHOST, frame->mark);
}
// The reverse: what an entry is but for its ghost.
static inline uint32_t resident_plain(const struct domain *domain, uint32_t entry) {
    return ENTRY_STATE(entry) == ENTRY_GHOST ? domain->policy.record[ENTRY_VALUE(entry)].older
                                             : entry;
}

// The page of a frame (its mark taken before) is resident now.
static inline void resident_admit(struct domain *domain, uint32_t slot, enum policy_how how) {
    struct frame_record *frame = framelist_at(slot);
    domain->policy.record[frame->mark].owner = slot;
    domain->resident++;
    checked_admit(&domain->policy, frame->mark, how);
    machine_trace(EVENT_admit, domain->number, frame->page, frame->mark, how);
}
// Slot of the frame to evict, resident no more, its mark gone but for a ghost; 0: nothing is
// resident. With POLICY_CLEAN: it stays, write it out and ask again. The mark `incoming` is of `page`.
uint32_t resident_victim(struct domain *domain, uint32_t incoming, uint32_t page);
// A resident page is gone, or the mark of a page is not needed after all.
void resident_drop(struct domain *domain, uint32_t slot);
void resident_untake(struct domain *domain, uint32_t page, uint32_t mark);
// The victim cannot leave: it is resident again, as if it had come.
void resident_keep(struct domain *domain, uint32_t slot);
// The victim shall not leave: it is kept, and the page leaves that came first. Returns its slot.
uint32_t resident_replace(struct domain *domain, uint32_t slot);

void resident_limit_set(struct domain *domain, uint32_t limit);
void resident_policy_set(struct domain *domain, const struct policy_choice *choice);
// The policy in charge, with its parameters.
struct policy_choice resident_choice(const struct domain *domain);

// The last complaint about a policy, in words; its length is 0 if there was none.
extern char resident_complaint[TEXT_BYTES];
uint32_t resident_faults(void);  // complaints over all domains, the past ones included
// How many laws between frames, marks and policy are broken.
uint32_t resident_check(struct domain *domain);
void resident_reset(void);
// The domain ends: its complaints go on counting.
void resident_end(struct domain *domain);
