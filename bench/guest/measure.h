// SPDX-License-Identifier: MIT
// Rounds of one operation, measured by the time stamp counter: under -icount shift=0 one tick is one
// instruction, so that figures are exact path lengths, the same on every host. They say nothing of
// caches, of TLB misses and of the time that a trap takes.
//
// The code measured is assembly, for a compiler's own moves must not count. What follows BEGIN and
// precedes END is the operation. The marks are no-ops whose operand the plugin of ../plugin knows;
// they, the counter and the stores cost the same with nothing between, which is subtracted.
#pragma once
#include "../../tests/test.h"

#define ROUNDS 1000u

#define MARK_(number) ".byte 0x0f, 0x1f, 0x80\n\t.long 0x51c0de00 + " #number "\n\t"
#define MARK_ROW MARK_(0)    // what follows are rounds of the next row
#define MARK_BEGIN MARK_(1)  // an operation begins,
#define MARK_END MARK_(2)    // and has ended;
#define MARK_MORE MARK_(3)   // it goes on, after something that does not count

#define BEGIN "rdtsc\n\tmov %%eax, measure_begun\n\t" MARK_BEGIN
#define MORE "rdtsc\n\tmov %%eax, measure_begun\n\t" MARK_MORE
// By the same thread, or by another that shares this memory.
#define END MARK_END "rdtsc\n\tsub measure_begun, %%eax\n\tmov %%eax, measure_passed\n\t"

// Enter the kernel, with eax, ebx, esi, edi and ebp as abi/ipc.h says.
#define ENTER "mov %%esp, %%ecx\n\tmov $7f, %%edx\n\tsysenter\n7:\n\t"
// The same, and go on at the label 1.
#define ENTER_AGAIN "mov %%esp, %%ecx\n\tmov $1b, %%edx\n\tsysenter\n\t"

// Runs assembly that may use all registers but esp; its operands are constants and statics.
#define ASSEMBLY(text, ...)                                 \
    __asm__ volatile("push %%ebp\n\t" text "pop %%ebp" : :  \
                     __VA_ARGS__                            \
                     : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory", "cc")

// One round.
#define MEASURE(body, ...)                       \
    do {                                         \
        ASSEMBLY(BEGIN body END, __VA_ARGS__);   \
        measure_store();                         \
    } while (0)

// More of the same round, after something that does not count.
#define MEASURE_MORE(body, ...)                  \
    do {                                         \
        ASSEMBLY(MORE body END, __VA_ARGS__);    \
        measure_add();                           \
    } while (0)

extern uint32_t measure_begun, measure_passed;  // counter at BEGIN; ticks from there to END

// The next row begins; its rounds may be stored in any task of the same memory.
void measure_row(void);
void measure_store(void);
void measure_add(void);
// Print the row: median and p99 of the rounds, each of `parts` operations.
void measure_print(const char *name, uint32_t parts);
