// SPDX-License-Identifier: MIT
#include "demand.h"
#include "control.h"
#include "evict.h"
#include "module.h"
#include "refusal.h"
#include "transfer.h"

#define WAITING_MAX 256u  // more threads than can fault at a time

uint32_t demand_faults, demand_waiting;
static struct fault waiting[WAITING_MAX];  // in the order in which they came

void demand_init(void) {
    demand_faults = demand_waiting = 0;
}

// Keep why in the domain's last words, and refuse.
static void refuse(struct domain *domain, const struct fault *fault, struct answer *answer,
                   error_t error, const char *why) {
    refusal_note(domain, fault, why);
    *answer = (struct answer){.kind = ANSWER_ERROR, .error = error};
}

// ---- answers ---------------------------------------------------------------------------------

static void answer_map(const struct region *region, uint32_t page, uint32_t slot, uint32_t flags,
                       struct answer *answer) {
    struct frame_record *frame = framelist_at(slot);
    frame->mapped = 1;
    answer->kind = ANSWER_MAP;
    answer->item.page = page << PAGE_SHIFT | region->rights | MAP_READ;
    answer->item.frame = frame->number << 8 | flags;
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

static uint32_t frame_dress(struct domain *domain, uint32_t page, uint32_t mark, int *zeroed,
                            int want_zeroed) {
    uint32_t slot = framelist_take(want_zeroed ? FRAMES_ZEROED : FRAMES_OTHER);
    struct frame_record *frame = framelist_at(slot);
    *zeroed = frame->zeroed;
    *frame = (struct frame_record){.number = frame->number, .page = page & 0xfffffu,
                                   .state = FRAME_RESIDENT, .mark = mark,
                                   .domain = domain_index(domain)};
    return slot;
}

static void page_read(struct domain *domain, uint32_t page, uint32_t mark, uint32_t store_page,
                      struct answer *answer) {
    int zeroed;
    uint32_t slot = frame_dress(domain, page, mark, &zeroed, 0);
    framelist_at(slot)->state = FRAME_READING;
    framelist_at(slot)->store = store_page;
    pagemap_set(&domain->pages, page, ENTRY(ENTRY_READING, slot));
    domain->reading++;
    domain->swapped--;
    domain->counters.read++;
    transfer_start(slot);
    machine_trace(EVENT_swap_in, domain->number, page, store_page, 0);
    answer->kind = ANSWER_LATER;
}

static void page_admit(struct domain *domain, uint32_t slot) {
    pagemap_set(&domain->pages, framelist_at(slot)->page, ENTRY(ENTRY_RESIDENT, slot));
    resident_admit(domain, slot, POLICY_USED);
}

static void page_zero(struct domain *domain, const struct region *region, uint32_t page,
                      uint32_t mark, struct answer *answer) {
    int zeroed;
    uint32_t slot = frame_dress(domain, page, mark, &zeroed, 1);
    domain->counters.zeroed++;
    page_admit(domain, slot);
    answer_map(region, page, slot, zeroed ? 0 : FRAME_ZERO, answer);
}

static void page_copy(struct domain *domain, const struct region *region, const struct fault *fault,
                      uint32_t mark, uint32_t file_page, uint32_t bytes, struct answer *answer) {
    int zeroed;
    uint32_t slot = frame_dress(domain, fault->address >> PAGE_SHIFT, mark, &zeroed, 0);
    const struct module *module = module_at(region->file);
    error_t error =
        machine_frame_copy(framelist_at(slot)->number, module->first + file_page, bytes);
    if (error != OK) {
        resident_untake(domain, mark);
        framelist_release(slot);
        refuse(domain, fault, answer, error, "its file could not be read");
        return;
    }
    domain->counters.copied++;
    page_admit(domain, slot);
    answer_map(region, framelist_at(slot)->page, slot, 0, answer);
}

// ---- bringing a page in ----------------------------------------------------------------------

static void no_room(struct domain *domain, const struct fault *fault, enum room room,
                    struct answer *answer) {
    if (room == ROOM_WAIT) {
        answer->kind = ANSWER_LATER;
    } else {
        refuse(domain, fault, answer, E_FULL, evict_excuse());
    }
}

// A mark under the domain's policy and room under its limit.
static enum room mark_take(struct domain *domain, uint32_t *mark) {
    enum room room = ROOM_NOW;
    if (domain->reading + 1 >= RESIDENT_INCOMING) {
        return ROOM_WAIT;
    }
    *mark = resident_take(domain);
    if (*mark == POLICY_NONE) {  // no memory for more marks
        room = evict_one(domain, POLICY_NONE);
        *mark = room == ROOM_NOW ? resident_take(domain) : POLICY_NONE;
    }
    if (*mark == POLICY_NONE) {
        return room == ROOM_NOW ? ROOM_NONE : room;
    }
    room = evict_for_page(domain, *mark);
    if (room != ROOM_NOW) {
        resident_untake(domain, *mark);
    }
    return room;
}

static enum room leaf_prepare(struct domain *domain, uint32_t page) {
    enum room room = ROOM_NOW;
    while (!pagemap_prepare(&domain->pages, page) && room == ROOM_NOW) {
        room = framelist_available() ? ROOM_NONE : evict_for_frame(domain);
    }
    return room;
}

static void page_bring(struct domain *domain, const struct region *region,
                       const struct fault *fault, struct answer *answer) {
    uint32_t page = fault->address >> PAGE_SHIFT, mark = POLICY_NONE, file_page = 0;
    enum room room = leaf_prepare(domain, page);
    if (room == ROOM_NOW) {
        room = mark_take(domain, &mark);
    }
    if (room != ROOM_NOW) {
        no_room(domain, fault, room, answer);
        return;
    }
    uint32_t entry = pagemap_get(&domain->pages, page);
    uint32_t bytes = file_bytes(region, page, &file_page);
    if (ENTRY_STATE(entry) == ENTRY_STORED) {
        page_read(domain, page, mark, ENTRY_VALUE(entry), answer);
    } else if (bytes > 0) {
        page_copy(domain, region, fault, mark, file_page, bytes, answer);
    } else {
        page_zero(domain, region, page, mark, answer);
    }
}

// It is wanted again while it is being written: its frame still holds it. Whether it is changed
// from now on the new entry's Dirty bit will tell.
static void page_rescue(struct domain *domain, const struct region *region,
                        const struct fault *fault, uint32_t slot, struct answer *answer) {
    uint32_t mark;
    enum room room = mark_take(domain, &mark);
    struct frame_record *frame = framelist_at(slot);
    if (room != ROOM_NOW) {
        no_room(domain, fault, room, answer);
        return;
    }
    frame->state = FRAME_RESIDENT;
    frame->mark = mark;
    frame->dirty = frame->again;  // the version on its way is older than the frame
    frame->again = 0;
    domain->writing--;
    page_admit(domain, slot);
    answer_map(region, frame->page, slot, 0, answer);
}

static void fault_attempt(const struct fault *fault, struct answer *answer) {
    struct domain *domain = domain_find(fault->number);
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
    const char *wrong = refusal_find(region, fault);
    if (wrong != NULL) {
        refuse(domain, fault, answer, E_ADDRESS, wrong);
        return;
    }
    uint32_t entry = pagemap_get(&domain->pages, page);
    switch (ENTRY_STATE(entry)) {
    case ENTRY_RESIDENT:
        answer_map(region, page, ENTRY_VALUE(entry), 0, answer);
        break;
    case ENTRY_READING:
        answer->kind = ANSWER_LATER;
        break;
    case ENTRY_WRITING:
        page_rescue(domain, region, fault, ENTRY_VALUE(entry), answer);
        break;
    case ENTRY_UNTOUCHED:
    case ENTRY_STORED:
        page_bring(domain, region, fault, answer);
        break;
    }
}

void demand_serve(const struct fault *fault, struct answer *answer) {
    struct domain *domain = domain_find(fault->number);
    if (domain != NULL) {
        domain->counters.faults++;
    }
    control_fault_count(++demand_faults);
    fault_attempt(fault, answer);
    if (answer->kind != ANSWER_LATER) {
        return;
    }
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
    pagemap_set(&domain->pages, page, ENTRY(ENTRY_UNTOUCHED, 0));
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
            fault_attempt(&fault, &answer);
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
