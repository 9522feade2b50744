// SPDX-License-Identifier: MIT
// A model of the machine under the pager's core: frames with contents, address spaces with Accessed
// and Dirty bits, a store whose transfers take their time and may fail, threads that wait. It
// implements servers/pager/machine.h and fails the test when the pager asks for what a real machine
// would refuse or what would lose contents.
//
// A page has WORDS words here, each standing for 4096 / WORDS bytes.
#pragma once
#include <stdbool.h>
#include "demand.h"
#include "domain.h"

#define MODEL_WORDS 16u
#define MODEL_FRAMES_MAX 2048u
#define MODEL_STORE_MAX 2048u
#define MODEL_TASKS 8u
#define MODEL_THREADS 3u  // of each task
#define MODEL_MODULE_FIRST 0x1000u  // frame number of the module's first frame
#define MODEL_MODULE_PAGES 8u       // of which the program's file has
#define MODEL_NUMBER_FIRST 16u

enum model_thread_state { THREAD_RUNS, THREAD_WAITS, THREAD_REFUSED };

struct model_entry {
    frame_t frame;  // 0: not present
    uint8_t rights, accessed, dirty;
};

struct model_thread {
    struct model_task *task;
    enum model_thread_state state;
    token_t token;
    error_t error;  // that it was refused with
};

struct model_task {
    uint32_t number;  // 0: none
    struct model_entry *entry;  // by page
    struct model_thread thread[MODEL_THREADS];
};

struct model {
    uint32_t frames;       // that the pool has; numbers 1 .. frames
    uint32_t taken;        // of them
    uint32_t entries_left; // page-table entries that may be made before the kernel has no memory
    uint32_t io_errors;    // one of so many transfers fails; 0: none
    uint32_t slowness;     // the block server moves in one of so many steps, and mostly does the
                           // newest transfer first, so that old ones take very long; 0: neither
    bool hold;             // the oldest transfer does not end
    uint32_t begun;        // transfers
    uint32_t pinned;       // frames
    uint32_t fail_at;      // the so-many-th request to map or copy for the pager fails; 0: none
    bool windows_closed;   // nothing more is mapped for the pager itself
    uint32_t image_damage; // byte of the module's first page that is not as it should be; 0: none
    struct model_task task[MODEL_TASKS];
};
extern struct model model;

// A fresh machine and a fresh pager. store_pages 0: no store.
void model_start(uint32_t frames, uint32_t store_pages, uint32_t seed);
void model_stop(void);
uint32_t model_random(uint32_t below);

// Start a program (number, module 0) in a free place; NULL when the pager refuses.
struct model_task *model_admit(uint32_t number);
void model_kill(struct model_task *task);

// One access by a thread. Returns true if it went through (value then read or written); false: it
// faulted, and waits or was refused, or runs and has to try again.
bool model_access(struct model_thread *thread, uint32_t page, bool write,
                  uint32_t value[MODEL_WORDS]);

// Let the block server do something, or (all) finish everything, and the pager collect it.
void model_block_step(void);
void model_block_drain(void);
// All frames in the pager's hands are accounted for and nothing of a task is left.
void model_check_empty(void);
// The simulator, given what the pager's policies learned, chooses the same victims.
void model_replay(void);
// What a word of the module's file holds.
uint32_t model_file_word(uint32_t page, uint32_t word);
