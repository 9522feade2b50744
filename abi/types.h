// SPDX-License-Identifier: MIT
// The words that every part of the system shares: numbers, handles, tags, map items.
// No functions that act, no state.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum error {
#define ERROR(name, number, text) name = number,
#include "error.def"
#undef ERROR
} error_t;

// Types that sparse (./quire analyse) keeps apart from numbers and from each other; FORCE marks the
// few places that turn one into the other. Compilers see neither.
#ifdef __CHECKER__
#define BITWISE __attribute__((bitwise))
#define FORCE __attribute__((force))
#else
#define BITWISE
#define FORCE
#endif

typedef uint32_t handle_t;  // index into the task's handle table, times 16
typedef uint32_t tag_t;     // what a message is: see TAG_ below
typedef uint32_t token_t;   // who waits for a reply: thread slot and number of the call
typedef uint32_t badge_t;   // which client speaks; chosen by who made the handle
typedef uint32_t vaddr_t;   // virtual address
typedef uint64_t BITWISE paddr_t;  // physical address (PAE: up to 36 bits and more)
typedef uint32_t frame_t;   // number of a physical frame: physical address / 4096

#define PAGE_SIZE 4096u
#define PAGE_SHIFT 12
#define PAGE_OFFSET(address) ((address) & (PAGE_SIZE - 1))
#define PAGE_DOWN(address) ((address) & ~(PAGE_SIZE - 1))
#define PAGE_UP(address) PAGE_DOWN((address) + PAGE_SIZE - 1)

#define FRAME_PADDR(frame) ((FORCE paddr_t)((uint64_t)(frame) << PAGE_SHIFT))
#define PADDR_PLUS(address, bytes) ((FORCE paddr_t)((FORCE uint64_t)(address) + (bytes)))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
