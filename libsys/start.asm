; SPDX-License-Identifier: MIT
; Where a wired server begins.
;
; void _start(void);
; Expects esp at the end of the stack. Clears the frame pointer, so that a backtrace ends here,
; aligns the stack as the C ABI wants it, calls void server_main(void). Should that return, the
; invalid instruction is a fault that init hears of.
        bits 32
        section .text
        global _start
        extern server_main
_start:
        xor ebp, ebp
        and esp, -16
        call server_main
        ud2

        section .note.GNU-stack noalloc noexec nowrite progbits
