// SPDX-License-Identifier: MIT
// Programs: laying an ELF module out as the regions of a new domain, and taking a dead one apart.
#pragma once
#include "domain.h"

struct program_start {
    vaddr_t entry, stack;
};

// Take charge of task `number`, whose space is changed through the handle `space`: kept if this
// succeeds, closed if not. After an error domain_recall(number)->reason has a sentence, if there was
// a place for it. E_NOT_FOUND, E_FORMAT, E_STATE (it has a program), E_LIMIT, E_MEMORY.
error_t program_admit(uint32_t number, handle_t space, const field_name *module,
                      struct program_start *start);
// The task is dead and the kernel has unmapped all it had.
error_t program_retire(uint32_t number);
