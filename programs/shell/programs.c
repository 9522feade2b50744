// SPDX-License-Identifier: MIT
// Commands that start, watch and end programs. What runs is known to init; the shell only keeps
// the numbers of the tasks that it started in the background.
#include "shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

#define JOBS_MAX 32u
#define STATUS_UNKNOWN 127

static struct {
    uint32_t task;
    char name[NAME_BYTES];
} job[JOBS_MAX];  // started in the background, and nobody has waited for them
static uint32_t job_count;

static int wait_for(uint32_t task, const char *name) {
    static const char *const how[] = {"ended", "was ended by a fault", "was killed"};
    struct init_wait_out out;
    error_t error = init_wait(HANDLE(SLOT_INIT), task, &out);
    if (error != OK) {
        return shell_report(name, error);
    }
    if (out.cause != CAUSE_EXIT && out.cause < ARRAY_LENGTH(how)) {
        printf("%s (task %" PRIu32 ") %s\n", name, task, how[out.cause]);
        return out.status != 0 ? (int)out.status : 1;
    }
    return (int)out.status;
}

static int spawn(int count, char **word, uint32_t *task) {
    struct init_spawn_out out = {0};
    error_t error = init_spawn(HANDLE(SLOT_INIT), shell_text(count, word), &out);
    *task = out.task;
    if (error == E_NOT_FOUND) {
        printf("no program or command '%s'; try: help\n", word[0]);
        return STATUS_UNKNOWN;
    }
    if (error == E_FORMAT) {
        printf("%s: not a program, or a damaged one; try: programs\n", word[0]);
        return STATUS_UNKNOWN;
    }
    return shell_report(word[0], error);
}

int shell_program(int count, char **word) {
    uint32_t task;
    int status = spawn(count, word, &task);
    return status != 0 ? status : wait_for(task, word[0]);
}

int shell_background(int count, char **word) {
    uint32_t task;
    if (job_count == JOBS_MAX) {
        printf("%u programs run in the background already; try: wait\n", JOBS_MAX);
        return 1;
    }
    int status = spawn(count, word, &task);
    if (status == 0) {
        job[job_count].task = task;
        snprintf(job[job_count++].name, NAME_BYTES, "%s", word[0]);
        printf("[%" PRIu32 "] %s\n", task, word[0]);
    }
    return status;
}

// Wait for one of the jobs and take it off the list.
static int job_wait(uint32_t index) {
    int status = wait_for(job[index].task, job[index].name);
    printf("[%" PRIu32 "] %s has ended with status %d\n", job[index].task, job[index].name, status);
    job_count--;
    memmove(&job[index], &job[index + 1], (job_count - index) * sizeof job[0]);
    return status;
}

int shell_wait(int count, char **word) {
    uint32_t task = 0;
    if (count > 2 || (count == 2 && !shell_number(word[1], &task))) {
        return shell_usage("wait [TASK]");
    }
    if (count == 1) {
        int status = 0;
        while (job_count > 0) {
            status = job_wait(0);
        }
        return status;
    }
    for (uint32_t i = 0; i < job_count; i++) {
        if (job[i].task == task) {
            return job_wait(i);
        }
    }
    return wait_for(task, word[1]);
}

int shell_kill(int count, char **word) {
    uint32_t task;
    if (count != 2 || !shell_number(word[1], &task)) {
        return shell_usage("kill TASK (a number that 'tasks' shows)");
    }
    return shell_report(word[1], init_kill(HANDLE(SLOT_INIT), task));
}

// Boot modules whose files the pager has and that begin as an ELF file does are programs.
static bool is_program(field_name name) {
    struct pager_file_open_out file;
    struct pager_file_map_out map;
    if (pager_file_open(HANDLE(SLOT_PAGER), name, &file) != OK || file.length < PAGE_SIZE ||
        pager_file_map(HANDLE(SLOT_PAGER), 0, PAGE_SIZE, MAP_READ, file.file, 0, &map) != OK) {
        return false;
    }
    bool program = memcmp((const char *)map.address, "\177ELF", 4) == 0;
    return pager_unmap(HANDLE(SLOT_PAGER), map.address, PAGE_SIZE) == OK && program;
}

int shell_programs(int count, char **word) {
    (void)count;
    (void)word;
    struct init_module_info_out module;
    for (uint32_t i = 0; init_module_info(HANDLE(SLOT_INIT), i, &module) == OK; i++) {
        if (is_program(module.name)) {
            printf("%-16.32s %8" PRIu32 " bytes\n", module.name.bytes, module.length);
        }
    }
    return 0;
}

int shell_tasks(int count, char **word) {
    static const char *const states[] = {"new", "alive", "dead"};
    struct init_task_info_out task;
    (void)count;
    (void)word;
    printf("%5s  %-16s %-6s %12s %12s %5s %8s\n", "task", "name", "state", "CPU us", "billed us",
           "share", "pages");
    for (uint32_t i = 0; init_task_info(HANDLE(SLOT_INIT), i, &task) == OK; i++) {
        uint64_t cycles = (uint64_t)task.cycles_high << 32 | task.cycles_low;
        uint64_t billed = (uint64_t)task.billed_high << 32 | task.billed_low;
        printf("%5" PRIu32 "  %-16.32s %-6s %12" PRIu64 " %12" PRIu64 " %5" PRIu32 " %8" PRIu32 "\n",
               task.task, task.name.bytes,
               task.state < ARRAY_LENGTH(states) ? states[task.state] : "?",
               clock_ticks_ns(cycles) / 1000, clock_ticks_ns(billed) / 1000, task.share,
               task.mapped);
    }
    return 0;
}

// Run the rest of the line, then say how long it took and what paging it caused.
int shell_time(int count, char **word) {
    struct pager_stats_out before, after;
    if (count < 2) {
        return shell_usage("time COMMAND [ARGUMENT...]");
    }
    error_t error = pager_stats(HANDLE(SLOT_PAGER), 0, &before);
    uint64_t begin = clock_ticks();
    int status = shell_run(count - 1, word + 1);
    uint64_t spent = clock_ticks() - begin;
    if (error != OK || (error = pager_stats(HANDLE(SLOT_PAGER), 0, &after)) != OK) {
        return shell_report("pager", error);
    }
    printf("time: %" PRIu64 " us, %" PRIu64 " ticks, %" PRIu32 " faults, %" PRIu32
           " evictions, %" PRIu32 " pages written, %" PRIu32 " read\n",
           clock_ticks_ns(spent) / 1000, spent, after.faults - before.faults,
           after.evictions - before.evictions, after.written - before.written,
           after.read - before.read);
    return status;
}
