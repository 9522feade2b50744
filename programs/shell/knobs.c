// SPDX-License-Identifier: MIT
// Commands that show and turn the system's knobs: the pager's counters, policy and frame limit,
// the tracer, the machine.
#include "shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

static void print_limit(uint32_t limit) {
    if (limit == 0 || limit == UINT32_MAX) {
        printf("none\n");
    } else {
        printf("%" PRIu32 " frames\n", limit);
    }
}

int shell_stats(int count, char **word) {
    struct pager_stats_out s;
    uint32_t task = 0;
    if (count > 2 || (count == 2 && !shell_number(word[1], &task))) {
        return shell_usage("stats [TASK] (a number that 'tasks' shows; without: sums over all)");
    }
    error_t error = pager_stats(HANDLE(SLOT_PAGER), task, &s);
    if (error != OK) {
        return shell_report(count == 2 ? word[1] : "pager", error);
    }
    printf("policy %.32s, limit ", s.policy.bytes);
    print_limit(s.limit);
    printf("%10" PRIu32 " faults\n%10" PRIu32 " evictions\n%10" PRIu32 " pages written\n"
           "%10" PRIu32 " pages read\n%10" PRIu32 " pages zeroed\n%10" PRIu32 " pages copied\n"
           "%10" PRIu32 " resident\n%10" PRIu32 " in the store\n%10" PRIu32 " scans\n"
           "%10" PRIu32 " policy violations\n",
           s.faults, s.evictions, s.written, s.read, s.zeroed, s.copied, s.resident, s.swapped,
           s.scans, s.violations);
    return 0;
}

// Of the programs that run: what the pager counts with where it differs from the general settings.
static void print_special(const struct pager_stats_out *general, int policies) {
    struct init_task_info_out task;
    struct pager_stats_out own;
    for (uint32_t i = 0; init_task_info(HANDLE(SLOT_INIT), i, &task) == OK; i++) {
        if (pager_stats(HANDLE(SLOT_PAGER), task.task, &own) != OK) {
            continue;  // a server, or ended
        }
        if (policies && strncmp(own.policy.bytes, general->policy.bytes, NAME_BYTES) != 0) {
            printf("[%" PRIu32 "] %.32s: %.32s\n", task.task, task.name.bytes, own.policy.bytes);
        } else if (!policies && own.limit != general->limit) {
            printf("[%" PRIu32 "] %.32s: ", task.task, task.name.bytes);
            print_limit(own.limit);
        }
    }
}

static int show_general(int policies) {
    struct pager_stats_out stats;
    error_t error = pager_stats(HANDLE(SLOT_PAGER), 0, &stats);
    if (error != OK) {
        return shell_report("pager", error);
    }
    if (policies) {
        printf("%.32s\n", stats.policy.bytes);
    } else {
        print_limit(stats.limit);
    }
    print_special(&stats, policies);
    return 0;
}

int shell_policy(int count, char **word) {
    if (count == 1) {
        return show_general(1);
    }
    if (count != 2) {
        return shell_usage("policy [[PROGRAM/|TASK/]NAME[:PARAMETER=NUMBER]...]");
    }
    error_t error = init_policy(HANDLE(SLOT_INIT), text_of(word[1]));
    if (error == E_NOT_FOUND) {
        printf(strchr(word[1], '/') == NULL
                   ? "the pager has no policy '%s'; ./quire run --help lists them\n"
                   : "'%s' names no program or task that there is, or no policy\n", word[1]);
        return 1;
    }
    if (error == E_ARGUMENT) {
        printf("'%s' gives a parameter that this policy has not, or a value out of its bounds; "
               "docs/policies.md lists them\n", word[1]);
        return 1;
    }
    return shell_report(word[1], error);
}

// "N", "PROGRAM/N" or "TASK/N".
int shell_frames(int count, char **word) {
    uint32_t frames;
    if (count == 1) {
        return show_general(0);
    }
    char *number = strchr(word[1], '/');
    const char *domains = number == NULL ? "" : word[1];
    if (number == NULL) {
        number = word[1];
    } else {
        *number++ = 0;
    }
    if (count != 2 || !shell_number(number, &frames) || strlen(domains) >= NAME_BYTES ||
        (number != word[1] && domains[0] == 0)) {
        return shell_usage("frames [[PROGRAM/|TASK/]N] (frames that each may hold; 0: no limit)");
    }
    error_t error = init_frames(HANDLE(SLOT_INIT), frames, name_of(domains));
    if (error == E_NOT_FOUND) {
        printf("'%s' is no program or task that there is\n", domains);
        return 1;
    }
    return shell_report(number, error);
}

int shell_trace(int count, char **word) {
    struct init_trace_out out;
    bool on = count == 2 && strcmp(word[1], "on") == 0;
    if (!on && (count != 2 || strcmp(word[1], "off") != 0)) {
        return shell_usage("trace on|off");
    }
    error_t error = init_trace(HANDLE(SLOT_INIT), on, &out);
    if (error == E_HANDLE) {
        printf("trace: no tracer runs; boot with a trace device (./quire run --trace FILE)\n");
        return 1;
    }
    return shell_report("trace", error);
}

int shell_memory(int count, char **word) {
    struct init_boot_info_out info;
    struct pager_stats_out stats;
    (void)count;
    (void)word;
    error_t error = init_boot_info(HANDLE(SLOT_INIT), &info);
    if (error == OK) {
        error = pager_stats(HANDLE(SLOT_PAGER), 0, &stats);
    }
    if (error == OK) {
        printf("%10" PRIu32 " frames of 4 KiB in the machine\n"
               "%10" PRIu32 " free when the system started\n"
               "%10" PRIu32 " hold pages of programs\n%10" PRIu32 " pages are in the store\n",
               info.frames_total, info.frames_free, stats.resident, stats.swapped);
    }
    return shell_report("memory", error);
}

int shell_uptime(int count, char **word) {
    (void)count;
    (void)word;
    uint64_t milliseconds = clock_now_ns() / 1000000;
    printf("%" PRIu64 ".%03" PRIu64 " s since the system started\n", milliseconds / 1000,
           milliseconds % 1000);
    return 0;
}
