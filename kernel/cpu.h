// SPDX-License-Identifier: MIT
// Instructions that C has no words for. No policy, no state.
#pragma once
#include "types.h"

static inline uint8_t port_in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint16_t port_in16(uint16_t port) {
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint32_t port_in32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline void port_out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_out16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_out32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_out_bytes(uint16_t port, const char *bytes, uint32_t count) {
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(port) : "memory");
}

static inline uint64_t tsc_read(void) {
    uint64_t value;
    __asm__ volatile("rdtsc" : "=A"(value));
    return value;
}
// A long division in two steps of the CPU's own, without the compiler's library.
static inline uint64_t divide(uint64_t value, uint32_t divisor, uint32_t *rest) {
    uint32_t high = (uint32_t)(value >> 32) / divisor, low;
    __asm__("divl %4"
            : "=a"(low), "=d"(*rest)
            : "a"((uint32_t)(value & UINT32_MAX)), "d"((uint32_t)(value >> 32) % divisor),
              "r"(divisor)
            : "cc");
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(msr), "A"(value));
}
static inline uint64_t msr_read(uint32_t msr) {
    uint64_t value;
    __asm__ volatile("rdmsr" : "=A"(value) : "c"(msr));
    return value;
}
static inline void cpuid(uint32_t leaf, uint32_t out[4]) {
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(0));
}

static inline uint32_t cr0_read(void) {
    uint32_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}
static inline void cr0_write(uint32_t value) {
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}
static inline uint32_t cr2_read(void) {
    uint32_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}
static inline uint32_t cr3_read(void) {
    uint32_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}
static inline void cr3_write(uint32_t value) {
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}
static inline uint32_t cr4_read(void) {
    uint32_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}
static inline void cr4_write(uint32_t value) {
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}
static inline void page_invalidate(vaddr_t page) {
    __asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
}

static inline void bytes_zero(void *to, uint32_t bytes) {
    uint32_t words = bytes / 4;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(0) : "memory");
}
static inline void words_copy(void *to, const void *from, uint32_t words) {
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}
static inline void bytes_copy(void *to, const void *from, uint32_t bytes) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline uint32_t bit_lowest(uint32_t word) {
    return (uint32_t)__builtin_ctz(word);
}
static inline uint32_t bit_highest(uint32_t word) {
    return 31u ^ (uint32_t)__builtin_clz(word);
}
