// SPDX-License-Identifier: MIT
// Collects rounds and prints them, one line each:
//   bench NAME rounds R parts P median N p99 N overhead N
// Figures are of one part, rounded up; the overhead, of one round, is subtracted from them.
#include "measure.h"

uint32_t measure_begun, measure_passed;
static uint32_t samples[ROUNDS], count;
static uint32_t overhead = UINT32_MAX;

static void overhead_find(void) {
    for (uint32_t i = 0; i < 16; i++) {
        ASSEMBLY(BEGIN END, "i"(0));
        overhead = measure_passed < overhead ? measure_passed : overhead;
    }
}

void measure_row(void) {
    if (overhead == UINT32_MAX) {
        overhead_find();
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        samples[i] = 0;  // writes to every page of it, before it is measured
    }
    count = 0;
    __asm__ volatile(MARK_ROW : : : "memory");
}

void measure_store(void) {
    if (count < ROUNDS) {
        samples[count++] = measure_passed - overhead;
    }
}

void measure_add(void) {
    samples[count - 1] += measure_passed - overhead;
}

// Shell sort: short, and quick enough for a thousand.
static void sort(void) {
    for (uint32_t gap = ROUNDS / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < ROUNDS; i++) {
            uint32_t value = samples[i], at = i;
            for (; at >= gap && samples[at - gap] > value; at -= gap) {
                samples[at] = samples[at - gap];
            }
            samples[at] = value;
        }
    }
}

static uint32_t text_add(char *line, uint32_t at, const char *text) {
    while (*text != 0) {
        line[at++] = *text++;
    }
    return at;
}

static uint32_t number_add(char *line, uint32_t at, const char *before, uint32_t value) {
    char digits[10];
    uint32_t length = 0;
    at = text_add(line, at, before);
    do {
        digits[length++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (length > 0) {
        line[at++] = digits[--length];
    }
    return at;
}

void measure_print(const char *name, uint32_t parts) {
    CHECK_EQUAL(count, ROUNDS);
    sort();
    char line[128];
    uint32_t at = text_add(line, 0, "bench ");
    at = text_add(line, at, name);
    at = number_add(line, at, " rounds ", ROUNDS);
    at = number_add(line, at, " parts ", parts);
    at = number_add(line, at, " median ", (samples[ROUNDS / 2] + parts - 1) / parts);
    at = number_add(line, at, " p99 ", (samples[ROUNDS - 1 - ROUNDS / 100] + parts - 1) / parts);
    at = number_add(line, at, " overhead ", overhead);
    line[at++] = '\n';
    test_print(line, at);
}
