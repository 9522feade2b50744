// SPDX-License-Identifier: MIT
// malloc in the booted system: its pages come from the pager, may leave for the disk and come back,
// and go back to the pager. What it refuses is tested with programs that are ended for it.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "crash.h"
#include "stubs.h"

#define BLOCKS 3000u

static struct pager_stats_out stats(void) {
    struct pager_stats_out out;
    struct task_info_out self;
    CHECK_EQUAL(task_info(HANDLE(SLOT_TASK), &self), OK);
    CHECK_EQUAL(pager_stats(HANDLE(SLOT_PAGER), self.badge, &out), OK);
    return out;
}

TEST(malloc_aborts, "double, wild and interior frees and overflows end the program") {
    static const char *const kinds[] = {"double-free", "wild-free", "interior-free", "overflow",
                                        "abort"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        test_case(kinds[i]);
        struct init_wait_out end = crash(kinds[i]);
        CHECK_EQUAL(end.cause, CAUSE_EXIT);
        CHECK_EQUAL(end.status, 128 + 6);
    }
}

TEST(malloc_refuses, "sizes that cannot be are refused with ENOMEM or EINVAL") {
    volatile size_t huge = SIZE_MAX;
    void *block = NULL;
    errno = 0;
    CHECK(malloc(huge) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(calloc(huge / 2, 4) == NULL && errno == ENOMEM);
    CHECK(calloc(huge, huge) == NULL);
    CHECK(realloc(NULL, huge - 5) == NULL);
    CHECK(aligned_alloc(3, 100) == NULL && errno == EINVAL);
    CHECK_EQUAL(posix_memalign(&block, 2, 100), EINVAL);
    CHECK_EQUAL(posix_memalign(&block, 4096, huge - 4096), ENOMEM);
    free(NULL);
}

TEST(malloc_kinds, "every way to allocate gives usable memory, and all of it can be freed") {
    void *block[6] = {0};
    CHECK_EQUAL(posix_memalign(&block[0], 1024, 3000), 0);
    block[1] = aligned_alloc(65536, 100000);
    block[2] = calloc(100, 100);
    block[3] = malloc(0);
    block[4] = realloc(NULL, 50);
    block[5] = memalign(64, 64);
    CHECK((uintptr_t)block[0] % 1024 == 0 && (uintptr_t)block[1] % 65536 == 0);
    for (size_t i = 0; i < 6; i++) {
        CHECK(block[i] != NULL);
        memset(block[i], 1, malloc_usable_size(block[i]));
    }
    for (size_t i = 0; i < 6; i++) {
        free(block[i]);
    }
}

TEST(malloc_keeps, "under any frame limit every block keeps what was written") {
    static unsigned char *block[BLOCKS];
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = round; i < BLOCKS; i += round + 1) {
            size_t size = (i * 37 + round * 11) % 3000 + 1;
            block[i] = realloc(block[i], size);
            CHECK(block[i] != NULL);
            memset(block[i], (int)(i + round) & 0xff, size);
        }
        for (uint32_t i = round; i < BLOCKS; i += round + 1) {
            size_t size = (i * 37 + round * 11) % 3000 + 1;
            CHECK_EQUAL(block[i][0], (i + round) & 0xff);
            CHECK_EQUAL(block[i][size - 1], (i + round) & 0xff);
        }
    }
    for (uint32_t i = 0; i < BLOCKS; i++) {
        free(block[i]);
    }
}

TEST(malloc_returns, "what is freed goes back: neither frames nor disk hold it any longer") {
    struct pager_stats_out before = stats();
    char *large = malloc(2u << 20);
    CHECK(large != NULL);
    memset(large, 5, 2u << 20);
    __asm__ volatile("" : : "r"(large) : "memory");  // or the compiler leaves the memset out
    struct pager_stats_out full = stats();
    CHECK(full.resident + full.swapped >= before.resident + before.swapped + 300);
    free(large);
    struct pager_stats_out after = stats();
    CHECK(after.resident + after.swapped + 300 <= full.resident + full.swapped);
}

TEST(malloc_zeroed, "calloc gives zeros, also where freed blocks lay") {
    for (uint32_t round = 0; round < 3; round++) {
        for (size_t size = 8; size < 1u << 20; size *= 4) {
            unsigned char *block = calloc(1, size);
            CHECK(block != NULL);
            for (size_t at = 0; at < size; at += 7) {
                CHECK_EQUAL(block[at], 0);
            }
            memset(block, 0xff, size);
            free(block);
        }
    }
}
