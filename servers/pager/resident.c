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

int resident_init(struct domain *domain, const struct policy_kind *kind) {
    uint32_t index = domain_index(domain), slots = slots_wanted(domain);
    uint32_t number = (uint32_t)(kind - policy_kinds);
    machine_trace(EVENT_policy, domain->number, number, number, 0);
    if (!slots_map(index, slots)) {
        return 0;
    }
    struct checked_memory memory = {array_start(index, SLOT_PAGE), array_start(index, RECORD_PAGE),
                                    array_start(0, SCRATCH_PAGE)};
    checked_init_at(&domain->policy, policy_normal(kind), memory, slots, MIN_OF(domain->limit, slots));
    return 1;
}

static void complaints_note(struct domain *domain) {
    (void)checked_fault_take(&domain->policy, resident_complaint, sizeof resident_complaint);
}

static int slots_grow(struct domain *domain) {
    uint32_t slots = slots_wanted(domain);
    if (slots <= domain->policy.policy.slots || !slots_map(domain_index(domain), slots)) {
        return 0;
    }
    checked_extend(&domain->policy, slots);
    checked_frames_set(&domain->policy, MIN_OF(domain->limit, slots));
    return 1;
}

uint32_t resident_take(struct domain *domain) {
    return domain->reading + 1 >= RESIDENT_INCOMING ||
                   (!resident_has_slots(domain) && !slots_grow(domain))
               ? POLICY_NONE : checked_take_new(&domain->policy);
}

void resident_untake(struct domain *domain, uint32_t mark) {
    checked_drop(&domain->policy, mark);
    complaints_note(domain);
}

static void ghosts_forget(struct domain *domain, uint32_t mark) {
    if (checked_state(&domain->policy, mark) == CHECKED_GHOST) {
        checked_drop(&domain->policy, mark);
    }
    while (checked_forget(&domain->policy) != POLICY_NONE) {
    }
}

uint32_t resident_victim(struct domain *domain, uint32_t incoming) {
    // No Dirty bit is pushed into the policy, so it cannot answer POLICY_CLEAN.
    uint32_t mark = POLICY_SLOT(checked_victim(&domain->policy, incoming));
    complaints_note(domain);
    if (mark == POLICY_NONE) {
        return 0;
    }
    ghosts_forget(domain, mark);
    domain->resident--;
    return domain->policy.record[mark].owner;
}

void resident_drop(struct domain *domain, uint32_t slot) {
    const struct frame_record *frame = framelist_at(slot);
    machine_trace(EVENT_drop, domain->number, frame->page, frame->mark, 0);
    domain->resident--;
    resident_untake(domain, framelist_at(slot)->mark);
}

void resident_limit_set(struct domain *domain, uint32_t limit) {
    machine_trace(EVENT_limit, domain->number, domain->limit, limit, 0);
    domain->limit = limit;
    if (limit <= SLOTS_EXACT) {
        (void)slots_grow(domain);  // without memory it grows later, or evicts earlier
    }
    checked_frames_set(&domain->policy, MIN_OF(limit, domain->policy.policy.slots));
}

void resident_policy_set(struct domain *domain, const struct policy_kind *kind) {
    if (kind == domain->policy.kind) {
        return;
    }
    machine_trace(EVENT_policy, domain->number, (uint32_t)(domain->policy.kind - policy_kinds),
                  (uint32_t)(kind - policy_kinds), domain->resident);
    (void)checked_switch(&domain->policy, policy_normal(kind));
    while (checked_forget(&domain->policy) != POLICY_NONE) {
    }
    complaints_note(domain);
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
    return broken + !checked_audit(&domain->policy);
}
