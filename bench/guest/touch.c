// SPDX-License-Identifier: MIT
// A program in the booted system: what the first touch of a page costs through the real pager. The
// kernel zeroes frames for the pager many at a time, so that most touches zero nothing; what zeroing
// costs shows in the mean of as many touches as the pager takes frames at once.
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "measure.h"

enum { PAGE = 4096, GROUP = 64 };

static char *page;

// The runner's main() is next.
__attribute__((constructor)) static void first_line(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    printf("first line at %" PRIu64 "\n", (uint64_t)high << 32 | low);
}

// Memory that nothing is known of: each page faults once.
static void memory_take(size_t pages) {
    page = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
}

TEST(fault_real, "the first touch of a page, its frame zeroed before") {
    memory_take(ROUNDS);
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++, page += PAGE) {
        MEASURE("mov %0, %%eax\n\tmovl $1, (%%eax)\n\t", "m"(page));
    }
    measure_print("fault_real", 1);
    CHECK_EQUAL(munmap(page - ROUNDS * PAGE, ROUNDS * PAGE), 0);
}

TEST(fault_zeroed, "the first touch of 64 pages, zeroing included, per page") {
    measure_row();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        memory_take(GROUP);
        MEASURE("mov %0, %%eax\n\tmov %1, %%ecx\n"
                "1:\n\tmovl $1, (%%eax)\n\tadd $4096, %%eax\n\tdec %%ecx\n\tjnz 1b\n\t",
                "m"(page), "i"(GROUP));
        CHECK_EQUAL(munmap(page, GROUP * PAGE), 0);
    }
    measure_print("fault_zeroed", GROUP);
}
