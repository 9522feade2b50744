// SPDX-License-Identifier: MIT
#include "descriptor.h"
#include "cpu.h"
#include "layout.h"
#include "thread.h"

#define VECTORS 256u
#define EXCEPTIONS 32u
#define INTERRUPTS 16u
#define STUB_BYTES 4u
#define MSR_SYSENTER_CS 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u

extern char entry_exceptions[], entry_interrupts[], entry_sysenter[], entry_page_fault[],
    entry_double_fault[], kernel_stack_top[];

// Also read by fast.asm.
struct main_tss main_tss __attribute__((aligned(64)));
uint64_t gdt[GDT_COUNT];
uint32_t tls_loaded;  // base in the TLS descriptor

static struct tss fault_tss;
static uint32_t fault_stack[512] __attribute__((aligned(16)));

static uint64_t idt[VECTORS];

static uint64_t segment(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags) {
    return (uint64_t)(limit & 0xffffu) | (uint64_t)(base & 0xffffffu) << 16 |
           (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 15u) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

BOOT_TEXT static uint64_t gate(uint32_t offset, uint32_t selector, uint32_t access) {
    return (uint64_t)(offset & 0xffffu) | (uint64_t)selector << 16 | (uint64_t)access << 40 |
           (uint64_t)(offset >> 16) << 48;
}

BOOT_TEXT static void table_load(const void *table, uint32_t bytes, bool interrupts) {
    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } pointer = {(uint16_t)(bytes - 1), (uint32_t)(uintptr_t)table};
    if (interrupts) {
        __asm__ volatile("lidt %0" : : "m"(pointer));
    } else {
        __asm__ volatile("lgdt %0" : : "m"(pointer));
    }
}

BOOT_TEXT static void segments_load(void) {
    __asm__ volatile(
        "ljmp %0, $1f\n"
        "1: mov %1, %%ss\n"
        "mov %2, %%ds\n"
        "mov %2, %%es\n"
        "mov %3, %%fs\n"
        "mov %3, %%gs\n"
        :
        : "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(SELECTOR_USER_DATA), "r"(0)
        : "memory");
}

BOOT_TEXT static void tss_init(void) {
    main_tss.tss = (struct tss){.ss0 = SELECTOR_KERNEL_DATA, .io_base = sizeof(struct tss)};
    fault_tss = (struct tss){.eip = (uint32_t)(uintptr_t)entry_double_fault,
                             .eflags = EFLAGS_KERNEL,
                             .esp = (uint32_t)(uintptr_t)(fault_stack + ARRAY_LENGTH(fault_stack)),
                             .cr3 = cr3_read(),
                             .cs = SELECTOR_KERNEL_CODE,
                             .ss = SELECTOR_KERNEL_DATA,
                             .ds = SELECTOR_USER_DATA,
                             .es = SELECTOR_USER_DATA,
                             .io_base = sizeof(struct tss)};
    gdt[GDT_TSS] = segment((uint32_t)(uintptr_t)&main_tss.tss, sizeof(struct tss) - 1, 0x89, 0);
    gdt[GDT_FAULT_TSS] = segment((uint32_t)(uintptr_t)&fault_tss, sizeof(struct tss) - 1, 0x89, 0);
}

BOOT_TEXT static void idt_init(void) {
    enum { INTERRUPT = 0x8e, INTERRUPT_USER = 0xee, TRAP_USER = 0xef, TASK = 0x85 };
    for (uint32_t vector = 0; vector < EXCEPTIONS; vector++) {
        uint32_t access = vector == 3 || vector == 4 ? INTERRUPT_USER : INTERRUPT;
        idt[vector] = gate((uint32_t)(uintptr_t)entry_exceptions + vector * STUB_BYTES,
                           SELECTOR_KERNEL_CODE, access);
    }
    for (uint32_t line = 0; line < INTERRUPTS; line++) {
        idt[EXCEPTIONS + line] = gate((uint32_t)(uintptr_t)entry_interrupts + line * STUB_BYTES,
                                      SELECTOR_KERNEL_CODE, INTERRUPT);
    }
    idt[14] = gate((uint32_t)(uintptr_t)entry_page_fault, SELECTOR_KERNEL_CODE, INTERRUPT);
    idt[2] = gate(0, GDT_FAULT_TSS * 8, TASK);
    idt[8] = gate(0, GDT_FAULT_TSS * 8, TASK);
    idt[0x80] = gate(LAYOUT_INT80, SELECTOR_USER_CODE, TRAP_USER);
    table_load(idt, sizeof(idt), true);
}

void descriptor_init(void) {
    gdt[1] = segment(0, 0xfffff, 0x9a, 0xc);
    gdt[2] = segment(0, 0xfffff, 0x92, 0xc);
    gdt[3] = segment(0, 0xfffff, 0xfa, 0xc);
    gdt[4] = segment(0, 0xfffff, 0xf2, 0xc);
    gdt[GDT_TLS] = segment(0, 0xfffff, 0xf2, 0xc);
    tss_init();
    table_load(gdt, sizeof(gdt), false);
    segments_load();
    __asm__ volatile("ltr %w0" : : "r"(GDT_TSS * 8));
    idt_init();
    msr_write(MSR_SYSENTER_CS, SELECTOR_KERNEL_CODE);
    msr_write(MSR_SYSENTER_ESP, (uint32_t)(uintptr_t)&main_tss.tss.esp0);
    msr_write(MSR_SYSENTER_EIP, (uint32_t)(uintptr_t)entry_sysenter);
}

void descriptor_thread(const struct thread *thread) {
    main_tss.tss.esp0 = (uint32_t)(uintptr_t)(&thread->registers + 1);
    if (thread->tls_base != tls_loaded) {
        gdt[GDT_TLS] = segment(thread->tls_base, 0xfffff, 0xf2, 0xc);
        tls_loaded = thread->tls_base;
    }
    // both selectors may have been changed by the thread that is left: nothing leaks through them
    __asm__ volatile("mov %0, %%fs" : : "r"(0));
    __asm__ volatile("mov %0, %%gs" : : "r"(thread->gs));
}
