// SPDX-License-Identifier: MIT
#include "iomem.h"
#include "memory.h"

#define FIRMWARE_END 0xa0u  // frames below are conventional memory, whatever the firmware says of it

error_t iomem_check(frame_t first, uint32_t count) {
    uint32_t end = memory_frames_max;
    if (count == 0 || count > IOMEM_MAX || first >= end || count > end - first) {
        return E_ARGUMENT;
    }
    for (frame_t frame = first; frame < first + count; frame++) {
        if (frame < FIRMWARE_END ||
            (frame < frames.count && frame_entry(frame)->type != FRAME_ABSENT)) {
            return E_DENIED;
        }
    }
    return OK;
}

static error_t pages_check(const struct iomem *iomem, const struct task *task, vaddr_t first) {
    if (iomem->count > (LAYOUT_KERNEL - first) >> PAGE_SHIFT) {
        return E_ADDRESS;
    }
    if (task->state == TASK_STATE_DEAD || reference_body(iomem->task) != NULL) {
        return E_STATE;
    }
    for (uint32_t i = 0; i < iomem->count; i++) {
        const pte_t *entry = space_entry(&task->space, first + i * PAGE_SIZE);
        if (entry != NULL && entry_low(*entry) & ENTRY_PRESENT) {
            return E_MAPPED;
        }
    }
    return OK;
}

error_t iomem_map(struct iomem *iomem, struct task *task, vaddr_t first) {
    error_t error = pages_check(iomem, task, first);
    if (error != OK) {
        return error;
    }
    iomem->task = object_reference(task->object);
    iomem->page = first;
    for (uint32_t i = 0; i < iomem->count; i++) {
        vaddr_t page = first + i * PAGE_SIZE;
        pte_t *entry = space_entry_make(&task->space, page);
        if (entry == NULL) {
            iomem_unmap(iomem);
            return E_MEMORY;
        }
        space_install_device(&task->space, entry, iomem->first + i);
    }
    return OK;
}

// The task may be half taken down: what is gone is gone.
void iomem_unmap(struct iomem *iomem) {
    struct task *task = reference_body(iomem->task);
    for (uint32_t i = 0; task != NULL && i < iomem->count; i++) {
        vaddr_t page = iomem->page + i * PAGE_SIZE;
        pte_t *entry = space_entry(&task->space, page);
        if (entry != NULL && entry_low(*entry) & ENTRY_DEVICE) {
            space_remove(&task->space, page, entry);
            space_trim(&task->space, page);
        }
    }
    iomem->task = (struct reference){0};
}
