; SPDX-License-Identifier: MIT
; From the boot loader to C: Multiboot 1 and 2 headers, the first page tables, the jump to 3 GiB.
; Detects nothing but PAE, without which there is no way on, and allocates nothing: main.c goes on.
        bits 32
        extern kernel_main, kernel_page_directory, boot_directory_pointers, kernel_stack_top

OFFSET          equ 0xc0000000
WINDOW_ENTRIES  equ 448                 ; 2 MiB pages: 896 MiB of low memory

        section .multiboot progbits alloc noexec nowrite align=8
; Multiboot 1 (specification 0.6.96, section 3.1): modules on page boundaries, memory information
        dd 0x1badb002, 3, -(0x1badb002 + 3)
        align 8
multiboot2:                             ; Multiboot 2 (section 3.1.1): architecture 0 is i386
        dd 0xe85250d6, 0, multiboot2.end - multiboot2
        dd -(0xe85250d6 + 0 + (multiboot2.end - multiboot2))
        dw 6, 0                         ; tag 6: modules on page boundaries
        dd 8
        dw 0, 0
        dd 8
.end:

        section .boot progbits alloc exec nowrite align=16
        global boot_entry
; void boot_entry(void): eax = loader's magic, ebx = physical address of its information.
boot_entry:
        cli
        cld
        mov esp, kernel_stack_top - OFFSET
        mov esi, eax
        push ebx
        pushfd                          ; a CPU whose flag 21 cannot be changed has no cpuid
        pop eax
        mov ecx, eax
        xor eax, 1 << 21
        push eax
        popfd
        pushfd
        pop eax
        xor eax, ecx
        jz refuse
        mov eax, 1
        cpuid
        test edx, 1 << 6                ; PAE
        jz refuse
        pop ebx
        ; window: entry i of the kernel's page directory maps 2 MiB at i * 2 MiB
        mov edi, kernel_page_directory - OFFSET
        mov eax, 0x83                   ; present, writable, 2 MiB
        mov ecx, WINDOW_ENTRIES
.fill:  mov [edi], eax
        mov dword [edi + 4], 0
        add eax, 0x200000
        add edi, 8
        loop .fill
        ; the same directory at 0 (until C drops it) and at 3 GiB
        mov edi, boot_directory_pointers - OFFSET
        mov eax, kernel_page_directory - OFFSET + 1
        mov [edi], eax
        mov [edi + 24], eax
        mov cr3, edi
        mov eax, 0x20                   ; PAE alone: users may read the time stamp counter
        mov cr4, eax
        mov eax, cr0
        or eax, 0x80010000              ; paging, write protection in the kernel
        mov cr0, eax
        mov eax, .high
        jmp eax
.high:  mov esp, kernel_stack_top
        xor ebp, ebp
        mov eax, esi
        mov edx, ebx
        call kernel_main
        ud2

; void refuse(void): say why on the debug port and the serial line, and stop.
refuse:
        mov esi, .text - OFFSET
.next:  lodsb
        test al, al
        jz .stop
        out 0xe9, al
        mov ah, al
        mov ecx, 100000                 ; a line that never gets ready holds nobody up
        mov dx, 0x3fd
.wait:  in al, dx
        test al, 0x20
        loopz .wait
        mov al, ah
        mov dx, 0x3f8
        out dx, al
        jmp .next
.stop:  mov al, 0x11                    ; QEMU's isa-debug-exit: failed
        out 0xf4, al
.halt:  cli
        hlt
        jmp .halt
.text:  db "quire: error: this CPU lacks PAE: use a Pentium Pro or later "
        db "(qemu-system-i386 -cpu Nehalem,-lm,-syscall)", 13, 10
        db "quire: off status=2", 13, 10, 0

        section .note.GNU-stack noalloc noexec nowrite progbits
