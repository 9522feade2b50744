// SPDX-License-Identifier: MIT
// The laws: see framelist.h, domain.h, pagemap.h, region.h, transfer.h, swap.h and checked.h. Here
// are those that join two of them.
#include "audit.h"
#include "resident.h"
#include "transfer.h"

struct tally {
    uint32_t resident, reading, writing, stored, ghosts, leaves;
};

static uint32_t frame_wrong(const struct domain *domain, uint32_t page, uint32_t slot,
                            enum frame_state state) {
    if (slot == 0 || slot >= framelist_count) {
        return 1;
    }
    const struct frame_record *frame = framelist_at(slot);
    return frame->state != state || frame->page != page || frame->domain != domain_index(domain);
}

// A page remembered: its mark is a ghost's, and says so of this page.
static uint32_t ghost_wrong(const struct domain *domain, uint32_t page, uint32_t mark) {
    return checked_state(&domain->policy, mark) != CHECKED_GHOST ||
           domain->policy.record[mark].owner != page;
}

static uint32_t entry_check(struct domain *domain, uint32_t page, uint32_t entry,
                            struct tally *tally) {
    uint32_t value = ENTRY_VALUE(entry);
    const struct region *region = region_find(&domain->regions, page);
    uint32_t broken =
        entry != 0 && (region == NULL || region->kind == REGION_GUARD);  // a page nobody may use
    switch (ENTRY_STATE(entry)) {
    case ENTRY_UNTOUCHED:
        return value != 0;
    case ENTRY_RESIDENT:
        tally->resident++;
        return broken + frame_wrong(domain, page, value, FRAME_RESIDENT);
    case ENTRY_READING:
        tally->reading++;
        return broken + frame_wrong(domain, page, value, FRAME_READING);
    case ENTRY_WRITING:
        tally->writing++;
        broken += frame_wrong(domain, page, value, FRAME_WRITING);
        if (broken > 0 || !framelist_at(value)->ghost) {
            return broken;
        }
        tally->ghosts++;
        return ghost_wrong(domain, page, framelist_at(value)->mark);
    case ENTRY_STORED:
        tally->stored++;
        return broken + (value == SWAP_NONE || value >= swap_space.pages ||
                         (swap_space.bit[value / 32] >> value % 32 & 1) == 0);
    case ENTRY_GHOST:
        tally->ghosts++;
        entry = broken + ghost_wrong(domain, page, value) > 0 ? entry : resident_plain(domain, entry);
        return ENTRY_STATE(entry) != ENTRY_UNTOUCHED && ENTRY_STATE(entry) != ENTRY_STORED
                   ? broken + 1 : entry_check(domain, page, entry, tally);
    }
    return broken + 1;
}

static uint32_t leaf_check(struct domain *domain, uint32_t first, struct tally *tally) {
    uint32_t broken = 0, before = tally->resident;
    for (uint32_t page = first; page < first + PAGEMAP_LEAF_PAGES; page++) {
        broken += entry_check(domain, page, pagemap_get(&domain->pages, page), tally);
    }
    uint32_t span, count = pagemap_span(&domain->pages, first, &span);
    for (uint32_t page = first; page < first + PAGEMAP_LEAF_PAGES; page++) {
        broken += (page < span || page >= span + count) &&
                  ENTRY_STATE(pagemap_get(&domain->pages, page)) == ENTRY_RESIDENT;
    }
    tally->leaves++;
    return broken + (tally->resident - before != pagemap_residents(&domain->pages, first));
}

static uint32_t domain_check(struct domain *domain, struct tally *sum) {
    struct tally tally = {0};
    uint32_t broken = region_check(&domain->regions);
    for (uint32_t leaf = 0; leaf < PAGEMAP_LEAVES; leaf++) {
        uint32_t first = leaf * PAGEMAP_LEAF_PAGES;
        if (pagemap_find(&domain->pages, first) != NULL) {
            broken += leaf_check(domain, first, &tally);
        }
    }
    broken += tally.resident != domain->resident || tally.reading != domain->reading ||
              tally.writing != domain->writing || tally.stored != domain->swapped ||
              tally.ghosts != domain->policy.ghosts;
    sum->resident += tally.resident;
    sum->reading += tally.reading;
    sum->writing += tally.writing;
    sum->stored += tally.stored;
    sum->leaves += tally.leaves + 3;  // root, spans, regions
    return broken + resident_check(domain);
}

static uint32_t frames_check(const struct tally *sum) {
    uint32_t count[FRAME_DOOMED + 1] = {0}, copies = 0, broken = 0;
    for (uint32_t slot = 1; slot < framelist_count; slot++) {
        const struct frame_record *frame = framelist_at(slot);
        if (frame->state > FRAME_DOOMED) {
            return 1;
        }
        count[frame->state]++;
        copies += frame->store != SWAP_NONE;
        int is_moving = frame->state == FRAME_READING || frame->state == FRAME_WRITING ||
                        frame->state == FRAME_DOOMED;
        broken += is_moving && !frame->busy;
        broken += (frame->state == FRAME_IDLE || frame->state == FRAME_META) && frame->busy;
    }
    broken += count[FRAME_RESIDENT] != sum->resident || count[FRAME_READING] != sum->reading ||
              count[FRAME_WRITING] != sum->writing;
    return broken + (copies + sum->stored != swap_space.used) + (sum->leaves != metapage_used);
}

uint32_t audit_count(void) {
    struct tally sum = {0};
    uint32_t broken = framelist_check() + transfer_check();
    FOR_EACH_DOMAIN(domain) {
        broken += domain_check(domain, &sum);
    }
    return broken + frames_check(&sum);
}
