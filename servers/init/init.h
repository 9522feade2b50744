// SPDX-License-Identifier: MIT
// What all parts of init share: numbers of tasks, bits of its event, handle slots.
//
// init's own handles. From the kernel: SLOT_TASK, SLOT_THREAD, SLOT_POOL (root pool), SLOT_MACHINE,
// SLOT_TRACE. Made by itself: SLOT_PORT (programs call it), SLOT_EVENT (bound to its thread),
// SLOT_TIMER, and, badged TASK_INIT, SLOT_PAGER, SLOT_CONSOLE, SLOT_TRACER. All others it takes by
// slot_take().
#pragma once
#include "command_line.h"
#include "manifest.h"
#include "stubs.h"

// Numbers of tasks: the badge that their messages carry.
enum {
    TASK_INIT = 1,
    TASK_PAGER,
    TASK_BLOCK,
    TASK_CONSOLE,
    TASK_TRACER,
    TASK_SERVERS_END,
    TASK_PROGRAM = 16,  // first program
};

#define RANK_INIT 20u

// Bits of init's event. The upper half tells of dead programs: one bit a place in the table.
#define INIT_EVENT_STORE 1u    // block server, on its HANDLE(SLOT_FREE): the store is open, or not
#define INIT_EVENT_TIMEOUT 2u  // the store took too long
#define INIT_EVENT_DEATH(place) (0x10000u << (place))
#define PROGRAMS_MAX 16u

extern struct command_line command_line;  // its frame limit changes when a program asks for it
extern struct manifest manifest;

// Handle slots of init itself. 0: none is left.
uint32_t slot_take(void);
// Empty it and offer it again. The object lives on unless it was ended before.
void slot_drop(uint32_t slot);
// As slot_take(), for what cannot go on without.
uint32_t slot_need(void);
