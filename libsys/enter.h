// SPDX-License-Identifier: MIT
// The kernel entry of ipc.h once more, inline, for a server's loop in which each instruction counts:
// the words of a message stay in registers. What the operations do: abi/ipc.h.
#pragma once
#include "ipc.h"

// Enter the kernel; `received` gets what came back. The kernel returns to edx with esp = ecx.
static inline struct received ipc_enter_inline(uint32_t eax, uint32_t ebx, uint32_t esi,
                                               uint32_t edi, uint32_t ebp) {
    __asm__ volatile("push %%ebp\n\t"
                     "mov %%ecx, %%ebp\n\t"
                     "mov %%esp, %%ecx\n\t"
                     "mov $1f, %%edx\n\t"
                     "sysenter\n"
                     "1:\tmov %%ebp, %%ecx\n\t"
                     "pop %%ebp"
                     : "+a"(eax), "+b"(ebx), "+S"(esi), "+D"(edi), "+c"(ebp)
                     :
                     : "edx", "memory", "cc");
    return (struct received){eax, ebx, esi, {edi, ebp}};
}

static inline struct received ipc_receive_inline(handle_t port, enum operation operation) {
    return ipc_enter_inline(port | operation, 0, 0, 0, 0);
}

// ipc_reply_map_receive() with a single item.
static inline struct received ipc_reply_map_receive_inline(handle_t port, token_t token,
                                                           struct map_item item) {
    return ipc_enter_inline(port | OP_REPLY_RECEIVE, token, TAG(0, 0, 0, 1), item.page, item.frame);
}
