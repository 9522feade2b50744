// SPDX-License-Identifier: MIT
// Address spaces: PAE page tables of the user's three gigabytes (Intel SDM volume 3, 4.4).
// Installs what it is told; decides nothing. Page tables are charged to the pool given.
//   maps of a FRAME_TABLE = present entries within it
#pragma once
#include "layout.h"
#include "message.h"
#include "pool.h"
#include "start.h"

#define ENTRY_PRESENT_BIT 0
#define ENTRY_ACCESSED_BIT 5
#define ENTRY_DIRTY_BIT 6
#define ENTRY_PRESENT 1u
#define ENTRY_WRITE 2u
#define ENTRY_USER 4u
#define ENTRY_ACCESSED 0x20u
#define ENTRY_DIRTY 0x40u
#define ENTRY_LARGE 0x80u
#define ENTRY_GLOBAL 0x100u
#define ENTRY_UNCACHED 0x18u
#define ENTRY_DEVICE 0x200u  // ours: names a device's frame, which the frame table knows nothing of
#define ENTRY_FIXED 0x400u   // ours: a device's, a buffer, the clock: no list unmaps or protects it
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_FRAME(entry) ((frame_t)(entry_bits(entry) >> PAGE_SHIFT & 0xffffffu))
#define ENTRIES 512u

// An entry of a page table, or of what names page tables. These functions alone make and change
// one, so that sparse (abi/types.h) tells it from addresses and numbers; 0 is an entry, too. Halves
// of entries are numbers: space_entry.h.
typedef uint64_t BITWISE pte_t;

static inline __attribute__((always_inline)) pte_t entry_make(paddr_t at, uint64_t bits) {
    return (FORCE pte_t)((FORCE uint64_t)at | bits);
}
static inline __attribute__((always_inline)) uint64_t entry_bits(pte_t entry) {
    return (FORCE uint64_t)entry;
}
// All of the bits above but for ENTRY_NO_EXECUTE.
static inline __attribute__((always_inline)) uint32_t entry_low(pte_t entry) {
    return (uint32_t)entry_bits(entry);
}
static inline __attribute__((always_inline)) pte_t entry_add(pte_t entry, uint64_t bits) {
    return (FORCE pte_t)(entry_bits(entry) | bits);
}
static inline __attribute__((always_inline)) pte_t entry_flip(pte_t entry, uint64_t bits) {
    return (FORCE pte_t)(entry_bits(entry) ^ bits);
}

struct space {
    pte_t *pointers;      // page-directory-pointer table: four entries, kalloc'd, below 4 GiB
    pte_t *directory[4];  // NULL until needed; the kernel's gigabyte is not a space's
    struct pool *pool;       // pays for tables
    uint32_t mapped;         // user pages mapped, message buffers included
    uint32_t tables;         // page tables and directories
};

extern pte_t kernel_page_directory[ENTRIES];
extern pte_t boot_directory_pointers[4];
extern uint64_t space_no_execute;  // ENTRY_NO_EXECUTE where the CPU has it, else 0
BOOT_TEXT void space_no_execute_use(void);   // it has it
extern struct space *space_loaded;
extern uint64_t space_loads;       // CR3 loads so far

error_t space_create(struct space *space, struct pool *pool);
// Take a slice of the space down: unmap and free up to `steps` page tables. Returns how many are
// left; at 0 the space is gone.
uint32_t space_destroy(struct space *space, uint32_t steps);
void space_load(struct space *space);

// What CR3 holds while the space is loaded.
static inline uint32_t space_directory(const struct space *space) {
    return (uint32_t)(uintptr_t)space->pointers - LAYOUT_KERNEL;
}

// The entry of a page, NULL while it has no page table.
pte_t *space_entry(const struct space *space, vaddr_t page);
// The same, making tables as needed. NULL: the pool is exhausted.
pte_t *space_entry_make(struct space *space, vaddr_t page);
// Take away the empty table of `page`, if it is empty; true if it was.
bool space_trim(struct space *space, vaddr_t page);

// Install frame at an entry that is not present. rights: MAP_ bits.
void space_install(struct space *space, pte_t *entry, frame_t frame, uint32_t rights);
// The same for a frame of a device's: to be read and written, not cached, not counted.
void space_install_device(struct space *space, pte_t *entry, frame_t frame);
// Remove a present entry; returns space_report() of it as it was.
uint32_t space_remove(struct space *space, vaddr_t page, pte_t *entry);
// Forget all cached entries, if it is loaded.
void space_flush(struct space *space);

// Is this a page address that user memory may be mapped at?
static inline bool space_page_valid(vaddr_t page) {
    return PAGE_OFFSET(page) == 0 && page >= LAYOUT_USER_FIRST && page < LAYOUT_KERNEL;
}

// frame << 8 | FRAME_ACCESSED, FRAME_DIRTY of an entry.
static inline uint32_t space_report(pte_t entry) {
    return (uint32_t)(entry_bits(entry) >> 4) & (~FRAME_FLAGS | FRAME_ACCESSED | FRAME_DIRTY);
}
_Static_assert(ENTRY_ACCESSED >> 4 == FRAME_ACCESSED && ENTRY_DIRTY >> 4 == FRAME_DIRTY, "report");

// One item, an allegation of the caller's: a frame of `owner` and flags at page | rights.
error_t space_map_one(struct space *space, const struct map_item *item, const struct pool *owner);
// One item: unmap it, or change its rights; writes space_report() into it. No message buffers.
error_t space_unmap_one(struct space *space, struct map_item *item);
error_t space_protect_one(struct space *space, struct map_item *item);
// Lists of such items. Up to TAG_ITEMS_MAX: all or none; longer ones stop at the first bad item, and
// it is an error only if that is the first. *done: how many. Maps also stop when 16 were zeroed.
error_t space_map(struct space *space, const struct map_item *items, uint32_t count,
                  const struct pool *owner, uint32_t *done);
error_t space_change(struct space *space, struct map_item *items, uint32_t count, bool protect,
                     uint32_t *done);
// List up to `count` user pages that are mapped from *page on, in a slice; *page: where to go on.
uint32_t space_list(const struct space *space, vaddr_t *page, uint32_t count, struct map_item *list);
// Read and clear Accessed, read Dirty of up to 1024 pages into bitmap[0] and [1], whose words up to
// the next 64 pages are written. Returns how many are present.
uint32_t space_scan(struct space *space, vaddr_t first, uint32_t count, uint32_t bitmap[2][32]);
