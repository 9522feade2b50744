// SPDX-License-Identifier: MIT
#include "evict.h"
#include "scan.h"
#include "transfer.h"

enum outcome {
    EVICT_FREED,    // a frame is idle now
    EVICT_WRITING,  // it will be
    EVICT_NOTHING,  // the domain has no resident page
    EVICT_FULL,     // all its pages are changed and the store has no room
};

// ---- one page --------------------------------------------------------------------------------

static void slot_free(uint32_t slot) {
    swap_release(&swap_space, framelist_at(slot)->store);
    framelist_release(slot);
}

// Has the page changed, without unmapping it?
static int is_changed(const struct domain *domain, const struct frame_record *frame) {
    struct scan scan;
    if (frame->dirty || !frame->mapped) {
        return frame->dirty;
    }
    return machine_scan(domain->space, frame->page, 1, &scan) == OK && (scan.dirty[0] & 1);
}

static void page_unmap(const struct domain *domain, struct frame_record *frame) {
    if (frame->mapped) {
        frame->mapped = 0;
        frame->dirty |= (machine_unmap_page(domain->space, frame->page) & FRAME_DIRTY) != 0;
    }
}

// The page is not resident any more (its entry says so) and unchanged: what can make its contents
// again?
static enum outcome page_discard(struct domain *domain, uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    uint32_t entry = ENTRY(ENTRY_UNTOUCHED, 0);
    if (frame->store != SWAP_NONE) {
        entry = ENTRY(ENTRY_STORED, frame->store);
        domain->swapped++;
    }
    pagemap_set(&domain->pages, frame->page, resident_entry(domain, frame, entry));
    framelist_release(slot);
    return EVICT_FREED;
}

// Its entry says that it is being written.
static enum outcome page_write(struct domain *domain, uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    frame->state = FRAME_WRITING;
    domain->writing++;
    if (frame->busy) {
        frame->again = frame->dirty;  // an older version of it is on its way
    } else {
        transfer_start(slot);
        domain->counters.written++;
        machine_trace(EVENT_swap_out, domain->number, frame->page, frame->store, 0);
    }
    frame->dirty = 0;
    return EVICT_WRITING;
}

static enum outcome page_evict(struct domain *domain, uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    uint32_t mark = frame->mark;
    page_unmap(domain, frame);
    domain->counters.evictions++;
    if (mark != POLICY_NONE) {
        machine_trace(EVENT_evict, domain->number, frame->page, mark, frame->dirty);
    }
    if (!frame->dirty && !frame->busy) {
        pagemap_leave(&domain->pages, frame->page, ENTRY(ENTRY_UNTOUCHED, 0));
        return page_discard(domain, slot);
    }
    if (!transfer_page_assign(frame)) {
        resident_keep(domain, slot);  // the store broke, or the page was changed since we looked
        return EVICT_FULL;
    }
    pagemap_leave(&domain->pages, frame->page, ENTRY(ENTRY_WRITING, slot));
    return page_write(domain, slot);
}

static int can_leave(const struct domain *domain, const struct frame_record *frame) {
    return frame->state == FRAME_RESIDENT && frame->domain == domain_index(domain) &&
           ((frame->store != SWAP_NONE && !transfer_is_broken()) || !is_changed(domain, frame));
}

// Without room in the store, can as many pages leave as one instruction may need at once? Fewer
// would chase each other out for ever. The search goes on where the last one ended: near there are
// others.
static int can_rotate(const struct domain *domain) {
    static uint32_t slot = 1;
    uint32_t found = 0;
    for (uint32_t tries = framelist_count; tries > 0 && found < LIMIT_MIN; tries--) {
        slot = slot + 1 < framelist_count ? slot + 1 : 1;
        found += slot < framelist_count && can_leave(domain, framelist_at(slot));
    }
    return found == LIMIT_MIN;
}

// Write it out while it stays: what writes to it meanwhile faults, and changes it again. Its frame is
// then in the state of one that was wanted again on its way out.
static void page_clean(struct domain *domain, uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    if (frame->busy || transfer_count >= CLEANING_MAX || transfer_is_broken() ||
        (frame->store == SWAP_NONE && !transfer_has_room())) {
        return;  // it will be written when it leaves
    }
    page_unmap(domain, frame);
    if (frame->dirty && transfer_page_assign(frame)) {
        frame->dirty = 0;
        transfer_start(slot);
        domain->counters.written++;
        machine_trace(EVENT_swap_out, domain->number, frame->page, frame->store, 0);
    }
}

// Each page is cleaned at most once before there is a victim, for its mark is not dirty any more.
static uint32_t victim_choose(struct domain *domain, uint32_t incoming, uint32_t page) {
    uint32_t slot = resident_victim(domain, incoming, page);
    while ((slot & POLICY_CLEAN) != 0) {
        page_clean(domain, POLICY_SLOT(slot));
        slot = resident_victim(domain, incoming, page);
    }
    return slot;
}

// Without room in the store only unchanged pages can leave: pass over the others.
static enum outcome domain_evict(struct domain *domain, uint32_t incoming, uint32_t page) {
    if (!transfer_has_room() && domain->resident > 0 && !can_rotate(domain)) {
        return EVICT_FULL;
    }
    scan_if_due(domain);
    for (uint32_t tries = domain->resident; tries > 0; tries--) {
        uint32_t slot = victim_choose(domain, incoming, page);
        if (slot == 0) {
            return EVICT_NOTHING;
        }
        struct frame_record *frame = framelist_at(slot);
        if (!transfer_has_room() && is_changed(domain, frame) && !transfer_page_assign(frame)) {
            machine_trace(EVENT_evict, domain->number, frame->page, frame->mark, 1);
            resident_keep(domain, slot);
            continue;
        }
        if (pace_is_chased(&domain->victims, frame->page) && domain->resident > 0 &&
            transfer_has_room()) {
            machine_trace(EVENT_evict, domain->number, frame->page, frame->mark, frame->dirty);
            slot = resident_replace(domain, slot);
        }
        return page_evict(domain, slot);
    }
    return domain->resident == 0 ? EVICT_NOTHING : EVICT_FULL;
}

// ---- room ------------------------------------------------------------------------------------

static uint32_t writing_most(const struct domain *domain) {
    uint32_t share = MIN_OF(domain->limit, domain->resident + domain->writing) / WRITING_SHARE;
    return MAX_OF(MIN_OF(share, WRITING_MAX), 1);
}

static int over_limit(const struct domain *domain) {
    return domain->resident + domain->reading >= domain->limit;
}

// The one that holds most: without limits of their own they share what there is.
static struct domain *largest(void) {
    struct domain *best = NULL;
    FOR_EACH_DOMAIN(domain) {
        if (best == NULL || domain->resident > best->resident) {
            best = domain;
        }
    }
    return best;
}

enum room evict_for_frame(struct domain *domain) {
    while (!framelist_available()) {
        struct domain *victim = largest();
        if (victim == NULL || victim->resident < LIMIT_MIN) {
            victim = domain;
        }
        if (victim->writing >= writing_most(victim)) {
            return ROOM_WAIT;
        }
        enum outcome outcome = domain_evict(victim, POLICY_NONE, 0);
        if ((outcome == EVICT_NOTHING || outcome == EVICT_FULL) && victim != domain) {
            outcome = domain_evict(domain, POLICY_NONE, 0);
        }
        if (outcome == EVICT_NOTHING || outcome == EVICT_FULL) {
            return transfer_count > 0 ? ROOM_WAIT : ROOM_NONE;
        }
    }
    return ROOM_NOW;
}

enum room evict_one(struct domain *domain, uint32_t incoming, uint32_t page) {
    if (domain->writing >= writing_most(domain)) {
        return ROOM_WAIT;
    }
    enum outcome outcome = domain_evict(domain, incoming, page);
    if (outcome == EVICT_FREED || outcome == EVICT_WRITING) {
        return ROOM_NOW;
    }
    return domain->reading + domain->writing > 0 ? ROOM_WAIT : ROOM_NONE;
}

enum room evict_for_page(struct domain *domain, uint32_t incoming, uint32_t page) {
    while (over_limit(domain)) {
        enum room room = evict_one(domain, incoming, page);
        if (room != ROOM_NOW) {
            return room;
        }
    }
    return evict_for_frame(domain);
}

static int must_wait(const struct domain *domain) {
    return over_limit(domain) && domain->writing >= writing_most(domain);
}

enum room evict_beforehand(struct domain *domain) {
    enum room room = must_wait(domain) ? ROOM_WAIT : evict_for_frame(domain);
    while (room == ROOM_NOW && domain->resident + domain->reading > domain->limit) {
        room = evict_one(domain, POLICY_NONE, 0);  // the limit was lowered
    }
    return room == ROOM_NOW && must_wait(domain) ? ROOM_WAIT : room;
}

#define SURPLUS_SLICE 32u  // pages evicted before other messages are looked at

int evict_surplus_due;

int evict_surplus(void) {
    uint32_t done = 0;
    evict_surplus_due = 0;
    FOR_EACH_DOMAIN(domain) {
        while (domain->resident + domain->reading > domain->limit) {
            evict_surplus_due = 1;
            if (domain->writing >= writing_most(domain)) {
                break;  // and go on when one has been written
            }
            enum outcome outcome = domain_evict(domain, POLICY_NONE, 0);
            if (outcome == EVICT_NOTHING || outcome == EVICT_FULL) {
                break;
            }
            if (++done == SURPLUS_SLICE) {
                return 1;
            }
        }
    }
    return 0;
}

const char *evict_excuse(void) {
    if (transfer_is_broken()) {
        return "memory is used up and the store reports errors: replace the swap disk";
    }
    return swap_space.pages == 0
               ? "memory is used up and there is no store: add a swap disk or more RAM"
               : "memory and the store are full: give the machine a larger swap disk or more RAM";
}

// ---- the end of a transfer -------------------------------------------------------------------

static void read_finish(struct domain *domain, uint32_t slot, error_t error) {
    struct frame_record *frame = framelist_at(slot);
    domain->reading--;
    if (error != OK) {
        resident_untake(domain, frame->page, frame->mark);
        pagemap_set(&domain->pages, frame->page, ENTRY(ENTRY_STORED, frame->store));
        domain->swapped++;
        framelist_release(slot);
        return;
    }
    frame->state = FRAME_RESIDENT;
    pagemap_admit(&domain->pages, frame->page, slot);
    resident_admit(domain, slot, POLICY_USED);
}

// A page that could not be written stays in memory: its contents are nowhere else.
static void write_undo(struct domain *domain, uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    transfer_error_note();
    frame->state = FRAME_RESIDENT;
    frame->dirty = 1;
    evict_surplus_due = 1;
    pagemap_admit(&domain->pages, frame->page, slot);
    resident_keep(domain, slot);
}

static void write_finish(struct domain *domain, uint32_t slot, error_t error) {
    struct frame_record *frame = framelist_at(slot);
    domain->writing--;
    if (error != OK) {
        frame->again = 0;
        write_undo(domain, slot);
    } else if (frame->again) {
        frame->again = 0;
        (void)page_write(domain, slot);
    } else {
        (void)page_discard(domain, slot);
    }
}

void evict_finish(uint32_t slot, error_t error) {
    struct frame_record *frame = framelist_at(slot);
    struct domain *domain = &domain_table[frame->domain];
    switch ((enum frame_state)frame->state) {
    case FRAME_READING:
        read_finish(domain, slot, error);
        break;
    case FRAME_WRITING:
        write_finish(domain, slot, error);
        break;
    case FRAME_RESIDENT:  // it was wanted again while it was being written
        frame->dirty |= error != OK;
        break;
    case FRAME_DOOMED:
        slot_free(slot);
        break;
    case FRAME_IDLE:
    case FRAME_META:
        break;
    }
}
