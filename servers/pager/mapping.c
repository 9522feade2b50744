// SPDX-License-Identifier: MIT
#include "mapping.h"
#include "module.h"
#include "resident.h"
#include "transfer.h"

#define BATCH 128u  // pages unmapped or protected by one message to the kernel

// ---- forgetting pages ------------------------------------------------------------------------

// The frame's page is gone. While the block server works on it, it and its page of the store stay.
static void frame_forget(uint32_t slot) {
    struct frame_record *frame = framelist_at(slot);
    if (frame->busy) {
        frame->state = FRAME_DOOMED;
        frame->mapped = 0;
        return;
    }
    swap_release(&swap_space, frame->store);
    framelist_release(slot);
}

static void page_forget(struct domain *domain, uint32_t page) {
    uint32_t entry = pagemap_get(&domain->pages, page);
    if (ENTRY_STATE(entry) == ENTRY_GHOST) {
        resident_ghost_drop(domain, page);
        entry = pagemap_get(&domain->pages, page);
    }
    uint32_t slot = ENTRY_VALUE(entry);
    switch (ENTRY_STATE(entry)) {
    case ENTRY_UNTOUCHED:
    case ENTRY_GHOST:  // dropped already
        return;
    case ENTRY_STORED:
        swap_release(&swap_space, ENTRY_VALUE(entry));
        domain->swapped--;
        break;
    case ENTRY_RESIDENT:
        resident_drop(domain, slot);
        frame_forget(slot);
        pagemap_leave(&domain->pages, page, ENTRY(ENTRY_UNTOUCHED, 0));
        return;
    case ENTRY_READING:
        domain->reading--;
        resident_untake(domain, page, framelist_at(slot)->mark);
        frame_forget(slot);
        break;
    case ENTRY_WRITING:
        if (framelist_at(slot)->ghost) {
            resident_ghost_drop(domain, page);
        }
        domain->writing--;
        frame_forget(slot);
        break;
    }
    pagemap_set(&domain->pages, page, ENTRY(ENTRY_UNTOUCHED, 0));
}

static int is_mapped(const struct domain *domain, uint32_t page) {
    uint32_t entry = pagemap_get(&domain->pages, page);
    return ENTRY_STATE(entry) == ENTRY_RESIDENT && framelist_at(ENTRY_VALUE(entry))->mapped;
}

// Call `act` with the mapped pages of [first, end), as map items with `rights`, a batch at a time;
// then note the Dirty bits it brought.
static void mapped_change(struct domain *domain, uint32_t first, uint32_t end, uint32_t rights,
                          void (*act)(handle_t, struct map_item *, uint32_t)) {
    struct map_item items[BATCH];
    uint32_t page = first;
    while (page < end) {
        uint32_t count = 0;
        for (; page < end && count < BATCH; page++) {
            page = pagemap_next(&domain->pages, page, end);
            if (page < end && is_mapped(domain, page)) {
                items[count++] = (struct map_item){page << PAGE_SHIFT | rights, 0};
            }
        }
        if (count > 0) {
            act(domain->space, items, count);
        }
        for (uint32_t i = 0; i < count; i++) {
            uint32_t entry = pagemap_get(&domain->pages, items[i].page >> PAGE_SHIFT);
            struct frame_record *frame = framelist_at(ENTRY_VALUE(entry));
            frame->dirty |= (items[i].frame & FRAME_DIRTY) != 0;
            frame->mapped &= act != machine_unmap;
        }
    }
}

void mapping_forget(struct domain *domain, uint32_t first, uint32_t end, int mapped) {
    if (mapped) {
        mapped_change(domain, first, end, 0, machine_unmap);
    }
    for (uint32_t page = pagemap_next(&domain->pages, first, end); page < end;
         page = pagemap_next(&domain->pages, page + 1, end)) {
        page_forget(domain, page);
    }
}

// ---- checks ----------------------------------------------------------------------------------

static error_t range_check(vaddr_t address, uint32_t length, uint32_t *first, uint32_t *end) {
    if (PAGE_OFFSET(address) != 0) {
        return E_ADDRESS;
    }
    if (length == 0) {
        return E_ARGUMENT;
    }
    if (address < LAYOUT_USER_FIRST || address >= LAYOUT_STACK_TOP ||
        length > LAYOUT_STACK_TOP - address) {
        return E_ADDRESS;
    }
    *first = address >> PAGE_SHIFT;
    *end = *first + (PAGE_UP(length) >> PAGE_SHIFT);
    return OK;
}

static error_t rights_check(uint32_t rights) {
    if (rights & ~MAP_RIGHTS) {
        return E_ARGUMENT;
    }
    return (rights & MAP_WRITE) && (rights & MAP_EXECUTE) ? E_WX : OK;
}

// ---- messages --------------------------------------------------------------------------------

static error_t file_fill(struct region *region, uint32_t file, uint32_t offset, uint32_t length) {
    const struct module *module = module_at(file);
    if (module == NULL) {
        return E_NOT_FOUND;
    }
    if (PAGE_OFFSET(offset) != 0 || offset >= PAGE_UP(module->length) ||
        length > PAGE_UP(module->length) - offset) {
        return E_ARGUMENT;
    }
    region->kind = REGION_FILE;
    region->file = file & 0xfffu;
    region->file_page = offset >> PAGE_SHIFT;
    region->file_end = module->length;
    return OK;
}

static uint32_t place_choose(const struct domain *domain, uint32_t hint, uint32_t pages) {
    if (hint != 0 && region_gap(&domain->regions, pages, hint, hint + pages) != 0) {
        return hint;
    }
    return region_gap(&domain->regions, pages, LAYOUT_MAP_FIRST >> PAGE_SHIFT,
                      LAYOUT_MAP_END >> PAGE_SHIFT);
}

error_t mapping_add(struct domain *domain, vaddr_t hint, uint32_t length, uint32_t rights,
                    uint32_t file, uint32_t offset, vaddr_t *address) {
    if (length == 0) {
        return E_ARGUMENT;
    }
    if (length > LAYOUT_MAP_END || PAGE_OFFSET(hint) != 0 ||
        (hint != 0 && (hint < LAYOUT_USER_FIRST || hint >= LAYOUT_MAP_END ||
                       length > LAYOUT_MAP_END - hint))) {
        return E_ADDRESS;
    }
    error_t error = rights_check(rights);
    struct region region = {.kind = REGION_ANONYMOUS, .rights = rights & MAP_RIGHTS};
    if (error == OK && file != MAPPING_NO_FILE) {
        error = file_fill(&region, file, offset, length);
    }
    if (error != OK) {
        return error;
    }
    uint32_t pages = PAGE_UP(length) >> PAGE_SHIFT;
    uint32_t first = place_choose(domain, hint >> PAGE_SHIFT, pages);
    if (first == 0) {
        return E_MEMORY;
    }
    region.first = first & 0xfffffu;
    region.end = (first + pages) & 0xfffffu;
    *address = first << PAGE_SHIFT;
    return region_add(&domain->regions, &region);
}

error_t mapping_remove(struct domain *domain, vaddr_t address, uint32_t length) {
    uint32_t first, end;
    error_t error = range_check(address, length, &first, &end);
    if (error == OK) {
        error = region_remove(&domain->regions, first, end);
    }
    if (error == OK) {
        mapping_forget(domain, first, end, 1);
    }
    return error;
}

error_t mapping_protect(struct domain *domain, vaddr_t address, uint32_t length, uint32_t rights) {
    uint32_t first, end;
    error_t error = range_check(address, length, &first, &end);
    if (error == OK) {
        error = rights_check(rights);
    }
    if (error == OK) {
        error = region_protect(&domain->regions, first, end, rights);
    }
    if (error == OK) {
        mapped_change(domain, first, end, rights == 0 ? 0 : rights | MAP_READ,
                      rights == 0 ? machine_unmap : machine_protect);
    }
    return error;
}

error_t mapping_advise(struct domain *domain, vaddr_t address, uint32_t length, uint32_t advice) {
    uint32_t first, end;
    error_t error = range_check(address, length, &first, &end);
    if (error != OK || advice != ADVICE_FREE) {
        return error != OK ? error : E_ARGUMENT;
    }
    mapping_forget(domain, first, end, 1);  // pages of files show the file again
    return OK;
}

error_t mapping_state(struct domain *domain, vaddr_t address, uint32_t *state) {
    uint32_t page = address >> PAGE_SHIFT;
    if (PAGE_OFFSET(address) != 0 || page >= LAYOUT_KERNEL >> PAGE_SHIFT) {
        return E_ADDRESS;
    }
    const struct region *region = region_find(&domain->regions, page);
    if (region == NULL || region->kind == REGION_GUARD) {
        *state = PAGE_STATE_NONE;
        return OK;
    }
    switch (ENTRY_STATE(resident_plain(domain, pagemap_get(&domain->pages, page)))) {
    case ENTRY_UNTOUCHED:
    case ENTRY_GHOST:
        *state = PAGE_STATE_UNTOUCHED;
        break;
    case ENTRY_RESIDENT:
        *state = PAGE_STATE_RESIDENT;
        break;
    case ENTRY_STORED:
    case ENTRY_READING:
    case ENTRY_WRITING:
        *state = PAGE_STATE_SWAPPED;
        break;
    }
    return OK;
}
