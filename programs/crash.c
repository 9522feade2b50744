// SPDX-License-Identifier: MIT
// crash KIND: does the one wrong thing that KIND names, and should be ended for it. For tests that
// the system lives on. Status 3: the wrong thing went through.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "types.h"

static volatile uint32_t sink;
static const uint32_t constant = 7;

// The compiler must not see what it would rightly refuse.
static void *hidden(uintptr_t address) {
    __asm__ volatile("" : "+r"(address));
    return (void *)address;
}

static void read_at(uintptr_t address) {
    sink = *(volatile uint32_t *)hidden(address);
}

static void write_at(uintptr_t address) {
    *(volatile uint32_t *)hidden(address) = 1;
}

static void jump_to(const volatile void *address) {
    __asm__ volatile("call *%0" : : "r"(address) : "memory");
}

static void crash_null_read(void) {
    read_at(0);
}
static void crash_null_write(void) {
    write_at(8);
}
static void crash_null_call(void) {
    jump_to(NULL);
}
static void crash_text_write(void) {
    write_at((uintptr_t)&crash_null_read);
}
static void crash_constant_write(void) {
    write_at((uintptr_t)&constant);
}
static void crash_data_jump(void) {
    jump_to(&sink);
}
static void crash_kernel_read(void) {
    read_at(LAYOUT_KERNEL);
}
static void crash_kernel_write(void) {
    write_at(0xfffffffc);
}
static void crash_unmapped(void) {
    read_at(LAYOUT_MAP_END - PAGE_SIZE);
}
static void crash_clock_write(void) {
    write_at(LAYOUT_CLOCK);
}
static void crash_clock_jump(void) {
    jump_to(hidden(LAYOUT_CLOCK));
}
static void crash_divide(void) {
    sink = 0;
    __asm__ volatile("divl %0" : : "m"(sink), "a"(1), "d"(0) : "cc");
}
static void crash_invalid(void) {
    __asm__ volatile("ud2");
}
static void crash_halt(void) {
    __asm__ volatile("hlt");
}
static void crash_port(void) {
    __asm__ volatile("outb %%al, $0xf4" : : "a"(0x10));
}
static void crash_interrupt(void) {
    __asm__ volatile("int $0x20");
}
static void crash_stack(void) {
    __asm__ volatile("movl $16, %esp; pushl %eax");
}
static void crash_double_free(void) {
    void *block = malloc(100);
    void *again = hidden((uintptr_t)block);
    free(block);
    free(again);
}
static void crash_wild_free(void) {
    free(hidden((uintptr_t)&sink));
}
static void crash_interior_free(void) {
    free(hidden((uintptr_t)malloc(100) + 16));
}
static void crash_overflow(void) {
    volatile char *block = hidden((uintptr_t)malloc(100));
    for (int i = 0; i < 120; i++) {
        block[i] = 'x';
    }
    free((char *)block);
}
static void crash_abort(void) {
    abort();
}

static const struct kind {
    const char *name;
    void (*run)(void);
} kinds[] = {
    {"null-read", crash_null_read},       {"null-write", crash_null_write},
    {"null-call", crash_null_call},       {"text-write", crash_text_write},
    {"constant-write", crash_constant_write}, {"data-jump", crash_data_jump},
    {"kernel-read", crash_kernel_read},   {"kernel-write", crash_kernel_write},
    {"unmapped", crash_unmapped},         {"divide", crash_divide},
    {"invalid", crash_invalid},           {"halt", crash_halt},
    {"port", crash_port},                 {"interrupt", crash_interrupt},
    {"stack", crash_stack},               {"double-free", crash_double_free},
    {"wild-free", crash_wild_free},       {"interior-free", crash_interior_free},
    {"overflow", crash_overflow},         {"abort", crash_abort},
    {"clock-write", crash_clock_write},   {"clock-jump", crash_clock_jump},
};

int main(int count, char **argument) {
    for (size_t i = 0; count == 2 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argument[1], kinds[i].name) == 0) {
            kinds[i].run();
            return 3;
        }
    }
    fprintf(stderr, "usage: crash KIND, one of:");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fprintf(stderr, " %s", kinds[i].name);
    }
    fprintf(stderr, "\n");
    return 2;
}
