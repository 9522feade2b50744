; SPDX-License-Identifier: MIT
; Ways into the kernel and out of it. The frame pushed here is struct registers (thread.h), in push
; order, so that no offsets are needed but those of constants.inc.
; From user mode the frame lies inside the running thread: TSS.esp0 points past its registers.
        bits 32
%include "constants.inc"
        extern current_thread
        extern kernel_trap_user, kernel_trap_kernel

        section .text

; Leave to the thread that current_thread names now.
        global entry_leave
entry_leave:
        mov esp, [current_thread]
        cmp dword [esp + REGISTERS_VECTOR], VECTOR_SYSENTER
        jne .iret
        popad
        mov edx, [esp + REGISTERS_EIP - REGISTERS_VECTOR]
        mov ecx, [esp + REGISTERS_ESP - REGISTERS_VECTOR]
        sti
        sysexit
.iret:  popad
        add esp, 8
        iretd

; Exceptions and interrupts: a stub of four bytes per vector, before or behind what all of them share,
; for a short jump reaches no farther.
%macro STUB 1
        push byte %1
%if %1 = 8 || (%1 >= 10 && %1 <= 14) || %1 = 17 || %1 = 21 || %1 = 29 || %1 = 30
        jmp short entry_common          ; the CPU has pushed an error code
%else
        jmp short entry_no_code
%endif
%endmacro
        global entry_exceptions
entry_exceptions:
%assign vector 0
%rep 32
        STUB vector
%assign vector vector + 1
%endrep

entry_no_code:                          ; 0 takes the error code's place
        push dword [esp]
        and dword [esp + 4], 0
entry_common:
        pushad
        mov ecx, SELECTOR_USER_DATA
        mov ds, ecx
        mov es, ecx
        cld
        test byte [esp + REGISTERS_CS], 3
        jz entry_kernel_trap
        global entry_trap_user
entry_trap_user:
        mov esp, kernel_stack_top
        call kernel_trap_user
        jmp entry_leave
        global entry_kernel_trap
entry_kernel_trap:                      ; the idle loop's interrupts, #DB at sysenter, or a defect
        mov eax, esp
        call kernel_trap_kernel
        popad
        add esp, 8
        iretd

        global entry_interrupts
entry_interrupts:
%rep 16
        STUB vector
%assign vector vector + 1
%endrep

; void entry_idle(void): wait for one interrupt. Interrupts are on only here and in entry_spin.
        global entry_idle
entry_idle:
        sti
        hlt
        cli
        ret

; void entry_spin(void): let time pass by doing nothing. QEMU counts these instructions, but runs
; them as a few blocks, in next to no time. Changes ecx.
        global entry_spin
entry_spin:
        mov ecx, 10
        sti
.next:  times 47 nop
        loop .next
        cli
        ret

; Double fault and NMI: their task gates give them a stack and registers of their own.
        extern kernel_double_fault
        global entry_double_fault
entry_double_fault:
        mov eax, esp                    ; tells which: a double fault has pushed an error code
        call kernel_double_fault
        ud2

        section .bss align=4096
        global kernel_stack_guard, kernel_stack_top
kernel_stack_guard:
        resb 4096                       ; never mapped: an overflow is a double fault, not damage
        resb 8192
kernel_stack_top:

        section .note.GNU-stack noalloc noexec nowrite progbits
