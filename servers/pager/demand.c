// SPDX-License-Identifier: MIT
#include "demand.h"
#include "evict.h"
#include "module.h"
#include "refusal.h"
#include "transfer.h"

#define WAITING_MAX 256u  // more threads than can fault at a time
// Not part of the way of a page's first touch, which then has the registers for itself.
#define APART __attribute__((noinline))
#define PART __attribute__((always_inline)) inline  // although others call it, too

uint32_t demand_faults, demand_waiting;
static struct fault waiting[WAITING_MAX];  // in the order in which they came

void demand_init(void) {
    demand_faults = demand_waiting = 0;
}

// Keep why in the domain's last words, and refuse.
APART static void refuse(struct domain *domain, const struct fault *fault, struct answer *answer,
                   error_t error, const char *why) {
    refusal_note(domain, fault, why);
    *answer = (struct answer){.kind = ANSWER_ERROR, .error = error};
}

// ---- answers ---------------------------------------------------------------------------------

static inline void answer_map(const struct region *region, uint32_t page, uint32_t slot,
                              uint32_t flags, struct answer *answer) {
    struct frame_record *frame = framelist_at(slot);
    frame->mapped = 1;
    answer->kind = ANSWER_MAP;
    answer->item.page = page << PAGE_SHIFT | region->rights | MAP_READ;
    answer->item.frame = frame->number << 8 | flags;
}

static PART void page_admit(struct domain *domain, uint32_t page, uint32_t slot) {
    pagemap_admit(&domain->pages, page, slot);
    resident_admit(domain, slot, POLICY_USED);
}

// Bytes of the file that a page shows; 0: it is all zeros.
static uint32_t file_bytes(const struct region *region, uint32_t page, uint32_t *file_page) {
    if (region->kind != REGION_FILE) {
        return 0;
    }
    *file_page = region->file_page + (page - region->first);
    uint32_t past = region->file_end >> PAGE_SHIFT;
    return *file_page > past ? 0 : *file_page < past ? PAGE_SIZE : PAGE_OFFSET(region->file_end);
}

// A frame for the page; there is one.
static inline uint32_t frame_dress(const struct domain *domain, uint32_t page, uint32_t mark,
                            enum frame_wish wish, enum frame_state state) {
    uint32_t slot = framelist_take(wish);
    struct frame_record *frame = framelist_at(slot);  // all else in it is 0
    frame->page = page;
    frame->mark = mark;
    frame->domain = domain_index(domain) & 0xff;
    frame->state = state;
    return slot;
}

APART static void page_read(struct domain *domain, uint32_t page, uint32_t mark, uint32_t store_page,
                      struct answer *answer) {
    uint32_t slot = frame_dress(domain, page, mark, FRAMES_OTHER, FRAME_READING);
    framelist_at(slot)->store = store_page;
    pagemap_set(&domain->pages, page, ENTRY(ENTRY_READING, slot));
    domain->reading++;
    domain->swapped--;
    domain->counters.read++;
    transfer_start(slot);
    machine_trace(EVENT_swap_in, domain->number, page, store_page, 0);
    answer->kind = ANSWER_LATER;
}

// ---- bringing a page in ----------------------------------------------------------------------

APART static void no_room(struct domain *domain, const struct fault *fault, enum room room,
                    struct answer *answer) {
    if (room == ROOM_WAIT) {
        answer->kind = ANSWER_LATER;
    } else {
        refuse(domain, fault, answer, E_FULL, evict_excuse());
    }
}

// A mark under the domain's policy and room under its limit.
APART static enum room mark_take_slowly(struct domain *domain, const struct fault *fault,
                                         uint32_t *mark) {
    enum room room = ROOM_NOW;
    if (domain->reading + 1 >= RESIDENT_INCOMING) {
        return ROOM_WAIT;
    }
    *mark = resident_take(domain);
    if (*mark == POLICY_NONE) {  // no memory for more marks
        room = evict_one(domain, POLICY_NONE, 0);
        *mark = room == ROOM_NOW ? resident_take(domain) : POLICY_NONE;
    }
    if (*mark == POLICY_NONE) {
        return room != ROOM_NOW ? room : domain->writing > 0 ? ROOM_WAIT : ROOM_NONE;
    }
    uint32_t page = fault->address >> PAGE_SHIFT;
    room = evict_for_page(domain, *mark, page);
    if (room != ROOM_NOW) {
        resident_untake(domain, page, *mark);
    }
    return room;
}

// The same, mark first: mostly nothing stands in the way. POLICY_NONE: *room says why.
static inline uint32_t mark_take(struct domain *domain, const struct fault *fault,
                                 enum room *room) {
    uint32_t held = domain->resident + domain->reading, mark;
    if (domain->reading + 1 < RESIDENT_INCOMING && held < domain->limit &&
        framelist_idle > FRAMES_SPARE && resident_has_slots(domain)) {
        return checked_take_new(&domain->policy);
    }
    *room = mark_take_slowly(domain, fault, &mark);
    return *room == ROOM_NOW ? mark : POLICY_NONE;
}

// The same for a page that may have a ghost. Room comes first: a policy that has seen a page come
// back cannot be told that it waits again, only that it is gone.
APART static uint32_t mark_return(struct domain *domain, const struct fault *fault,
                                  enum room *room) {
    uint32_t page = fault->address >> PAGE_SHIFT;
    if (resident_ghost(domain, page) != POLICY_NONE) {
        int full = domain->reading + 1 >= RESIDENT_INCOMING;
        *room = full ? ROOM_WAIT : evict_beforehand(domain);
        if (*room != ROOM_NOW) {
            return POLICY_NONE;
        }
    }
    if (resident_ghost(domain, page) == POLICY_NONE) {  // given up meanwhile, perhaps
        return mark_take(domain, fault, room);
    }
    uint32_t mark = resident_return(domain, page);
    *room = evict_for_page(domain, mark, page);
    if (*room == ROOM_NOW) {
        return mark;
    }
    resident_untake(domain, page, mark);
    return POLICY_NONE;
}

// A leaf for the page. 0: *room says why there is none.
APART static int leaf_take(struct domain *domain, uint32_t page, enum room *room) {
    *room = ROOM_NOW;
    while (!pagemap_prepare(&domain->pages, page) && *room == ROOM_NOW) {
        *room = framelist_available() ? ROOM_NONE : evict_for_frame(domain);
    }
    return *room == ROOM_NOW;
}

// Fill the frame with what the file shows, zeros behind. 0: it cannot be read.
APART static int page_copy(struct domain *domain, const struct region *region, const struct fault *fault,
                     uint32_t slot, uint32_t file_page, uint32_t bytes, struct answer *answer) {
    const struct module *module = module_at(region->file);
    error_t error =
        machine_frame_copy(framelist_at(slot)->number, module->first + file_page, bytes);
    if (error != OK) {
        resident_untake(domain, framelist_at(slot)->page, framelist_at(slot)->mark);
        framelist_release(slot);
        refuse(domain, fault, answer, error, "its file could not be read");
        return 0;
    }
    domain->counters.copied++;
    return 1;
}

// The page was never touched, or was dropped unchanged.
static PART void page_make(struct domain *domain, const struct region *region, const struct fault *fault,
                      uint32_t mark, struct answer *answer) {
    uint32_t page = fault->address >> PAGE_SHIFT, file_page = 0;
    uint32_t bytes = file_bytes(region, page, &file_page);
    uint32_t slot = frame_dress(domain, page, mark, bytes > 0 ? FRAMES_OTHER : FRAMES_ZEROED,
                                FRAME_RESIDENT);
    uint32_t flags = 0;
    if (bytes == 0) {
        domain->counters.zeroed++;
        flags = framelist_at(slot)->zeroed ? 0 : FRAME_ZERO;
    } else if (!page_copy(domain, region, fault, slot, file_page, bytes, answer)) {
        return;
    }
    page_admit(domain, page, slot);
    answer_map(region, page, slot, flags, answer);
}

static inline void page_bring(struct domain *domain, const struct region *region,
                              const struct fault *fault, uint32_t entry, struct answer *answer) {
    uint32_t page = fault->address >> PAGE_SHIFT, mark = POLICY_NONE;
    enum room room = ROOM_NOW;
    if (pagemap_has_leaf(&domain->pages, page) || leaf_take(domain, page, &room)) {
        mark = mark_take(domain, fault, &room);
    }
    if (mark == POLICY_NONE) {
        no_room(domain, fault, room, answer);
    } else if (ENTRY_STATE(entry) == ENTRY_STORED) {
        page_read(domain, page, mark, ENTRY_VALUE(entry), answer);
    } else {
        page_make(domain, region, fault, mark, answer);
    }
}

// The same for a page that its policy remembers.
APART static void page_return(struct domain *domain, const struct region *region,
                              const struct fault *fault, struct answer *answer) {
    uint32_t page = fault->address >> PAGE_SHIFT;
    enum room room = ROOM_NOW;
    uint32_t mark = mark_return(domain, fault, &room);
    uint32_t entry = pagemap_get(&domain->pages, page);
    if (mark == POLICY_NONE) {
        no_room(domain, fault, room, answer);
    } else if (ENTRY_STATE(entry) == ENTRY_STORED) {
        page_read(domain, page, mark, ENTRY_VALUE(entry), answer);
    } else {
        page_make(domain, region, fault, mark, answer);
    }
}

// It is wanted again while it is being written: its frame still holds it. Whether it is changed
// from now on the new entry's Dirty bit will tell.
APART static void page_rescue(struct domain *domain, const struct region *region,
                              const struct fault *fault, uint32_t slot, struct answer *answer) {
    enum room room = ROOM_NOW;
    uint32_t mark = mark_return(domain, fault, &room);
    struct frame_record *frame = framelist_at(slot);
    if (mark == POLICY_NONE) {
        no_room(domain, fault, room, answer);
        return;
    }
    frame->state = FRAME_RESIDENT;
    frame->mark = mark;
    frame->dirty = frame->again;  // the version on its way is older than the frame
    frame->again = 0;
    domain->writing--;
    page_admit(domain, frame->page, slot);
    answer_map(region, frame->page, slot, 0, answer);
}

void demand_attempt(struct domain *domain, const struct fault *fault, struct answer *answer) {
    if (domain == NULL) {
        *answer = (struct answer){.kind = ANSWER_ERROR, .error = E_STATE};
        return;
    }
    if (fault->label == LABEL_fault_exception) {
        refuse(domain, fault, answer, E_STATE, NULL);
        return;
    }
    uint32_t page = fault->address >> PAGE_SHIFT;
    const struct region *region = region_find(&domain->regions, page);
    if (refusal_due(region, fault->label)) {
        refuse(domain, fault, answer, E_ADDRESS, refusal_text(region, fault));
        return;
    }
    uint32_t entry = pagemap_get(&domain->pages, page);
    enum entry_state state = ENTRY_STATE(entry);
    if (state == ENTRY_UNTOUCHED || state == ENTRY_STORED) {
        page_bring(domain, region, fault, entry, answer);
    } else if (state == ENTRY_RESIDENT) {
        answer_map(region, page, ENTRY_VALUE(entry), 0, answer);
    } else if (state == ENTRY_WRITING) {
        page_rescue(domain, region, fault, ENTRY_VALUE(entry), answer);
    } else if (state == ENTRY_GHOST) {
        page_return(domain, region, fault, answer);
    } else {
        answer->kind = ANSWER_LATER;
    }
}

void demand_wait(struct domain *domain, const struct fault *fault, struct answer *answer) {
    if (demand_waiting == WAITING_MAX) {
        refuse(domain, fault, answer, E_LIMIT, "too many faults wait for the store");
        return;
    }
    waiting[demand_waiting++] = *fault;
}

// ---- answers that fail -----------------------------------------------------------------------

// Take back a page that was to be zeroed as it was mapped, and was not.
static void page_take_back(struct domain *domain, uint32_t page) {
    uint32_t slot = ENTRY_VALUE(pagemap_get(&domain->pages, page));
    resident_drop(domain, slot);
    pagemap_leave(&domain->pages, page, ENTRY(ENTRY_UNTOUCHED, 0));
    framelist_release(slot);
}

void demand_amend(const struct fault *fault, struct answer *answer, error_t error) {
    struct domain *domain = domain_find(fault->number);
    if (domain == NULL) {
        answer->kind = ANSWER_LATER;
        return;
    }
    // Page tables are charged to the program itself, so it is no use to trim those of others.
    if (error == E_MEMORY && machine_tables_trim(domain->space) > 0) {
        return;
    }
    if (answer->item.frame & FRAME_ZERO) {
        page_take_back(domain, fault->address >> PAGE_SHIFT);
    }
    if (error == E_MEMORY) {
        refuse(domain, fault, answer, error,
               "it uses more page tables than a program may have (manifest, each=)");
    } else {
        answer->kind = ANSWER_LATER;  // the thread stopped waiting: there is nobody to answer
    }
}

static void answer_late(const struct fault *fault, struct answer *answer) {
    while (answer->kind == ANSWER_MAP) {
        error_t error = machine_reply_map(fault->token, &answer->item);
        if (error == OK) {
            return;
        }
        demand_amend(fault, answer, error);
    }
    if (answer->kind == ANSWER_ERROR) {
        (void)!machine_reply_error(fault->token, answer->error);  // it may be gone: so be it
    }
}

// ---- going on --------------------------------------------------------------------------------

static enum entry_state fault_entry(const struct fault *fault) {
    struct domain *domain = domain_find(fault->number);
    return domain == NULL ? ENTRY_UNTOUCHED
                          : ENTRY_STATE(pagemap_get(&domain->pages, fault->address >> PAGE_SHIFT));
}

// Serve the waiting faults again whose page is (or is not) there already; those that still have to
// wait keep their order.
static void waiting_serve(int resident) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < demand_waiting; i++) {
        struct fault fault = waiting[i];
        struct answer answer = {.kind = ANSWER_LATER};
        enum entry_state state = fault_entry(&fault);
        if (state != ENTRY_READING && resident == (state == ENTRY_RESIDENT)) {
            demand_attempt(domain_find(fault.number), &fault, &answer);
            if (answer.kind != ANSWER_LATER) {
                answer_late(&fault, &answer);
                continue;
            }
        }
        waiting[kept++] = fault;
    }
    demand_waiting = kept;
}

// The store could not read a page: those who wait for it get no other.
static void waiting_fail(struct domain *domain, uint32_t page) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < demand_waiting; i++) {
        struct fault fault = waiting[i];
        if (fault.number == domain->number && fault.address >> PAGE_SHIFT == page) {
            struct answer answer;
            refuse(domain, &fault, &answer, E_IO, "the store could not read the page back");
            answer_late(&fault, &answer);
        } else {
            waiting[kept++] = fault;
        }
    }
    demand_waiting = kept;
}

void demand_continue(void) {
    error_t error;
    for (uint32_t slot = transfer_collect(&error); slot != 0; slot = transfer_collect(&error)) {
        const struct frame_record *frame = framelist_at(slot);
        struct domain *domain = &domain_table[frame->domain];
        uint32_t page = frame->page;
        int lost = frame->state == FRAME_READING && error != OK;
        evict_finish(slot, error);
        if (lost) {
            waiting_fail(domain, page);
        }
    }
    if (demand_waiting > 0) {
        waiting_serve(1);  // first, lest their pages be evicted before they are used
    }
    if (demand_waiting > 0) {
        waiting_serve(0);
    }
}

void demand_forget(uint32_t number) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < demand_waiting; i++) {
        if (waiting[i].number != number) {
            waiting[kept++] = waiting[i];
        }
    }
    demand_waiting = kept;
}
