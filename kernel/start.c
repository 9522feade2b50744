// SPDX-License-Identifier: MIT
#include "start.h"
#include "cpu.h"
#include "memory.h"
#include "schedule.h"
#include "space.h"
#include "window.h"

extern char kernel_start[], kernel_boot_end[];
__attribute__((noreturn)) void entry_leave(void);

void start_end(struct pool *root) {
    frame_t end = window_frame(kernel_boot_end);
    for (frame_t frame = window_frame(kernel_start); frame < end; frame++) {
        memory_first_table[frame] =
            entry_add(memory_first_table[frame], ENTRY_WRITE | space_no_execute);
        page_invalidate((vaddr_t)(uintptr_t)window_address(frame));
        frame_release(frame);
        root->reserved++;
    }
    schedule();
    entry_leave();
}
