// SPDX-License-Identifier: MIT
#include "panic.h"
#include "cpu.h"
#include "descriptor.h"
#include "layout.h"
#include "log.h"
#include "machine.h"
#include "thread.h"

#define EXIT_PORT 0xf4  // QEMU's isa-debug-exit
#define EXIT_PANIC 0x12
#define EXIT_REFUSED 0x11

#define STACK_BOTTOM ((uint32_t)(uintptr_t)kernel_stack_guard + PAGE_SIZE)

extern char kernel_start[], kernel_text_end[], kernel_stack_guard[], kernel_stack_top[];
void kernel_double_fault(uint32_t esp);

__attribute__((noreturn)) static void stop(uint8_t code) {
    port_out8(EXIT_PORT, code);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

// Without frame pointers: all words of the kernel's stack that may be return addresses, the newest
// first. Locals that were never set may hold old ones.
static void backtrace(uint32_t esp) {
    const uint32_t *word = (const uint32_t *)MAX_OF(esp & ~3u, STACK_BOTTOM);
    log_print("code addresses on the stack:");
    for (uint32_t found = 0; word < (const uint32_t *)kernel_stack_top && found < 32; word++) {
        if (*word >= (uintptr_t)kernel_start && *word < (uintptr_t)kernel_text_end) {
            log_print(" %x", *word);
            found++;
        }
    }
    log_print("\n");
}

// The number of the entry tells one moment of a counted run (-icount) from all others.
__attribute__((noreturn)) static void end(uint32_t esp) {
    log_print("kernel entry %u\n", (uint32_t)machine_entries);
    if (current_thread != NULL) {
        const struct registers *r = &current_thread->registers;
        log_print("current: task %u thread %u eip %x esp %x eax %x\n", current_thread->task->badge,
                  (uint32_t)object_slot(current_thread->object), r->eip, r->esp, r->eax);
    }
    backtrace(esp);
    stop(EXIT_PANIC);
}

void panic(const char *file, uint32_t line, const char *reason) {
    log_to_serial();
    log_print("quire: kernel panic: %s:%u: %s\n", file, line, reason);
    end((uint32_t)(uintptr_t)__builtin_frame_address(0));
}

void panic_trap(const struct registers *r, uint32_t cr2) {
    log_to_serial();
    log_print("quire: kernel panic: exception %u, error %x, cr2 %x, cr3 %x\n", r->vector, r->error,
              cr2, cr3_read());
    log_print("eip %x eflags %x eax %x ebx %x ecx %x edx %x esi %x edi %x ebp %x\n", r->eip,
              r->eflags, r->eax, r->ebx, r->ecx, r->edx, r->esi, r->edi, r->ebp);
    end((uint32_t)(uintptr_t)r);
}

// The stack of the fault's task is aligned to 16 bytes.
void kernel_double_fault(uint32_t esp) {
    log_to_serial();
    log_print("quire: kernel panic: %s, eip %x esp %x\n", esp % 16 == 0 ? "NMI" : "double fault",
              main_tss.tss.eip, main_tss.tss.esp);
    end(main_tss.tss.esp);
}

void boot_refuse_because(const char *reason, const char *detail) {
    log_to_serial();
    log_print("quire: error: %s%s\nquire: off status=2\n", reason, detail);
    stop(EXIT_REFUSED);
}

void boot_refuse(const char *reason) {
    boot_refuse_because(reason, "");
}
