// SPDX-License-Identifier: MIT
#include "timer.h"
#include "cpu.h"
#include "schedule.h"

#define PIT_HZ 1193182u
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define CALIBRATION_TICKS 597u  // 0.5 ms
#define CALIBRATIONS_MAX 20u
#define PIT_MAX 0xffffu
#define NEVER UINT64_MAX
#define FIRED_MAX 16u  // timers in one interrupt; if more are due, the next one comes at once

struct clock timer_clock;
static struct deadline *timers;          // active ones, earliest first
uint64_t timer_slice_deadline = NEVER;  // NEVER: no slice runs
static uint64_t programmed = NEVER;      // what the next interrupt comes for

// Channel 2 in mode 0 raises bit 5 of port 0x61 when it has counted down (Intel 8254).
BOOT_TEXT static uint32_t measure(void) {
    uint8_t gate = port_in8(PIT_GATE);
    port_out8(PIT_GATE, (uint8_t)((gate & ~2u) | 1u));
    port_out8(PIT_COMMAND, 0xb0);
    port_out8(PIT_CHANNEL2, CALIBRATION_TICKS & 0xff);
    port_out8(PIT_CHANNEL2, CALIBRATION_TICKS >> 8);
    uint64_t start = tsc_read();
    while (!(port_in8(PIT_GATE) & 0x20)) {
    }
    uint32_t ticks = (uint32_t)(tsc_read() - start);
    port_out8(PIT_GATE, gate);
    uint32_t rest;
    return (uint32_t)divide((uint64_t)ticks * PIT_HZ, CALIBRATION_TICKS * 1000, &rest);
}

// A busy host may stop the virtual machine in the middle of a measurement: what two in a row agree
// on is believed.
BOOT_TEXT static uint32_t calibrate(void) {
    uint32_t before = measure();
    for (uint32_t i = 0; i < CALIBRATIONS_MAX; i++) {
        uint32_t now = measure();
        if ((now > before ? now - before : before - now) <= before / 32) {
            return now;
        }
        before = now;
    }
    return before;
}

void timer_init(void) {
    uint32_t rest, khz = calibrate();
    timer_clock = (struct clock){tsc_read(), divide(1000000ull << 32, khz, &rest), khz};
}

// value * multiplier / divisor without losing the high bits of value
static __attribute__((noinline)) uint64_t scale(uint64_t value, uint32_t multiplier, uint32_t divisor) {
    uint32_t rest, unused;
    uint64_t quotient = divide(value, divisor, &rest);
    return quotient * multiplier + divide((uint64_t)rest * multiplier, divisor, &unused);
}

// The PIT counts at most 55 ms: later deadlines take several interrupts.
static void program(void) {
    uint64_t next = timers == NULL ? NEVER : timers->time;
    next = MIN_OF(next, timer_slice_deadline);
    if (next >= programmed) {
        return;  // an interrupt comes before, and looks again
    }
    programmed = next;
    uint64_t now = tsc_read();
    uint64_t ticks = next <= now ? 1 : scale(next - now, PIT_HZ / 1000, timer_tsc_khz()) + 1;
    uint32_t count = ticks > PIT_MAX ? PIT_MAX : (uint32_t)ticks;
    port_out8(PIT_COMMAND, 0x30);
    port_out8(PIT_CHANNEL0, (uint8_t)count);
    port_out8(PIT_CHANNEL0, (uint8_t)(count >> 8));
}

void timer_cancel(struct timer *timer) {
    if (timer->deadline.rank != 0) {
        deadline_remove(&timers, &timer->deadline);
    }
}

void timer_set(struct timer *timer, uint64_t ns, struct object *event, uint32_t bits) {
    timer_cancel(timer);
    timer->deadline.time = tsc_read() + scale(ns, timer_tsc_khz(), 1000000);
    timer->event = object_reference(event);
    timer->bits = bits;
    deadline_add(&timers, &timer->deadline);
    program();
}

void timer_slice_begin(uint64_t deadline) {
    timer_slice_deadline = MIN_OF(timer_slice_deadline, deadline);
    program();
}

void timer_interrupt(void) {
    uint64_t now = tsc_read();
    programmed = NEVER;
    for (uint32_t fired = 0; fired < FIRED_MAX && timers != NULL && timers->time <= now; fired++) {
        struct timer *timer = (struct timer *)timers;
        timer_cancel(timer);
        struct event *event = reference_body(timer->event);
        if (event != NULL) {
            event_signal(event, timer->bits);
        }
    }
    if (timer_slice_deadline <= now) {
        timer_slice_deadline = NEVER;
        schedule_slice_end();
    }
    program();
}
