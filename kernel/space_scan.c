// SPDX-License-Identifier: MIT
// What the hardware says of many pages: which were accessed, which were written.
#include "space_entry.h"

enum { STEPS_A_SLICE = 4096 };  // pages, or tables that are not there, looked at for one list

// Shift the Accessed and Dirty bits of the entries below `end` in, the last one first, and clear
// Accessed, until a bit falls out of *accessed. Returns how many are present. The hardware changes
// no entry meanwhile.
static inline uint32_t entries_scan(pte_t *end, uint32_t *accessed, uint32_t *dirty) {
    uint32_t present = 0;
    __asm__("1: lea -8(%0), %0\n\t"
            "btl %4, (%0)\n\tadcl %1, %1\n\t"
            "btl %5, (%0)\n\tadcl $0, %2\n\t"
            "btrl %6, (%0)\n\tadcl %3, %3\n\t"
            "jnc 1b"
            : "+r"(end), "+r"(*dirty), "+r"(present), "+r"(*accessed)
            : "i"(ENTRY_DIRTY_BIT), "i"(ENTRY_PRESENT_BIT), "i"(ENTRY_ACCESSED_BIT)
            : "cc", "memory");
    return present;
}

uint32_t space_scan(struct space *space, vaddr_t first, uint32_t count, uint32_t bitmap[2][32]) {
    uint32_t present = 0, any = 0;
    for (uint32_t i = 0; i < (count + 63) / 64 * 2; i++) {
        bitmap[0][i] = bitmap[1][i] = 0;
    }
    for (uint32_t i = 0; i < count;) {
        vaddr_t page = first + i * PAGE_SIZE;
        uint32_t end = i + MIN_OF(count - i, ENTRIES - (page >> 12 & 511));
        pte_t *entry = space_entry(space, page);
        for (uint32_t part; i < end && entry != NULL; i += part) {
            part = MIN_OF(end - i, 32 - i % 32);
            entry += part;
            uint32_t accessed = 1u << (32 - part), dirty = 0;
            present += entries_scan(entry, &accessed, &dirty);
            bitmap[0][i / 32] |= accessed << i % 32;
            bitmap[1][i / 32] |= dirty << i % 32;
            any |= accessed;
        }
        i = end;
    }
    if (any != 0) {
        space_flush(space);
    }
    return present;
}

uint32_t space_list(const struct space *space, vaddr_t *page, uint32_t count,
                    struct map_item *list) {
    uint32_t done = 0;
    for (uint32_t i = 0; i < STEPS_A_SLICE && *page < LAYOUT_KERNEL && done < count; i++) {
        const half_t *half = (const half_t *)space_entry(space, *page);
        if (half == NULL) {
            *page = (*page | (ENTRIES * PAGE_SIZE - 1)) + 1;
            continue;
        }
        if (entry_changeable(half)) {
            uint32_t rights = half[0] & (MAP_READ | MAP_WRITE);
            rights |= space_no_execute != 0 && !(half[1] >> 31) ? MAP_EXECUTE : 0;
            list[done++] = (struct map_item){*page | rights, entry_report(half[0], half[1])};
        }
        *page += PAGE_SIZE;
    }
    return done;
}
