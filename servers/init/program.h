// SPDX-License-Identifier: MIT
// Programs: tasks whose memory is the pager's. Starting them, ending them, and what is told of
// their end.
#pragma once
#include "module.h"

struct program {
    uint32_t number;  // task number; 0: this place is free
    uint32_t parent;  // who may wait for it and kill it, and that one's parents; 0: the boot line
    uint32_t task, thread;
    uint32_t pool;  // its task and page tables are charged to
    char name[NAME_BYTES];
    field_text line;        // command line, the name first
    uint64_t started;       // time stamp
    uint64_t pager_before;  // CPU time of the pager when it started
};

// How a program ended.
struct ending {
    uint32_t number;
    uint32_t parent;
    uint32_t status;  // of a fault or a kill: as a Unix shell would say it
    uint32_t cause;   // CAUSE_
};

// The pool of all programs.
void programs_open(void);

// Start the program that the line names, as a child of `parent` (0: none). `line` is an allegation
// of the caller's, and may come from another task. *number: of its task.
// E_ARGUMENT: no line; E_NOT_FOUND: no module of that name; E_FORMAT: it is no program;
// E_LIMIT: too many programs, or descendants of one; others: from pager and kernel.
__attribute__((warn_unused_result)) error_t program_start(const field_text *line,
                                                          uint32_t parent, uint32_t *number);

struct program *program_find(uint32_t number);
// Is `number` (of a program, or of an ending's parent) `elder` itself or one of its descendants?
int program_descends(uint32_t number, uint32_t elder);
// The first program: whoever sits at it owns the session.
int program_is_owner(uint32_t number);
// Children of one that ends become those of its parent.
void programs_inherit(const struct program *ended);
// The n-th program that lives; NULL: there are fewer.
struct program *program_at(uint32_t index);
// End it: its lines are printed, its memory is freed, those who wait are answered. With the first
// program the system ends.
void program_end(struct program *program, uint32_t status, uint32_t cause);
// Bits of init's event: those places' tasks may have died of a fault.
void programs_died(uint32_t bits);
// End all of them without a word.
void programs_end_all(void);

// `waiter` asks by `token` how task `number` ends. OK: it has, *ending tells; E_EMPTY: not yet, and
// `token` will be answered; E_DENIED: it is no descendant of the waiter's; or another error.
__attribute__((warn_unused_result)) error_t program_wait(token_t token, uint32_t waiter,
                                                         uint32_t number,
                                                         struct ending *ending);
