// SPDX-License-Identifier: MIT
#include "scan.h"

// Tell the policy of each resident page that has its bit set; page first + n: bit n % 32 of word
// n / 32.
static inline void bits_tell(struct domain *domain, uint32_t kind, uint32_t first, uint32_t count,
                             const uint32_t *word) {
    for (uint32_t i = 0; machine_traces && i < (count + 31) / 32; i += 2) {
        if ((word[i] | word[i + 1]) != 0) {
            machine_trace(kind, domain->number, first + i * 32, word[i], word[i + 1]);
        }
    }
    for (uint32_t i = 0; i < (count + 31) / 32; i++) {
        for (uint32_t bits = word[i]; bits != 0; bits &= bits - 1) {
            uint32_t page = first + i * 32 + (uint32_t)__builtin_ctz(bits);
            uint32_t entry = pagemap_get(&domain->pages, page);
            if (ENTRY_STATE(entry) != ENTRY_RESIDENT) {
                continue;
            }
            uint32_t mark = framelist_at(ENTRY_VALUE(entry))->mark;
            if (kind == EVENT_accessed) {
                checked_touch(&domain->policy, mark);
            } else {
                domain->policy.policy.slot[mark].dirty = 1;
            }
        }
    }
}

static void leaf_scan(struct domain *domain, uint32_t leaf) {
    struct scan scan;
    uint32_t first, count = pagemap_span(&domain->pages, leaf, &first);
    if (count == 0 || machine_scan(domain->space, first, count, &scan) != OK) {
        return;  // nothing to see, or the task is going: its bits mean nothing any more
    }
    if (domain->policy.kind->operations->sees_dirty) {
        bits_tell(domain, EVENT_dirty, first, count, scan.dirty);
    }
    bits_tell(domain, EVENT_accessed, first, count, scan.accessed);
}

void scan_domain(struct domain *domain) {
    uint32_t next = 0;  // pages below were scanned
    for (uint32_t i = 0; i < domain->regions.count; i++) {
        const struct region *region = &domain->regions.list[i];
        for (uint32_t page = MAX_OF(region->first, next); page < region->end; page = next) {
            next = (page / SCAN_PAGES + 1) * SCAN_PAGES;
            if (pagemap_residents(&domain->pages, page) > 0) {
                leaf_scan(domain, page);
            }
        }
    }
    machine_trace(EVENT_tick, domain->number, 0, 0, 0);
    checked_tick(&domain->policy);
    domain->counters.scans++;
    domain->since_scan = 0;
}

void scan_if_due(struct domain *domain) {
    if (!domain->policy.kind->operations->blind &&
        pace_scan_due(&domain->since_scan, domain->resident, SCAN_SHARE)) {
        scan_domain(domain);
    }
}
