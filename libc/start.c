// SPDX-License-Identifier: MIT
// From the first instruction to main(): fetches the command line from init, lays arguments,
// environment and auxiliary vector out as musl expects them on the stack, and hands over to it.
#include <elf.h>
#include <string.h>

#include "linux.h"
#include "stubs.h"

#define ARGUMENTS_MAX (TEXT_BYTES / 2 + 1)
#define AUXILIARY 9

int main(int count, char **argument, char **environment);
int __libc_start_main(int (*main)(int, char **, char **), int count, char **argument);
__attribute__((noreturn)) void program_start(void);

// The linker places the ELF header at the beginning of the first segment.
extern const Elf32_Ehdr __ehdr_start;

// Cuts the line at its spaces, in place; returns the number of words.
static int line_cut(char *line, char **word) {
    int count = 0;
    for (char *at = line; *at != 0 && count < (int)ARGUMENTS_MAX;) {
        while (*at == ' ') {
            *at++ = 0;
        }
        if (*at != 0) {
            word[count++] = at;
        }
        while (*at != 0 && *at != ' ') {
            at++;
        }
    }
    return count;
}

static void seed_learn(void) {
    struct init_boot_info_out info;
    if (init_boot_info(HANDLE(SLOT_INIT), &info) == OK) {
        linux_seed = info.seed;
    }
}

static char *line_fetch(char *line) {
    struct init_args_out args;
    uint32_t length = 0;
    if (init_args(HANDLE(SLOT_INIT), &args) == OK) {
        length = MIN_OF(args.line.length, TEXT_BYTES);
        memcpy(line, args.line.bytes, length);
    }
    line[length] = 0;
    return line;
}

void program_start(void) {
    static char line[TEXT_BYTES + 1];
    static uint32_t random[4];
    static char terminal[] = "TERM=ansi", home[] = "HOME=/", path[] = "PATH=/";
    uintptr_t vector[ARGUMENTS_MAX + 1 + 4 + 2 * AUXILIARY];
    char **argument = (char **)vector;

    seed_learn();
    for (uint32_t i = 0; i < ARRAY_LENGTH(random); i++) {
        random[i] = linux_random_word();
    }
    int count = line_cut(line_fetch(line), argument);
    const uintptr_t rest[] = {
        0, (uintptr_t)terminal, (uintptr_t)home, (uintptr_t)path, 0,
        AT_PAGESZ, PAGE_SIZE, AT_PHDR, (uintptr_t)&__ehdr_start + __ehdr_start.e_phoff,
        AT_PHNUM, __ehdr_start.e_phnum, AT_PHENT, sizeof(Elf32_Phdr), AT_RANDOM,
        (uintptr_t)random, AT_HWCAP, 0, AT_CLKTCK, 100,
        AT_EXECFN, count > 0 ? vector[0] : (uintptr_t)(line + strlen(line)), AT_NULL, 0};
    _Static_assert(sizeof rest == (5 + 2 * AUXILIARY) * sizeof(uintptr_t), "vector has room");
    memcpy(vector + count, rest, sizeof rest);
    __libc_start_main(main, count, argument);
    __builtin_unreachable();
}
