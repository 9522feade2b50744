// SPDX-License-Identifier: MIT
// Time is what the clock page makes of the time stamp counter, without a message. The machine's
// calendar clock is not read: every clock counts from the start of the machine.
#include "linux.h"

#include <errno.h>

#include "clock.h"

#define NS_PER_SECOND 1000000000u
#define ABSOLUTE 1u  // TIMER_ABSTIME

struct time_short {
    int32_t seconds, ns;
};
struct time_long {
    int64_t seconds, ns;
};

long linux_time(const struct linux_call *call) {
    long seconds = (long)(clock_now_ns() / NS_PER_SECOND);
    if (call->argument[0] != 0) {
        *(long *)call->argument[0] = seconds;
    }
    return seconds;
}

long linux_time_of_day(const struct linux_call *call) {
    uint64_t ns = clock_now_ns();
    struct time_short *time = (struct time_short *)call->argument[0];
    *time = (struct time_short){(int32_t)(ns / NS_PER_SECOND),
                                (int32_t)(ns % NS_PER_SECOND / 1000)};  // here: microseconds
    return 0;
}

long linux_clock(const struct linux_call *call) {
    uint64_t ns = clock_now_ns();
    *(struct time_short *)call->argument[1] =
        (struct time_short){(int32_t)(ns / NS_PER_SECOND), (int32_t)(ns % NS_PER_SECOND)};
    return 0;
}

long linux_clock_long(const struct linux_call *call) {
    uint64_t ns = clock_now_ns();
    *(struct time_long *)call->argument[1] =
        (struct time_long){(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
    return 0;
}

long linux_clock_resolution(const struct linux_call *call) {
    if (call->argument[1] != 0) {
        *(struct time_short *)call->argument[1] = (struct time_short){0, 1};
    }
    return 0;
}

long linux_clock_resolution_long(const struct linux_call *call) {
    if (call->argument[1] != 0) {
        *(struct time_long *)call->argument[1] = (struct time_long){0, 1};
    }
    return 0;
}

// Programs have no timer of their own: they wait by watching the clock, and the kernel's turns let
// others run meanwhile.
static void wait_until(uint64_t end) {
    while (clock_now_ns() < end) {
        __builtin_ia32_pause();
    }
}

long linux_sleep(const struct linux_call *call) {
    const struct time_short *time = (const struct time_short *)call->argument[0];
    if (time->seconds < 0 || (uint32_t)time->ns >= NS_PER_SECOND) {
        return -EINVAL;
    }
    wait_until(clock_now_ns() + (uint64_t)time->seconds * NS_PER_SECOND + (uint32_t)time->ns);
    return 0;
}

long linux_sleep_long(const struct linux_call *call) {
    const struct time_long *time = (const struct time_long *)call->argument[2];
    if (time->seconds < 0 || (uint64_t)time->ns >= NS_PER_SECOND) {
        return -EINVAL;
    }
    uint64_t end = (uint64_t)time->seconds * NS_PER_SECOND + (uint64_t)time->ns;
    wait_until(call->argument[1] & ABSOLUTE ? end : clock_now_ns() + end);
    return 0;
}
