; SPDX-License-Identifier: MIT
; The one way into the kernel.
;
; void ipc_enter(struct ipc_registers *registers);
; Loads eax, ebx, esi, edi, ebp from the struct, enters the kernel, stores them back.
; The kernel returns to edx with esp = ecx; it changes eax, ebx, ecx, edx, esi, edi, ebp and flags.
        bits 32
        section .text
        global ipc_enter
ipc_enter:
        push ebp
        push ebx
        push esi
        push edi
        mov ecx, [esp + 20]
        push ecx
        mov eax, [ecx]
        mov ebx, [ecx + 4]
        mov esi, [ecx + 8]
        mov edi, [ecx + 12]
        mov ebp, [ecx + 16]
        mov ecx, esp
        mov edx, .back
        sysenter
.back:
        pop ecx
        mov [ecx], eax
        mov [ecx + 4], ebx
        mov [ecx + 8], esi
        mov [ecx + 12], edi
        mov [ecx + 16], ebp
        pop edi
        pop esi
        pop ebx
        pop ebp
        ret

        section .note.GNU-stack noalloc noexec nowrite progbits
