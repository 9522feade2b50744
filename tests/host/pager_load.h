// SPDX-License-Identifier: MIT
// Programs on the model machine, for the pager's tests: they touch their heap, data and stack, know
// what they wrote last, and fail the test when they read anything else.
#pragma once
#include "pager_model.h"

#define LOAD_HEAP_FIRST (LAYOUT_MAP_FIRST / PAGE_SIZE)
#define LOAD_HEAP_PAGES 300u
#define LOAD_DATA_FIRST 0x0804cu
#define LOAD_DATA_PAGES 8u
#define LOAD_TEXT_FIRST 0x08048u
#define LOAD_STACK_PAGES 16u
#define LOAD_STACK_FIRST (LAYOUT_STACK_TOP / PAGE_SIZE - LOAD_STACK_PAGES)
#define LOAD_PLACES (LOAD_HEAP_PAGES + LOAD_DATA_PAGES + LOAD_STACK_PAGES)

// What a program remembers of its own memory: the version of each page, 0: not written yet.
extern uint32_t load_version[MODEL_TASKS][LOAD_PLACES];
extern uint32_t load_next_number;  // of the next program

enum trouble { TROUBLE_NONE = 0, TROUBLE_CHANGES = 1, TROUBLE_KILLS = 2 };

// The page of a place: heap, then data, then stack.
uint32_t load_place_page(uint32_t place);
// One access of a thread, made until it goes through or has to wait.
void load_thread_touch(struct model_thread *thread, uint32_t place, bool write);
void load_touch(struct model_task *task, uint32_t place, bool write);
// Start a program with a heap; NULL: the pager refuses.
struct model_task *load_program_start(void);
// A machine without programs; all programs killed, all frames and laws looked after.
void load_begin(uint32_t frames, uint32_t store_pages, uint32_t seed);
void load_finish(void);
// Some pages are used more than others.
uint32_t load_place_draw(void);
// Give the contents of heap pages up.
void load_advise_at(struct model_task *task, uint32_t place, uint32_t pages);
// One thing happens: mostly an access, seldom a change of memory, at times trouble.
void load_step(enum trouble trouble);
void load_run(uint32_t programs, uint32_t steps, enum trouble trouble);
field_text load_text(const char *text);
void load_policy_use(const char *text);
error_t load_limit(uint32_t frames);  // of all programs that have none of their own
// Write to so many pages, one after the other, until each write went through.
void load_write_all(struct model_task *task, uint32_t first, uint32_t count);
// Write to pages in turn until the program is refused; returns how many went through.
uint32_t load_fill(struct model_task *task);
