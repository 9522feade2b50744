// SPDX-License-Identifier: MIT
// Device memory: a range of frames that are no RAM, mapped uncached into one task at a time, all of
// it or nothing. No frame table entry counts such a map: the object knows where it is, and takes it
// back when it ends.
#pragma once
#include "task.h"

struct iomem {
    struct object *object;
    frame_t first;
    uint32_t count;
    struct reference task;  // where it is mapped, from `page` on
    vaddr_t page;
};

// May frames first .. first + count be a device's? E_ARGUMENT: beyond what the CPU can address, or
// more than IOMEM_MAX; E_DENIED: there is RAM, or the firmware's.
error_t iomem_check(frame_t first, uint32_t count);
// Map it for reading and writing. E_ADDRESS, E_MAPPED: not all pages are there to be had; E_MEMORY:
// the task cannot pay for page tables; E_STATE: it is mapped already, or the task is dead.
error_t iomem_map(struct iomem *iomem, struct task *task, vaddr_t page);
// Unmap it, wherever it is mapped.
void iomem_unmap(struct iomem *iomem);
