; SPDX-License-Identifier: MIT
; The two places where a program is entered from outside C.
        bits 32
        section .text

; void _start(void);
; Expects esp at the end of the stack. Clears the frame pointer, so that a backtrace ends here, and
; calls void program_start(void), which does not return.
        global _start
        extern program_start
_start:
        xor ebp, ebp
        and esp, -16
        call program_start
        ud2

; What musl calls through %gs:16 in place of a system call: eax is the number, ebx, ecx, edx, esi,
; edi, ebp are the arguments. Calls long linux_dispatch(const struct linux_call *call); the pushes
; below are the struct, last word first. Changes eax (the result) and flags.
        global linux_entry
        extern linux_dispatch
linux_entry:
        push ebp
        push edi
        push esi
        push edx
        push ecx
        push ebx
        push eax
        push esp
        cld
        call linux_dispatch
        add esp, 8
        pop ebx
        pop ecx
        pop edx
        pop esi
        pop edi
        pop ebp
        ret

        section .note.GNU-stack noalloc noexec nowrite progbits
