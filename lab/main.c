// SPDX-License-Identifier: MIT
// quire-lab: the host's tools in one program, each a command. Knows none of them: lab.h lists them.
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int count, char **argument);
    const char *text;
} commands[] = {
    {"sim", sim_main, "replay page-reference traces under the pager's policies, count misses"},
    {"convert", convert_main, "write a trace of any format in our own"},
    {"merge", merge_main, "put the parts of a run of sim --jobs-file together"},
    {"rates", sim_rates_main, "measure the simulator's speed under each policy"},
    {"scores", sim_scores_main, "compare all policies' misses with those of a file, or rewrite it"},
    {"record", record_main, "run a Linux program and record which pages it uses"},
    {"seen", seen_main, "replay references with what the pager would see of them"},
    {"replay", replay_main, "decide again what the pager decided in a trace, compare the victims"},
    {"curve", curve_main, "draw miss ratios over frames, a line for each policy, MIN as the floor"},
    {"step", step_main, "show a policy at work on a few references, with reasons"},
    {"policies", sim_policies_main, "list the policies and their parameters"},
    {"trace", trace_main, "print a trace: text, summary, requests without a reply, time line"},
    {"dissector", dissector_main, "print the dissector of traces for Wireshark and tshark"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *to) {
    fputs("usage: quire-lab COMMAND ...; COMMAND --help says more\n", to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].text);
    }
    fputs("In booted systems, each as `./quire lab COMMAND`:\n"
          "  matrix    policies against workloads in several amounts of memory\n"
          "  fidelity  what the pager cannot see, and what that costs each policy\n"
          "  reproduce the published tables again: is every row the same?\n", to);
}

static int run(int count, char **argument) {
    if (count < 2) {
        print_usage(stderr);
        return 2;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argument[1], commands[i].name) == 0) {
            return commands[i].run(count - 1, argument + 1);
        }
    }
    if (strcmp(argument[1], "help") == 0 || strcmp(argument[1], "--help") == 0 ||
        strcmp(argument[1], "-h") == 0) {
        print_usage(stdout);
        return 0;
    }
    fprintf(stderr, "quire-lab: unknown command '%s'; the commands are:", argument[1]);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(stderr, " %s", commands[i].name);
    }
    fputc('\n', stderr);
    return 2;
}

int main(int count, char **argument) {
    int status = run(count, argument);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "quire-lab: cannot write the results: %s\n", strerror(errno));
        return 2;
    }
    return status;
}
