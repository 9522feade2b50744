// SPDX-License-Identifier: MIT
// Segment, interrupt and task-state descriptors (Intel SDM volume 3, chapters 3, 6, 7), and the
// MSRs of sysenter.
#pragma once
#include "start.h"
#include "types.h"

BOOT_TEXT void descriptor_init(void);
struct thread;
// Entries from user mode save this thread's registers; %gs has its TLS base.
void descriptor_thread(const struct thread *thread);

struct tss {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_base;
};
_Static_assert(sizeof(struct tss) == 104, "task-state segment");

// sysenter begins with esp at tss.esp0; a single-step trap at its first instruction runs on what
// lies below, until it has cleared the flag.
struct main_tss {
    uint32_t scratch[192];
    struct tss tss;
};
extern struct main_tss main_tss;  // a double fault leaves there what it struck
enum { GDT_TLS = 5, GDT_TSS, GDT_FAULT_TSS, GDT_COUNT };
