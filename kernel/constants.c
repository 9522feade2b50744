// SPDX-License-Identifier: MIT
// Numbers that the assembly needs, taken from the C types: text in the section .constants of this
// file's object, which the build cuts out as constants.inc. Never linked into the kernel.
#include "thread.h"

#define CONSTANT(name, value)                                                                 \
    __asm__ volatile(".pushsection .constants,\"a\"\n\t.ascii \"%%define " #name " %c0\\n\"\n\t" \
                     ".popsection"                                                            \
                     :                                                                        \
                     : "i"(value))

void constants(void);
void constants(void) {
    CONSTANT(SELECTOR_USER_CODE, SELECTOR_USER_CODE);
    CONSTANT(SELECTOR_USER_DATA, SELECTOR_USER_DATA);
    CONSTANT(EFLAGS_USER, EFLAGS_USER);
    CONSTANT(EFLAGS_KERNEL, EFLAGS_KERNEL);
    CONSTANT(VECTOR_SYSENTER, VECTOR_SYSENTER);
    CONSTANT(REGISTERS_VECTOR, offsetof(struct registers, vector));
    CONSTANT(REGISTERS_EIP, offsetof(struct registers, eip));
    CONSTANT(REGISTERS_CS, offsetof(struct registers, cs));
    CONSTANT(REGISTERS_ESP, offsetof(struct registers, esp));
}
