// SPDX-License-Identifier: MIT
// Programs have one thread: what musl would do with int $0x80 to make, end or interrupt others is
// answered here, so that no such instruction remains in a program.
#include <errno.h>
#include <unistd.h>

#include "linux.h"

// musl finds "__syscall_cp_asm" by these marks when a thread is cancelled, which never happens.
const char __cp_begin[1], __cp_end[1], __cp_cancel[1];

int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
void __unmapself(void *base, size_t size);
void __restore(void);
void __restore_rt(void);
long __syscall_cp_asm(volatile int *cancel, long number, long a, long b, long c, long d, long e,
                      long f);

int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...) {
    (void)run;
    (void)stack;
    (void)flags;
    (void)argument;
    return -ENOSYS;
}

pid_t vfork(void) {
    errno = ENOSYS;
    return -1;
}

// The end of a detached thread, and the return from a signal's frame: neither ever exists.
void __unmapself(void *base, size_t size) {
    (void)base;
    (void)size;
    __builtin_trap();
}

void __restore(void) {
    __builtin_trap();
}

void __restore_rt(void) {
    __builtin_trap();
}

long __syscall_cp_asm(volatile int *cancel, long number, long a, long b, long c, long d, long e,
                      long f) {
    (void)cancel;
    const struct linux_call call = {(uint32_t)number,
                                    {(uint32_t)a, (uint32_t)b, (uint32_t)c, (uint32_t)d,
                                     (uint32_t)e, (uint32_t)f}};
    return linux_dispatch(&call);
}
