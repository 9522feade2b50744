// SPDX-License-Identifier: MIT
#include "fpu.h"
#include "cpu.h"
#include "kalloc.h"

#define CR0_MONITOR 0x2u
#define CR0_EMULATION 0x4u
#define CR0_TASK_SWITCHED 0x8u
#define CR0_NUMERIC_ERROR 0x20u
#define CR4_FXSAVE 0x200u
#define CR4_SIMD_EXCEPTIONS 0x400u
#define FPU_BYTES 512u

static void trap_on(void) {
    cr0_write(cr0_read() | CR0_TASK_SWITCHED);
}

void fpu_init(void) {
    cr4_write(cr4_read() | CR4_FXSAVE | CR4_SIMD_EXCEPTIONS);
    cr0_write((cr0_read() & ~CR0_EMULATION) | CR0_MONITOR | CR0_NUMERIC_ERROR | CR0_TASK_SWITCHED);
}

void fpu_leave(struct thread *thread) {
    if (thread != NULL && thread->flags & THREAD_FPU) {
        __asm__ volatile("fxsave (%0)" : : "r"(thread->fpu) : "memory");
        fpu_forget(thread);
    }
}

error_t fpu_enter(struct thread *thread) {
    bool first = thread->fpu == NULL;
    if (first && (thread->fpu = kalloc(thread->task->pool, FPU_BYTES)) == NULL) {
        return E_MEMORY;
    }
    if (first) {  // the state after fninit, no SSE exceptions (Intel SDM volume 1, 10.5.1, 11.6.4)
        uint8_t *area = thread->fpu;
        area[0] = 0x7f;
        area[1] = 0x03;
        area[24] = 0x80;
        area[25] = 0x1f;
    }
    __asm__ volatile("clts");
    __asm__ volatile("fxrstor (%0)" : : "r"(thread->fpu) : "memory");
    thread->flags |= THREAD_FPU;
    slow_flags |= SLOW_FPU;
    return OK;
}

void fpu_forget(struct thread *thread) {
    if (thread->flags & THREAD_FPU) {
        thread->flags &= (uint8_t)~THREAD_FPU;
        slow_flags &= ~SLOW_FPU;
        trap_on();
    }
}
