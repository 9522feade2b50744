// SPDX-License-Identifier: MIT
#include "resident.h"

#define SLOTS_FIRST 512u  // a domain without a limit begins with so many and doubles
#define SLOTS_EXACT 4096u // a limit up to here gets all its slots at once
#define HALF_PAGES 2048u  // each domain has two halves, so that a larger one can take over

static uint32_t pages_ready[DOMAINS_MAX][2];  // mapped in each half; they stay with the place
static uint32_t past_faults;
char resident_complaint[TEXT_BYTES];

void resident_reset(void) {
    __builtin_memset(pages_ready, 0, sizeof pages_ready);
    past_faults = 0;
    resident_complaint[0] = 0;
}

static uint32_t half_page(uint32_t index, uint32_t half) {
    return (index * 2 + half) * HALF_PAGES;
}

static void *half_start(uint32_t index, uint32_t half) {
    return (char *)machine_window(WINDOW_POLICY) + (size_t)half_page(index, half) * PAGE_SIZE;
}

static int half_grow(uint32_t index, uint32_t half, uint32_t pages) {
    uint32_t *ready = &pages_ready[index][half];
    while (*ready < pages) {
        uint32_t slot = pages > HALF_PAGES ? 0 : framelist_take(FRAMES_ZEROED);
        if (slot == 0) {
            return 0;
        }
        if (machine_window_map(WINDOW_POLICY, half_page(index, half) + *ready,
                               framelist_at(slot)->number) != OK) {
            framelist_release(slot);
            return 0;
        }
        framelist_at(slot)->state = FRAME_META;
        ++*ready;
    }
    return 1;
}

// Bytes for `slots`, the frame of each mark included, which lies behind.
static uint32_t bytes_for(uint32_t slots) {
    return (uint32_t)checked_bytes(slots) + slots * (uint32_t)sizeof(uint32_t);
}

// Slots that the domain should have room for, if it can.
static uint32_t slots_wanted(const struct domain *domain) {
    if (domain->limit <= SLOTS_EXACT) {
        return checked_slots(domain->limit, RESIDENT_SPARE);
    }
    uint32_t slots = domain->policy.policy.slots;
    return MIN_OF(slots == 0 ? SLOTS_FIRST : slots * 2, HALF_PAGES * (PAGE_SIZE / 64));
}

static int policy_place(struct domain *domain, const struct policy_kind *kind, uint32_t half,
                        uint32_t slots) {
    uint32_t index = domain_index(domain);
    if (!half_grow(index, half, PAGE_UP(bytes_for(slots)) / PAGE_SIZE)) {
        return 0;
    }
    char *memory = half_start(index, half);
    domain->frame_of = (uint32_t *)(void *)(memory + checked_bytes(slots));
    domain->policy_half = half;
    checked_init(&domain->policy, kind, memory, slots, MIN_OF(domain->limit, slots));
    return 1;
}

// The domain begins (resident 0), or its order is now as after a handover from a policy to itself.
static void policy_trace(const struct domain *domain) {
    uint32_t index = (uint32_t)(domain->policy.kind - policy_kinds);
    machine_trace(EVENT_policy, domain->number, index, index, domain->resident);
}

int resident_init(struct domain *domain, const struct policy_kind *kind) {
    domain->policy.kind = kind;
    policy_trace(domain);
    return policy_place(domain, kind, 0, slots_wanted(domain));
}

static void complaints_note(struct domain *domain) {
    (void)checked_fault_take(&domain->policy, resident_complaint, sizeof resident_complaint);
}

// Move to a larger memory in the other half. Order and reference bits stay, as at a handover;
// marks change, those of pages that are coming in too.
static int policy_grow(struct domain *domain) {
    const uint32_t *old_frame = domain->frame_of;
    uint32_t slots = slots_wanted(domain);
    uint32_t *order = domain->policy.scratch;
    uint32_t count = checked_order(&domain->policy, order, domain->resident);
    complaints_note(domain);
    struct checked old = domain->policy;
    if (slots <= old.policy.slots ||
        !policy_place(domain, old.kind, 1 - domain->policy_half, slots)) {
        return 0;
    }
    domain->policy.faults = old.faults;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t mark = checked_take(&domain->policy, POLICY_NONE);
        framelist_at(old_frame[order[i]])->mark = mark;
        domain->frame_of[mark] = old_frame[order[i]];
        domain->policy.policy.slot[mark].ref = old.policy.slot[order[i]].ref;
        checked_admit(&domain->policy, mark, POLICY_ADOPTED);
    }
    for (uint32_t slot = 1; slot < framelist_count && domain->reading > 0; slot++) {
        struct frame_record *frame = framelist_at(slot);
        if (frame->state == FRAME_READING && frame->domain == domain_index(domain)) {
            frame->mark = checked_take(&domain->policy, POLICY_NONE);
        }
    }
    policy_trace(domain);
    return 1;
}

uint32_t resident_take(struct domain *domain) {
    uint32_t used = domain->resident + domain->reading + 2;
    if (domain->reading + 1 >= RESIDENT_INCOMING ||
        (used >= domain->policy.policy.slots && !policy_grow(domain))) {
        return POLICY_NONE;
    }
    return checked_take(&domain->policy, POLICY_NONE);
}

void resident_untake(struct domain *domain, uint32_t mark) {
    checked_drop(&domain->policy, mark);
    complaints_note(domain);
}

void resident_admit(struct domain *domain, uint32_t slot, enum policy_how how) {
    struct frame_record *frame = framelist_at(slot);
    domain->frame_of[frame->mark] = slot;
    domain->resident++;
    checked_admit(&domain->policy, frame->mark, how);
    machine_trace(EVENT_admit, domain->number, frame->page, frame->mark, how);
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
    return domain->frame_of[mark];
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
    uint32_t slots = domain->policy.policy.slots;
    if (limit != LIMIT_NONE && slots_wanted(domain) > slots) {
        (void)policy_grow(domain);  // without memory it grows later, or evicts earlier
    }
    checked_frames_set(&domain->policy, MIN_OF(limit, domain->policy.policy.slots));
}

void resident_policy_set(struct domain *domain, const struct policy_kind *kind) {
    if (kind == domain->policy.kind) {
        return;
    }
    machine_trace(EVENT_policy, domain->number, (uint32_t)(domain->policy.kind - policy_kinds),
                  (uint32_t)(kind - policy_kinds), domain->resident);
    (void)checked_switch(&domain->policy, kind);
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
        const struct frame_record *frame = framelist_at(domain->frame_of[mark]);
        broken += frame->mark != mark || frame->state != FRAME_RESIDENT ||
                  frame->domain != domain_index(domain);
    }
    return broken + !checked_audit(&domain->policy);
}
