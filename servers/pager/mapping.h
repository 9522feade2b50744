// SPDX-License-Identifier: MIT
// What a program may ask about its own address space: add regions, remove them, change rights. All
// addresses, lengths and rights are the caller's allegations. Nothing here brings a page in.
#pragma once
#include "domain.h"
#include "layout.h"

// Pages that a caller may name: [MAPPING_FIRST, MAPPING_END).
#define MAPPING_FIRST (LAYOUT_USER_FIRST / PAGE_SIZE)
#define MAPPING_END (LAYOUT_STACK_TOP / PAGE_SIZE)

// Zero-filled memory, or (file_number not MAPPING_NO_FILE) a private view of a module from byte
// `offset` (a multiple of 4096) on. Where hint is 0, or taken, the place is chosen.
#define MAPPING_NO_FILE UINT32_MAX
error_t mapping_add(struct domain *domain, vaddr_t hint, uint32_t length, uint32_t rights,
                    uint32_t file, uint32_t offset, vaddr_t *address);
error_t mapping_remove(struct domain *domain, vaddr_t address, uint32_t length);
error_t mapping_protect(struct domain *domain, vaddr_t address, uint32_t length, uint32_t rights);
error_t mapping_advise(struct domain *domain, vaddr_t address, uint32_t length, uint32_t advice);
error_t mapping_state(struct domain *domain, vaddr_t address, uint32_t *state);

// Forget what pages [first, end) hold. `mapped`: they still are (else the kernel unmapped them all).
void mapping_forget(struct domain *domain, uint32_t first, uint32_t end, int mapped);
