// SPDX-License-Identifier: MIT
// Entries of page tables, for those who write them: space.c, space_change.c, space_scan.c, and
// check.c to break one.
// Finds tables and entries, sets their halves in the order that the hardware needs; checks nothing.
#pragma once
#include "cpu.h"
#include "space.h"
#include "window.h"

// An entry by its halves: the low one has the present bit and all that the CPU writes.
typedef uint32_t __attribute__((may_alias)) half_t;

// The hardware may read an entry at any moment: its present half is set last and cleared first.
static inline __attribute__((always_inline)) void entry_set(half_t *half, uint32_t low,
                                                            uint32_t high) {
    *(volatile half_t *)&half[1] = high;
    *(volatile half_t *)&half[0] = low;
}

// The high half of an entry with these rights but for its frame's bits; ENTRY_PRESENT: no such rights
// can be given. Reading is a must, and nothing is both writable and executable.
extern uint32_t space_high[MAP_RIGHTS + 1];
_Static_assert(MAP_READ == ENTRY_PRESENT && MAP_WRITE == ENTRY_WRITE && MAP_EXECUTE == ENTRY_USER,
               "valid rights are the bits of an entry, but for execute, which is in all of them");

// An entry of its halves.
static inline __attribute__((always_inline)) pte_t entry_whole(uint32_t low, uint32_t high) {
    return (FORCE pte_t)((uint64_t)high << 32 | low);
}

// Take the low half out, with all that the CPU has written until then.
static inline __attribute__((always_inline)) uint32_t entry_take(half_t *half) {
    return __atomic_exchange_n(&half[0], 0, __ATOMIC_SEQ_CST);
}

// An entry is cached only after its Accessed bit was set (SDM 4.10.2.3).
static inline __attribute__((always_inline)) void entry_forget(const struct space *space,
                                                               vaddr_t page, uint32_t before) {
    if (space == space_loaded && before & ENTRY_ACCESSED) {
        page_invalidate(page);
    }
}

// Tables lie in the window, so the low half of a directory entry says where.
static inline __attribute__((always_inline)) frame_t table_frame(uint32_t low) {
    return (frame_t)(low >> PAGE_SHIFT);
}
static inline __attribute__((always_inline)) pte_t *table_of(uint32_t low) {
    pte_t *table = window_address(table_frame(low));
    if (table == NULL) {
        __builtin_unreachable();
    }
    return table;
}

// The page table of an address, NULL while there is none; the kernel's never have one here.
static inline __attribute__((always_inline)) pte_t *table_find(const struct space *space,
                                                               vaddr_t page) {
    const pte_t *directory = space->directory[page >> 30];
    uint32_t entry = directory == NULL ? 0 : entry_low(directory[page >> 21 & 511]);
    return entry & ENTRY_PRESENT ? table_of(entry) : NULL;
}

// The same for an address that has one.
static inline __attribute__((always_inline)) pte_t *table_known(const struct space *space,
                                                                vaddr_t page) {
    pte_t *table = table_find(space, page);
    if (table == NULL) {
        __builtin_unreachable();
    }
    return table;
}

// The entry of a page in its table.
static inline __attribute__((always_inline)) half_t *entry_in(pte_t *table, vaddr_t page) {
    return (half_t *)&table[page >> 12 & 511];
}

// May this entry be changed? Nothing is ever present below the first and above the last page that a
// user may have.
static inline __attribute__((always_inline)) bool entry_changeable(const half_t *half) {
    return (half[0] & (ENTRY_PRESENT | ENTRY_FIXED)) == ENTRY_PRESENT;
}

// space_report() of an entry's halves.
static inline __attribute__((always_inline)) uint32_t entry_report(uint32_t low, uint32_t high) {
    return space_report(entry_whole(low, 0)) | high << 28;
}

// `by` more entries of the table, or of the one with this entry, are present.
static inline __attribute__((always_inline)) void entry_count(struct space *space,
                                                              const void *table, uint32_t by) {
    frame_entry(window_frame(table))->maps += by;
    space->mapped += by;
}

// A page table for a page that has none; NULL: the pool is exhausted.
pte_t *table_make(struct space *space, vaddr_t page);
