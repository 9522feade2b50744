// SPDX-License-Identifier: MIT
// Segment, interrupt and task-state descriptors (Intel SDM volume 3, chapters 3, 6, 7), and the
// MSRs of sysenter.
#pragma once
#include "types.h"

void descriptor_init(void);
// Entries from user mode save registers below `registers_end`; %gs has this base, or is null for 0.
void descriptor_thread(void *registers_end, uint32_t tls_base);
// What the CPU pushed and held when a double fault struck.
struct double_fault {
    uint32_t eip, esp, cr3;
};
struct double_fault descriptor_double_fault(void);
