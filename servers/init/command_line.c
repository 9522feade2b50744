// SPDX-License-Identifier: MIT
// The boot line: see command_line.h.
#include "command_line.h"

// Each option: its name, its reader, and what a person may write. A reader returns false if the
// value is none of that.
struct option {
    const char *name;
    int (*read)(struct word value, struct command_line *line);
    const char *allowed;
    int names_policy;  // the policies there are stand behind `allowed`
};

// " fifo clock ...", and whether a word is one of them.
#define POLICY(name, ...) " " #name
static const char policies[] =
#include "../pager/policy/policies.def"
    ;
#undef POLICY

static int policy_is_known(struct word name) {
    struct word rest = word_of(policies);
    struct word known = word_next(&rest, " ");
    while (known.length > 0 && !(known.length == name.length &&
                                 __builtin_memcmp(known.start, name.start, name.length) == 0)) {
        known = word_next(&rest, " ");
    }
    return known.length > 0;
}

// Splits "PROGRAM/..." or "...": the name becomes empty if there is none. False: it cannot be one.
static int read_program(struct word value, char *name, struct word *rest) {
    struct word head;
    *rest = word_split(value, '/', &head);
    __builtin_memset(name, 0, NAME_BYTES);
    if (rest->start == NULL) {
        *rest = value;
        return 1;
    }
    return word_name(head, name);
}

// Parameters, and whether there is such a program, are the pager's to check.
static int read_choice(struct word value, struct command_policy *policy) {
    char program[NAME_BYTES];
    struct word choice, name;
    if (!read_program(value, program, &choice) || value.length >= COMMAND_POLICY_BYTES) {
        return 0;
    }
    (void)word_split(choice, ':', &name);
    if (!policy_is_known(name) && (program[0] == 0 || choice.length > 0)) {
        return 0;
    }
    *policy = (struct command_policy){0};
    __builtin_memcpy(policy->text, value.start, value.length);
    return 1;
}

static int read_policy(struct word value, struct command_line *line) {
    return line->policy_count < COMMAND_RULES_MAX &&
           read_choice(value, &line->policy[line->policy_count]) && ++line->policy_count;
}

static int read_limit(struct word value, struct command_frames *frames) {
    struct word number;
    return read_program(value, frames->program, &number) && word_number(number, &frames->frames) &&
           frames->frames >= COMMAND_FRAMES_MIN;
}

static int read_frames(struct word value, struct command_line *line) {
    return line->frames_count < COMMAND_RULES_MAX &&
           read_limit(value, &line->frames[line->frames_count]) && ++line->frames_count;
}

// Commas become spaces: a word of the boot line holds a whole command.
static int read_run(struct word value, struct command_line *line) {
    char name[NAME_BYTES];
    struct word part = word_next(&value, ",");
    text_clear(&line->run);
    for (; part.length > 0; part = word_next(&value, ",")) {
        if (line->run.length == 0 && !word_name(part, name)) {
            return 0;
        }
        if (part.length + 1 >= TEXT_BYTES - line->run.length) {
            return 0;
        }
        text_add(&line->run, line->run.length > 0 ? " " : "");
        text_add_bytes(&line->run, part.start, part.length);
    }
    return line->run.length > 0;
}

static int read_trace(struct word value, struct command_line *line) {
    line->trace = (uint32_t)word_is(value, "on");
    return line->trace || word_is(value, "off");
}

static int read_seed(struct word value, struct command_line *line) {
    return word_number(value, &line->seed);
}

static int read_at(struct word value, struct command_line *line) {
    struct word fault, key;
    struct word action = word_split(value, ':', &fault);
    struct word policy = action.start == NULL ? action : word_split(action, '=', &key);
    if (policy.start == NULL || !word_is(key, "policy") || line->at_count == COMMAND_AT_MAX) {
        return 0;
    }
    struct command_at *at = &line->at[line->at_count];
    if (!word_number(fault, &at->fault) || at->fault == 0 || !read_choice(policy, &at->policy)) {
        return 0;
    }
    line->at_count++;
    return 1;
}

static int read_store(struct word value, struct command_line *line) {
    struct word kind;
    struct word pages = word_split(value, ':', &kind);
    line->store = word_is(kind, "disk") ? STORE_DISK : STORE_RAM;
    line->store_pages = 0;
    if (pages.start == NULL) {
        return word_is(kind, "disk") || word_is(kind, "ram");
    }
    return word_is(kind, "ram") && word_number(pages, &line->store_pages) &&
           line->store_pages > 0;
}

// The kernel's options; read here too, so that a wrong one is named.
static int read_check(struct word value, struct command_line *line) {
    uint32_t number;
    (void)line;
    return word_number(value, &number);
}

static int read_idle(struct word value, struct command_line *line) {
    (void)line;
    return word_is(value, "halt") || word_is(value, "spin");
}

static const struct option options[] = {
    {"policy", read_policy, "NAME or PROGRAM/NAME, up to 8 times, NAME one of", 1},
    {"frames", read_frames,
     "a number of frames, at least 8, as in frames=2048 or frames=PROGRAM/2048, up to 8 times", 0},
    {"run", read_run, "a program and its arguments, as in run=index,words", 0},
    {"trace", read_trace, "on or off", 0},
    {"seed", read_seed, "a number", 0},
    {"at", read_at, "NUMBER:policy=NAME or NUMBER:policy=PROGRAM/NAME, up to 8 times, NAME one of", 1},
    {"store", read_store, "disk, ram or ram:PAGES", 0},
    {"check", read_check, "a number of calls, 0 for never", 0},
    {"idle", read_idle, "halt or spin", 0},
};

__attribute__((sentinel)) static int refuse(field_text *error, struct word word, ...) {
    va_list list;
    va_start(list, word);
    text_clear(error);
    text_add(error, "boot option ");
    text_add_bytes(error, word.start, MIN_OF(word.length, 64));
    text_add(error, ": ");
    text_join_list(error, list);
    va_end(list);
    return 0;
}

static int read_option(struct word word, struct command_line *line, field_text *error) {
    struct word name;
    struct word value = word_split(word, '=', &name);
    for (uint32_t i = 0; i < ARRAY_LENGTH(options); i++) {
        const struct option *option = &options[i];
        if (word_is(name, option->name)) {
            return (value.start != NULL && option->read(value, line)) ||
                   refuse(error, word, "give ", option->allowed,
                          option->names_policy ? policies : "", NULL);
        }
    }
    return refuse(error, word, "there is no such option; there are "
                  "policy= frames= run= trace= seed= at= store= check= idle=", NULL);
}

// An option's name has no slash, so a word with one before any '=' is a path; so is a first word
// without any '='.
static int is_path(struct word word) {
    struct word head, part;
    struct word value = word_split(word, '=', &head);
    return value.start == NULL || word_split(head, '/', &part).start != NULL;
}

int command_line_parse(const char *text, struct command_line *line, field_text *error) {
    struct word rest = word_of(text);
    *line = (struct command_line){.store = STORE_AUTO};
    text_clear(error);
    struct word word = word_next(&rest, " \t\r\n");
    if (word.length > 0 && is_path(word)) {
        word = word_next(&rest, " \t\r\n");
    }
    for (; word.length > 0; word = word_next(&rest, " \t\r\n")) {
        if (!read_option(word, line, error)) {
            return 0;
        }
    }
    if (line->run.length == 0) {
        text_add(&line->run, "shell");
    }
    return 1;
}
