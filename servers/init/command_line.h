// SPDX-License-Identifier: MIT
// What the boot line asks for. Pure: the text is untrusted, and nothing is done here but to read
// it.
#pragma once
#include "text.h"

#define COMMAND_FRAMES_MIN 8u  // fewer cannot hold what one instruction may touch, with a margin
#define COMMAND_STORE_PAGES 16384u
#define COMMAND_AT_MAX 8u
#define COMMAND_RULES_MAX 8u  // policies, and frame limits

enum store { STORE_AUTO, STORE_DISK, STORE_RAM };

#define COMMAND_POLICY_BYTES 128u

// Each as the pager takes it: for the domains of all programs, or of the one named.
struct command_policy {
    char text[COMMAND_POLICY_BYTES];  // [PROGRAM/]POLICY, with parameters
};
struct command_frames {
    uint32_t frames;
    char program[NAME_BYTES];
};
struct command_at {
    uint32_t fault;
    struct command_policy policy;
};

struct command_line {
    uint32_t policy_count;  // 0: the pager's own choice
    struct command_policy policy[COMMAND_RULES_MAX];
    uint32_t frames_count;
    struct command_frames frames[COMMAND_RULES_MAX];
    field_text run;           // program and arguments, separated by single spaces
    uint32_t trace;           // record from the start on
    uint32_t seed;
    uint32_t at_count;
    struct command_at at[COMMAND_AT_MAX];
    enum store store;
    uint32_t store_pages;  // of a store in RAM; 0: not said
};

// Reads `text` (ends with 0). The first word may be the kernel's path, which some boot loaders put
// there. An option given twice counts as given last, but for at=, and policy= and frames= of several
// programs. Returns false and a sentence in *error that names the option and what it may be.
int command_line_parse(const char *text, struct command_line *line, field_text *error);
