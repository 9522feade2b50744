// SPDX-License-Identifier: MIT
// rogue KIND [N]: a program that asks for more than is its due, for tests that others go on. Its
// status is the number of the error that it was answered with, so 0 means that it had its way.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stubs.h"

#define INIT HANDLE(SLOT_INIT)
#define TABLE_BYTES 0x200000u  // one page table maps so much
#define STATUS_USAGE 255

static error_t rogue_off(uint32_t status) {
    return init_off(INIT, status);
}
static error_t rogue_frames(uint32_t frames) {
    return init_frames(INIT, frames, name_of(""));
}
static error_t rogue_policy(uint32_t unused) {
    (void)unused;
    return init_policy(INIT, text_of("clock"));
}
static error_t rogue_kill(uint32_t task) {
    return init_kill(INIT, task);
}
static error_t rogue_wait(uint32_t task) {
    struct init_wait_out out;
    return init_wait(INIT, task, &out);
}
static error_t rogue_check(uint32_t unused) {
    (void)unused;
    struct pager_check_out out;
    return pager_check(HANDLE(SLOT_PAGER), &out);
}
static error_t rogue_trace(uint32_t on) {
    struct init_trace_out out;
    return init_trace(INIT, on, &out);
}
static error_t rogue_control(uint32_t on) {
    struct tracer_control_out out;
    return tracer_control(HANDLE(SLOT_TRACER), on, &out);
}
static error_t rogue_forget(uint32_t task) {
    return tracer_forget(HANDLE(SLOT_TRACER), task);
}

// Touch a page of each of `count` page tables.
static error_t rogue_sparse(uint32_t count) {
    struct pager_map_out out;
    error_t error = pager_map(HANDLE(SLOT_PAGER), 0, count * TABLE_BYTES, MAP_READ | MAP_WRITE,
                              &out);
    for (uint32_t i = 0; i < count && error == OK; i++) {
        *(volatile uint32_t *)(out.address + i * TABLE_BYTES) = i;
    }
    return error;
}

// As many of itself as it may start, which do the same; says when it was refused, then it stays.
static error_t rogue_bomb(uint32_t unused) {
    (void)unused;
    struct init_spawn_out child = {0};
    struct init_wait_out out;
    uint32_t last = 0;
    while (init_spawn(INIT, text_of("rogue bomb"), &child) == OK) {
        last = child.task;
    }
    puts("rogue: no more of these");
    fflush(stdout);
    error_t error = OK;
    while (error == OK || error == E_NOT_FOUND) {  // the last one ended, or there was none
        error = init_wait(INIT, last, &out);
    }
    return error;
}

// Print, or wait for the trace, for ever.
static error_t rogue_print(uint32_t unused) {
    (void)unused;
    field_text text = {.length = TEXT_BYTES};
    memset(text.bytes, '#', TEXT_BYTES);
    text.bytes[TEXT_BYTES - 1] = '\n';
    error_t error = OK;
    while (error == OK) {
        error = console_write(HANDLE(SLOT_CONSOLE), text);
    }
    return error;
}
static error_t rogue_flush(uint32_t unused) {
    (void)unused;
    struct tracer_flush_out out;
    error_t error = OK;
    while (error == OK) {
        error = tracer_flush(HANDLE(SLOT_TRACER), &out);
    }
    return error;
}

// Work for ever: by itself, by the console, by the pager.
static error_t rogue_spin(uint32_t unused) {
    (void)unused;
    volatile error_t error = OK;
    while (error == OK) {
    }
    return error;
}
static error_t rogue_say(uint32_t unused) {
    (void)unused;
    error_t error = OK;
    while (error == OK) {
        error = console_write(HANDLE(SLOT_CONSOLE), (field_text){0});
    }
    return error;
}
static error_t rogue_fault(uint32_t unused) {
    (void)unused;
    enum { PAGES = 16 };
    struct pager_map_out out;
    error_t error = OK;
    while (error == OK) {
        error = pager_map(HANDLE(SLOT_PAGER), 0, PAGES * PAGE_SIZE, MAP_READ | MAP_WRITE, &out);
        for (uint32_t i = 0; i < PAGES && error == OK; i++) {
            *(volatile uint32_t *)(out.address + i * PAGE_SIZE) = i;
        }
        error = error == OK ? pager_unmap(HANDLE(SLOT_PAGER), out.address, PAGES * PAGE_SIZE)
                            : error;
    }
    return error;
}

static const struct kind {
    const char *name;
    error_t (*run)(uint32_t number);
} kinds[] = {
    {"off", rogue_off},       {"frames", rogue_frames}, {"policy", rogue_policy},
    {"kill", rogue_kill},     {"wait", rogue_wait},     {"check", rogue_check},
    {"forget", rogue_forget}, {"sparse", rogue_sparse}, {"bomb", rogue_bomb},
    {"print", rogue_print},   {"flush", rogue_flush},   {"spin", rogue_spin},
    {"say", rogue_say},       {"fault", rogue_fault},   {"trace", rogue_trace},
    {"control", rogue_control},
};

int main(int count, char **argument) {
    uint32_t number = count > 2 ? (uint32_t)strtoul(argument[2], NULL, 10) : 0;
    for (size_t i = 0; count > 1 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(argument[1], kinds[i].name) == 0) {
            return (int)kinds[i].run(number);
        }
    }
    fprintf(stderr, "usage: rogue KIND [N], one of:");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fprintf(stderr, " %s", kinds[i].name);
    }
    fprintf(stderr, "\n");
    return STATUS_USAGE;
}
