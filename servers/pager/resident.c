// SPDX-License-Identifier: MIT
#include "resident.h"

#define SLOTS_STEP 512u    // a domain without a limit grows by so many
#define SLOTS_EXACT 4096u  // a limit up to here gets all its slots at once
#define SLOTS_MAX 393216u  // what a domain's part of the window holds

// Each domain has a part of WINDOW_POLICY with two arrays that can grow to SLOTS_MAX; they are mapped
// as far as needed. Behind the first one's lies the scratch memory that all share.
#define DOMAIN_PAGES 4096u
#define SLOT_PAGE 0u
#define RECORD_PAGE (SLOTS_MAX * sizeof(struct policy_slot) / PAGE_SIZE)
#define SCRATCH_PAGE (RECORD_PAGE + SLOTS_MAX * sizeof(struct checked_record) / PAGE_SIZE)
_Static_assert(SLOTS_MAX % PAGE_SIZE == 0 &&
                   SCRATCH_PAGE + SLOTS_MAX * sizeof(uint32_t) / PAGE_SIZE <= DOMAIN_PAGES,
               "the arrays fit");

// Pages mapped of each array; they stay with the place.
static struct ready {
    uint16_t slot, record;
} domain_ready[DOMAINS_MAX];
static uint16_t scratch_ready;
static uint32_t past_faults;
char resident_complaint[TEXT_BYTES];

void resident_reset(void) {
    __builtin_memset(domain_ready, 0, sizeof domain_ready);
    scratch_ready = 0;
    past_faults = 0;
    resident_complaint[0] = 0;
}

static void *array_start(uint32_t index, uint32_t page) {
    return (char *)machine_window(WINDOW_POLICY) +
           (size_t)(index * DOMAIN_PAGES + page) * PAGE_SIZE;
}

static int array_map(uint32_t first, uint32_t bytes, uint16_t *ready) {
    while (*ready * PAGE_SIZE < bytes) {
        if (!framelist_window_map(WINDOW_POLICY, first + *ready)) {
            return 0;
        }
        ++*ready;
    }
    return 1;
}

// Map memory for so many slots. 0: there is not enough; what was mapped stays.
static int slots_map(uint32_t index, uint32_t slots) {
    uint32_t first = index * DOMAIN_PAGES;
    struct ready *ready = &domain_ready[index];
    return array_map(first + SLOT_PAGE, slots * sizeof(struct policy_slot), &ready->slot) &&
           array_map(first + RECORD_PAGE, slots * sizeof(struct checked_record), &ready->record) &&
           array_map(SCRATCH_PAGE, slots * sizeof(uint32_t), &scratch_ready);
}

// Slots that the domain should have room for, if it can.
static uint32_t slots_wanted(const struct domain *domain) {
    return domain->limit <= SLOTS_EXACT
               ? checked_slots(domain->limit, RESIDENT_SPARE)
               : MIN_OF(domain->policy.policy.slots + SLOTS_STEP, SLOTS_MAX);
}

// ---- what the policy counts with -------------------------------------------------------------

static uint32_t kind_number(const struct policy_kind *kind) {
    return (uint32_t)(kind - policy_kinds);
}

static void parameters_trace(const struct domain *domain, const struct policy_choice *choice) {
    for (uint32_t i = 0; i < POLICY_PARAMETERS && choice->kind->operations->parameter[i].name != NULL;
         i++) {
        machine_trace(EVENT_parameter, domain->number, i, choice->parameter[i], 0);
    }
}

int resident_init(struct domain *domain, const struct policy_choice *choice) {
    uint32_t index = domain_index(domain), slots = slots_wanted(domain);
    uint32_t number = kind_number(choice->kind), frames = MIN_OF(domain->limit, slots);
    machine_trace(EVENT_limit, domain->number, domain->limit, domain->limit, frames);
    parameters_trace(domain, choice);
    machine_trace(EVENT_policy, domain->number, number, number, 0);
    if (!slots_map(index, slots)) {
        return 0;
    }
    struct checked_memory memory = {array_start(index, SLOT_PAGE), array_start(index, RECORD_PAGE),
                                    array_start(0, SCRATCH_PAGE)};
    checked_init_at(&domain->policy, *choice, memory, slots, frames);
    return 1;
}

static void complaints_note(struct domain *domain) {
    (void)checked_fault_take(&domain->policy, resident_complaint, sizeof resident_complaint);
}

// ---- ghosts ----------------------------------------------------------------------------------

uint32_t resident_ghost(const struct domain *domain, uint32_t page) {
    uint32_t entry = pagemap_get(&domain->pages, page);
    if (ENTRY_STATE(entry) == ENTRY_GHOST) {
        return ENTRY_VALUE(entry);
    }
    if (ENTRY_STATE(entry) != ENTRY_WRITING || !framelist_at(ENTRY_VALUE(entry))->ghost) {
        return POLICY_NONE;
    }
    return framelist_at(ENTRY_VALUE(entry))->mark;
}

// The page is a ghost no more. It may be the victim that was chosen just now, whose entry has not
// changed yet.
static void ghost_clear(struct domain *domain, uint32_t page) {
    uint32_t entry = pagemap_get(&domain->pages, page);
    if (ENTRY_STATE(entry) == ENTRY_GHOST) {
        pagemap_set(&domain->pages, page, resident_plain(domain, entry));
    } else {
        framelist_at(ENTRY_VALUE(entry))->ghost = 0;
    }
}

static void marks_forget(struct domain *domain, uint32_t mark) {
    for (; mark != POLICY_NONE; mark = checked_forget(&domain->policy)) {
        ghost_clear(domain, domain->policy.record[mark].owner);
    }
    complaints_note(domain);
}

static inline void ghosts_forget(struct domain *domain) {
    marks_forget(domain, checked_forget(&domain->policy));
}

// Shares of the frames change, of ghosts, too.
static void frames_set(struct domain *domain, uint32_t old_limit, uint32_t frames) {
    machine_trace(EVENT_limit, domain->number, old_limit, domain->limit, frames);
    checked_frames_set(&domain->policy, frames);
    ghosts_forget(domain);
}

uint32_t resident_return(struct domain *domain, uint32_t page) {
    uint32_t mark = resident_ghost(domain, page);
    ghost_clear(domain, page);
    return checked_take(&domain->policy, mark);
}

void resident_ghost_drop(struct domain *domain, uint32_t page) {
    uint32_t mark = resident_ghost(domain, page);
    ghost_clear(domain, page);
    machine_trace(EVENT_drop, domain->number, page, mark, 0);
    checked_drop(&domain->policy, mark);
}

// ---- pages that come and go ------------------------------------------------------------------

static int slots_grow(struct domain *domain) {
    uint32_t slots = slots_wanted(domain);
    if (slots <= domain->policy.policy.slots || !slots_map(domain_index(domain), slots)) {
        return 0;
    }
    checked_extend(&domain->policy, slots);
    return 1;
}

static int slots_make(struct domain *domain) {
    while (!resident_has_slots(domain) && !slots_grow(domain)) {
        if (domain->policy.ghosts == 0) {
            return 0;
        }
        machine_trace(EVENT_reap, domain->number, domain->policy.ghosts, 0, 0);
        marks_forget(domain, checked_reap(&domain->policy));
    }
    return 1;
}

uint32_t resident_take(struct domain *domain) {
    return domain->reading + 1 >= RESIDENT_INCOMING || !slots_make(domain)
               ? POLICY_NONE : checked_take_new(&domain->policy);
}

void resident_untake(struct domain *domain, uint32_t page, uint32_t mark) {
    if (domain->policy.kind->operations->ghosts > 0) {  // others have not heard of it
        machine_trace(EVENT_drop, domain->number, page, mark, 0);
    }
    checked_drop(&domain->policy, mark);
    complaints_note(domain);
}

// A page remembered that stays after all did not come back: that would be a use.
void resident_keep(struct domain *domain, uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    if (frame->ghost) {
        frame->ghost = 0;
        resident_untake(domain, frame->page, frame->mark);
    }
    frame->mark = checked_take_new(&domain->policy);
    resident_admit(domain, slot, POLICY_USED);
}

// The frames that the pages have, not those that they might have: without a limit, or with one that
// memory cannot fill, shares of the limit would mean nothing.
static void incoming_tell(struct domain *domain, uint32_t incoming, uint32_t page) {
    uint32_t frames = MIN_OF(domain->limit, domain->resident + domain->reading);
    if (frames != domain->policy.policy.frames) {
        frames_set(domain, domain->limit, frames);
    }
    if (incoming != POLICY_NONE && domain->policy.kind->operations->ghosts > 0) {
        machine_trace(EVENT_incoming, domain->number, page, incoming,
                      checked_state(&domain->policy, incoming) == CHECKED_RETURNING);
    }
}

uint32_t resident_victim(struct domain *domain, uint32_t incoming, uint32_t page) {
    incoming_tell(domain, incoming, page);
    uint32_t answer = checked_victim(&domain->policy, incoming), mark = POLICY_SLOT(answer);
    complaints_note(domain);
    if (mark == POLICY_NONE) {
        return 0;
    }
    uint32_t slot = domain->policy.record[mark].owner;
    struct frame_record *frame = framelist_at(slot);
    domain->policy.policy.slot[mark].dirty = 0;  // it is written, now or later
    if ((answer & POLICY_CLEAN) != 0) {
        machine_trace(EVENT_clean, domain->number, frame->page, mark, 0);
        return slot | POLICY_CLEAN;
    }
    domain->resident--;
    frame->ghost = checked_state(&domain->policy, mark) == CHECKED_GHOST;
    domain->policy.record[mark].owner = frame->page;
    ghosts_forget(domain);
    return slot;
}

uint32_t resident_replace(struct domain *domain, uint32_t slot) {
    resident_keep(domain, slot);
    uint32_t first = domain->policy.record[domain->policy.oldest].owner;
    resident_drop(domain, first);
    framelist_at(first)->mark = POLICY_NONE;
    return first;
}

void resident_drop(struct domain *domain, uint32_t slot) {
    const struct frame_record *frame = framelist_at(slot);
    machine_trace(EVENT_drop, domain->number, frame->page, frame->mark, 0);
    domain->resident--;
    checked_drop(&domain->policy, frame->mark);
    complaints_note(domain);
}

// ---- changes ---------------------------------------------------------------------------------

void resident_limit_set(struct domain *domain, uint32_t limit) {
    uint32_t old = domain->limit;
    domain->limit = limit;
    if (limit <= SLOTS_EXACT) {
        (void)slots_grow(domain);  // without memory it grows later, or gives up ghosts
    }
    frames_set(domain, old, MIN_OF(limit, domain->policy.policy.slots));
}

struct policy_choice resident_choice(const struct domain *domain) {
    struct policy_choice choice = {.kind = domain->policy.kind};
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        choice.parameter[i] = domain->policy.policy.parameter[i];
    }
    return choice;
}

static int choice_equal(const struct policy_choice *a, const struct policy_choice *b) {
    uint32_t differ = a->kind != b->kind;
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        differ += a->parameter[i] != b->parameter[i];
    }
    return differ == 0;
}

void resident_policy_set(struct domain *domain, const struct policy_choice *choice) {
    struct policy_choice old = resident_choice(domain);
    if (choice_equal(&old, choice)) {
        return;
    }
    parameters_trace(domain, choice);
    machine_trace(EVENT_policy, domain->number, kind_number(old.kind), kind_number(choice->kind),
                  domain->resident);
    (void)checked_switch(&domain->policy, *choice);
    ghosts_forget(domain);
}

void resident_end(struct domain *domain) {
    past_faults += domain->policy.faults;
    domain->policy.faults = 0;
}

uint32_t resident_faults(void) {
    uint32_t sum = past_faults;
    FOR_EACH_DOMAIN(domain) {
        sum += domain->policy.faults;
    }
    return sum;
}

uint32_t resident_check(struct domain *domain) {
    uint32_t broken = domain->policy.resident != domain->resident;
    uint32_t count = checked_order(&domain->policy, domain->policy.scratch, domain->resident);
    broken += count != domain->resident;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t mark = domain->policy.scratch[i];
        const struct frame_record *frame = framelist_at(domain->policy.record[mark].owner);
        broken += frame->mark != mark || frame->state != FRAME_RESIDENT ||
                  frame->domain != domain_index(domain);
    }
    broken += !checked_audit(&domain->policy);
    if (domain->policy.stale != POLICY_NONE) {  // FIFO took over; else an audit must change nothing
        ghosts_forget(domain);
    }
    return broken;
}
