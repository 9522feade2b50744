// SPDX-License-Identifier: MIT
// What the plugin pages.c writes and lab/record.c reads: 64-bit numbers of the host's byte order,
// thread << 56 | page << 8 | flags.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PAGES_SHIFT 12
#define PAGES_READ 1u
#define PAGES_WRITE 2u
#define PAGES_FETCH 4u
#define PAGES_MORE 8u  // of the same instruction as the record before
#define PAGES_SEEN 16u  // the plugin's own

static inline uint64_t pages_page(uint64_t record) {
    return record << 8 >> 16;
}
static inline uint32_t pages_thread(uint64_t record) {
    return (uint32_t)(record >> 56);
}
