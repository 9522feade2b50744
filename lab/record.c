// SPDX-License-Identifier: MIT
// The command record: runs a Linux program under QEMU's user-mode emulation with the plugin pages.c,
// and writes the pages that it used as a trace of our own format, with write bits. The program's exit
// status is the command's.
#include "lab.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format.h"
#include "options.h"
#include "output.h"
#include "plugin/pages.h"

#define refuse(...) options_refuse("record", FAILED, __VA_ARGS__)

static const char usage[] =
    "usage: quire-lab record [-o FILE] [--filter N] [--] PROGRAM [ARGUMENT...]\n"
    "\n"
    "Runs a Linux program (i386 or x86-64) and records which pages it uses: instructions, reads and\n"
    "writes of 4 KiB pages, as a trace that `quire-lab sim` reads.\n"
    "  -o FILE      where to (default: PROGRAM.trace in this folder; -: standard output)\n"
    "  --filter N   leave out what is among the last N different pages of a thread (1 to 256,\n"
    "               default 16); counts for much more than N frames hardly change\n"
    "  --read FILE  runs nothing: turns what the plugin wrote to FILE into a trace\n"
    "The exit status is the program's, or 125 if it could not be recorded.\n";

enum { FAILED = 125, COMMAND_MAX = 512 };

struct job {
    const char *out, *filter, *read;
    char **program;  // ends with NULL
    int arguments;   // the program's name included
    char found[4096], plugin[4096];
    const char *emulator;
};

// ---- the program -----------------------------------------------------------------------------

static bool found_at(struct job *job, const char *folder, size_t length) {
    int size = snprintf(job->found, sizeof job->found, "%.*s/%s", (int)length, folder,
                        job->program[0]);
    return size > 0 && (size_t)size < sizeof job->found && access(job->found, X_OK) == 0;
}

// As a shell finds it.
static void program_find(struct job *job) {
    const char *name = job->program[0], *path = getenv("PATH");
    if (strchr(name, '/') != NULL) {
        snprintf(job->found, sizeof job->found, "%s", name);
        return;
    }
    for (const char *at = path == NULL ? "/bin:/usr/bin" : path; *at != 0;) {
        size_t length = strcspn(at, ":");
        if (length > 0 && found_at(job, at, length)) {
            return;
        }
        at += length + (at[length] == ':');
    }
    refuse("there is no program '%s'", name);
}

// By the ELF header: class, machine.
static void emulator_choose(struct job *job) {
    unsigned char head[20] = {0};
    FILE *file = fopen(job->found, "rb");
    size_t size = file == NULL ? 0 : fread(head, 1, sizeof head, file);
    if (file == NULL) {
        refuse("cannot open '%s': %s", job->found, strerror(errno));
    }
    fclose(file);
    if (size > 2 && memcmp(head, "#!", 2) == 0) {
        refuse("'%s' is a script: record its interpreter with the script as argument", job->found);
    }
    if (size < sizeof head || memcmp(head, "\177ELF", 4) != 0) {
        refuse("'%s' is no Linux program", job->found);
    }
    unsigned machine = head[18] | (unsigned)head[19] << 8;
    job->emulator = machine == 3 ? "qemu-i386" : machine == 62 ? "qemu-x86_64" : NULL;
    if (job->emulator == NULL) {
        refuse("'%s' is neither for i386 nor for x86-64", job->found);
    }
}

static void plugin_find(struct job *job) {
    char self[2048];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size < 0 ? 0 : size] = 0;
    snprintf(job->plugin, sizeof job->plugin, "%s/pages.so", dirname(self));
    if (access(job->plugin, R_OK) != 0) {
        refuse("there is no plugin %s: build the project with `./quire build`", job->plugin);
    }
}

// Never returns.
static void program_run(const struct job *job, int into) {
    char option[sizeof job->plugin + 64];
    char **command = calloc((size_t)job->arguments + 8, sizeof *command);
    if (command == NULL) {
        refuse("out of memory");
    }
    snprintf(option, sizeof option, "%s,out=/dev/fd/%d,filter=%s", job->plugin, into, job->filter);
    char **at = command;
    *at++ = (char *)(uintptr_t)job->emulator;
    *at++ = (char *)(uintptr_t)"-plugin";
    *at++ = option;
    *at++ = (char *)(uintptr_t)"-0";
    *at++ = job->program[0];
    *at++ = (char *)(uintptr_t)job->found;
    memcpy(at, job->program + 1, (size_t)job->arguments * sizeof *at);  // and the NULL behind them
    execvp(job->emulator, command);
    refuse("cannot start %s: %s; install the package qemu-user", job->emulator, strerror(errno));
}

// ---- the trace -------------------------------------------------------------------------------

static uint64_t references_copy(FILE *from, FILE *to) {
    uint64_t record, count = 0, time = 0;
    unsigned char bytes[FORMAT_OWN_RECORD];
    while (fread(&record, sizeof record, 1, from) == 1) {
        time += count++ > 0 && !(record & PAGES_MORE);
        struct format_reference reference = {.page = pages_page(record), .time = time,
                                             .task = pages_thread(record),
                                             .write = (record & PAGES_WRITE) != 0};
        format_own_record(bytes, &reference);
        fwrite(bytes, sizeof bytes, 1, to);
    }
    return count;
}

static void header_write(FILE *to, uint64_t count) {
    unsigned char bytes[FORMAT_OWN_HEADER];
    format_own_header(bytes, count);
    fwrite(bytes, sizeof bytes, 1, to);
}

static FILE *out_open(struct job *job) {
    static char name[4096];
    if (job->out == NULL) {
        char copy[4096];
        snprintf(copy, sizeof copy, "%s", job->found);
        snprintf(name, sizeof name, "%s.trace", basename(copy));
        job->out = name;
    }
    if (format_name_packed(job->out)) {
        refuse("cannot write '%s': nothing is packed here; leave out that end", job->out);
    }
    if (output_is_input(job->found, job->out)) {
        refuse("cannot write '%s': that is the file to read; name another with -o", job->out);
    }
    FILE *file = output_open(job->out);
    if (file == NULL) {
        refuse("cannot write '%s': %s", job->out, strerror(errno));
    }
    return file;
}

// Copies all, and writes the header again with the number of references where that can be done.
static void trace_write(struct job *job, FILE *from, FILE *to) {
    header_write(to, 0);
    uint64_t count = references_copy(from, to);
    fclose(from);
    if (fseek(to, 0, SEEK_SET) == 0) {
        header_write(to, count);
    }
    if (output_end(to) != 0) {
        refuse("cannot write '%s': %s", job->out, strerror(errno));
    }
    fprintf(stderr, "quire-lab record: %" PRIu64 " references in %s\n", count, job->out);
}

static int record_read(struct job *job) {
    FILE *from = fopen(job->read, "rb");
    if (from == NULL) {
        refuse("cannot open '%s': %s", job->read, strerror(errno));
    }
    snprintf(job->found, sizeof job->found, "%s", job->read);
    trace_write(job, from, out_open(job));
    return 0;
}

static int record_run(struct job *job) {
    int ends[2], status = 0;
    FILE *to = out_open(job);
    if (pipe(ends) != 0) {
        refuse("cannot make a pipe: %s", strerror(errno));
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        program_run(job, ends[1]);
    }
    close(ends[1]);
    FILE *from = child < 0 ? NULL : fdopen(ends[0], "rb");
    if (from == NULL) {
        refuse("cannot start a process: %s", strerror(errno));
    }
    trace_write(job, from, to);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- command line ----------------------------------------------------------------------------

static const char *value_of(int count, char **argument, int *at) {
    if (*at + 1 >= count) {
        refuse("%s needs a value; see `quire-lab record --help`", argument[*at]);
    }
    return argument[++*at];
}

static void filter_check(const char *text) {
    char *end;
    unsigned long filter = strtoul(text, &end, 10);
    if (*end != 0 || text[0] < '0' || text[0] > '9' || filter < 1 || filter > 256) {
        refuse("--filter '%s' is no number from 1 to 256", text);
    }
}

int record_main(int count, char **argument) {
    static struct job job = {.filter = "16"};
    int at = 1;
    for (; at < count && argument[at][0] == '-'; at++) {
        if (strcmp(argument[at], "--help") == 0 || strcmp(argument[at], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argument[at], "--") == 0) {
            at++;
            break;
        }
        if (strcmp(argument[at], "-o") == 0) {
            job.out = value_of(count, argument, &at);
        } else if (strcmp(argument[at], "--filter") == 0) {
            job.filter = value_of(count, argument, &at);
        } else if (strcmp(argument[at], "--read") == 0) {
            job.read = value_of(count, argument, &at);
        } else {
            refuse("unknown option '%s'; see `quire-lab record --help`", argument[at]);
        }
    }
    filter_check(job.filter);
    if ((at < count) == (job.read != NULL)) {
        refuse("name a program, or --read FILE; see `quire-lab record --help`");
    }
    if (job.read != NULL) {
        return record_read(&job);
    }
    job.program = argument + at;
    job.arguments = count - at;
    program_find(&job);
    emulator_choose(&job);
    plugin_find(&job);
    return record_run(&job);
}
