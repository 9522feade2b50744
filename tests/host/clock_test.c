// SPDX-License-Identifier: MIT
// The clock's arithmetic, as programs do it, against wide integers.
#include "clock_page.h"
#include "kernel_host.h"

__extension__ typedef unsigned __int128 wide;

static const uint32_t khz[] = {1, 3906, 14318, 999999, 1000000, 1000001, 2399987, 5000000, UINT32_MAX};

static uint64_t scale_of(uint32_t ticks_per_ms) {
    return (1000000ull << 32) / ticks_per_ms;
}

TEST(clock_exact, "ticks become nanoseconds as exactly as the scale says, at every rate and size") {
    uint32_t state = 3;
    for (uint32_t i = 0; i < ARRAY_LENGTH(khz); i++) {
        uint64_t scale = scale_of(khz[i]);
        CHECK_EQUAL(clock_scale(scale, 0), 0);
        CHECK_EQUAL(clock_scale(scale, 1), scale >> 32);
        for (uint32_t bit = 0; bit < 64; bit++) {
            for (uint32_t round = 0; round < 100; round++) {
                uint64_t ticks = ((uint64_t)roll(&state) << 42 ^ (uint64_t)roll(&state) << 21 ^
                                  roll(&state)) >> bit;
                CHECK(clock_scale(scale, ticks) == (uint64_t)((wide)ticks * scale >> 32));
                CHECK(clock_scale(scale, ticks + 1) >= clock_scale(scale, ticks) ||
                      (wide)(ticks + 1) * scale >> 96 != 0);
            }
        }
    }
}

// The scale's last bit is lost at each tick, and that is all; nothing wraps on the way.
static void after(uint32_t ticks_per_ms, uint64_t ms) {
    uint64_t ticks = ms * ticks_per_ms, ns = clock_scale(scale_of(ticks_per_ms), ticks);
    CHECK(ns <= ms * 1000000);
    CHECK(ms * 1000000 - ns <= (ticks >> 32) + 1);
}

TEST(clock_centuries, "time is right until 64 bits of nanoseconds, or of ticks, are full") {
    const uint64_t hour = 3600000, year = 31556952000;  // ms
    for (uint32_t i = 0; i < ARRAY_LENGTH(khz); i++) {
        after(khz[i], hour);
        after(khz[i], MIN_OF(584 * year, UINT64_MAX / khz[i]));
    }
    after(5000000, 116 * year);
    CHECK_EQUAL(clock_scale(scale_of(1000000), 123456789012345), 123456789012345);
}
