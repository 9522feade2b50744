// SPDX-License-Identifier: MIT
// The shell: reads lines from the console, runs programs, and shows and turns the system's knobs
// (the commands' parts are in shell/). It has no rights beyond those of any program: all it does
// is a message to init, the pager, the console or the tracer. Ends with the status of its last
// command.
#include "shell/shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "quire> "
#define WORDS_MAX 32

struct command {
    const char *name;
    const char *arguments;
    const char *help;
    int (*run)(int count, char **word);
};

static int last_status;

static int command_echo(int count, char **word) {
    field_text text = shell_text(count - 1, word + 1);
    printf("%.*s\n", (int)text.length, text.bytes);
    return 0;
}

static int command_status(int count, char **word) {
    (void)count;
    (void)word;
    printf("%d\n", last_status);
    return 0;
}

// The status that off and exit are to end with.
static bool end_status(int count, char **word, uint32_t *status) {
    *status = (uint32_t)last_status;
    return count == 1 || (count == 2 && shell_number(word[1], status));
}

static int command_off(int count, char **word) {
    uint32_t status;
    if (!end_status(count, word, &status)) {
        return shell_usage("off [STATUS]");
    }
    fflush(stdout);
    return shell_report("off", init_off(HANDLE(SLOT_INIT), status));
}

static int command_exit(int count, char **word) {
    uint32_t status;
    if (!end_status(count, word, &status)) {
        return shell_usage("exit [STATUS]");
    }
    exit((int)status);
}

// ---- the table -------------------------------------------------------------------------------
static int command_help(int count, char **word);

static const struct command commands[] = {
    {"help", "", "this list", command_help},
    {"programs", "", "programs that can be run", shell_programs},
    {"tasks", "", "servers and programs: state, CPU time, pages", shell_tasks},
    {"wait", "[TASK]", "wait for a program in the background, or for all", shell_wait},
    {"kill", "TASK", "end a program", shell_kill},
    {"time", "COMMAND...", "run a command, then show its time and paging", shell_time},
    {"stats", "[TASK]", "counters of the pager, of one program or of all", shell_stats},
    {"policy", "[NAME]", "show or replace the policy (or one with parameters: arc:p=8), live",
     shell_policy},
    {"frames", "[N]", "show or set how many frames each program may hold", shell_frames},
    {"trace", "on|off", "start or stop recording messages and faults", shell_trace},
    {"memory", "", "frames of the machine and what they hold", shell_memory},
    {"uptime", "", "time since the system started", shell_uptime},
    {"echo", "[WORD...]", "print the words", command_echo},
    {"status", "", "exit status of the last command", command_status},
    {"off", "[STATUS]", "end the system", command_off},
    {"exit", "[STATUS]", "end this shell", command_exit},
};

static int command_help(int count, char **word) {
    (void)count;
    (void)word;
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        printf("  %-9s %-11s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
    }
    printf("  NAME [ARGUMENT...]    run the program NAME; with & at the end in the background\n");
    return 0;
}

int shell_run(int count, char **word) {
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(word[0], commands[i].name) == 0) {
            return commands[i].run(count, word);
        }
    }
    return shell_program(count, word);
}

// Splits the line in place; # begins a comment. A lone & at the end, or one that ends the last
// word, says background.
static void run_line(char *line) {
    char *word[WORDS_MAX + 1];
    int count = 0;
    line[strcspn(line, "#")] = 0;
    for (char *at = strtok(line, " \n"); at != NULL; at = strtok(NULL, " \n")) {
        if (count == WORDS_MAX) {
            printf("more than %d words on a line\n", WORDS_MAX);
            last_status = STATUS_USAGE;
            return;
        }
        word[count++] = at;
    }
    if (count == 0) {
        return;
    }
    size_t length = strlen(word[count - 1]);
    bool background = word[count - 1][length - 1] == '&';
    if (background) {
        word[count - 1][length - 1] = 0;
        count -= length == 1;
    }
    if (background && count == 0) {
        last_status = shell_usage("NAME [ARGUMENT...] &");
        return;
    }
    last_status = background ? shell_background(count, word) : shell_run(count, word);
}

int main(void) {
    field_text prompt = shell_text(1, (char *[]){(char[]){PROMPT}});
    for (;;) {
        struct console_read_line_out in;
        char line[TEXT_BYTES + 1];
        fflush(stdout);
        error_t error = console_read_line(HANDLE(SLOT_CONSOLE), prompt, &in);
        if (error != OK) {
            printf("shell: cannot read a line: %s\n", error_text(error));
            return 1;
        }
        if (in.line.length == 0 || in.line.length > TEXT_BYTES) {
            return last_status;
        }
        memcpy(line, in.line.bytes, in.line.length);
        line[in.line.length] = 0;
        run_line(line);
    }
}
