// SPDX-License-Identifier: MIT
// contest MS PROGRAM:ARGUMENT...: starts the programs side by side, and says after so many
// milliseconds how much CPU time each used itself and how much it was billed, servers' work for it
// included. Then it ends them; the status is 1 if that was refused.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stubs.h"

#define INIT HANDLE(SLOT_INIT)
#define RIVALS_MAX 8

static uint32_t start(const char *rival) {
    struct init_spawn_out out = {0};
    field_text line = {.length = (uint32_t)strlen(rival)};
    if (line.length < TEXT_BYTES) {
        memcpy(line.bytes, rival, line.length);
    }
    for (uint32_t i = 0; i < line.length && i < TEXT_BYTES; i++) {
        line.bytes[i] = line.bytes[i] == ':' ? ' ' : line.bytes[i];
    }
    error_t error = init_spawn(INIT, line, &out);
    if (error != OK) {
        printf("contest: %s: %s\n", rival, error_text(error));
    }
    return out.task;
}

static struct init_task_info_out task_of(uint32_t number) {
    struct init_task_info_out info;
    for (uint32_t i = 0; init_task_info(INIT, i, &info) == OK; i++) {
        if (info.task == number) {
            return info;
        }
    }
    return (struct init_task_info_out){0};
}

static void tell(uint32_t number) {
    struct init_task_info_out info = task_of(number);
    printf("contest: %.32s ran=%" PRIu64 " billed=%" PRIu64 " share=%" PRIu32 "\n", info.name.bytes,
           (uint64_t)info.cycles_high << 32 | info.cycles_low,
           (uint64_t)info.billed_high << 32 | info.billed_low, info.share);
}

int main(int count, char **argument) {
    uint32_t task[RIVALS_MAX];
    int rivals = count - 2, status = 0;
    if (rivals < 1 || rivals > RIVALS_MAX) {
        printf("contest MS PROGRAM:ARGUMENT... (up to %d)\n", RIVALS_MAX);
        return 2;
    }
    for (int i = 0; i < rivals; i++) {
        task[i] = start(argument[i + 2]);
    }
    long ms = strtol(argument[1], NULL, 10);
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    for (int i = 0; i < rivals; i++) {
        tell(task[i]);
    }
    for (int i = 0; i < rivals; i++) {
        status |= init_kill(INIT, task[i]) != OK;
    }
    return status;
}
