// SPDX-License-Identifier: MIT
// Read before each of the kernel's sources that the searches use, so that these, unchanged, run in a
// host process on tables small enough to try everything: four entries a table, five handles a
// task. The instructions that only a kernel may execute do nothing.
#pragma once
#include "abi/ipc.h"
#include "abi/layout.h"
#include "abi/message.h"

#undef SLOT_COUNT
#define SLOT_COUNT 5u

#define cr3_write hardware_cr3_write
#define page_invalidate hardware_page_invalidate
#include "kernel/cpu.h"
#undef cr3_write
#undef page_invalidate
static inline void cr3_write(uint32_t value) {
    (void)value;
}
static inline void page_invalidate(vaddr_t page) {
    (void)page;
}

#define kernel_page_directory hardware_page_directory  // of the usual size
#include "kernel/space.h"
#undef kernel_page_directory
#undef ENTRIES
#define ENTRIES 4u
