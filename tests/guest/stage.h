// SPDX-License-Identifier: MIT
// A stage for messages that must change nothing: an object of each type, frames and pages with
// known contents, and a picture of all that can be seen of them.
#pragma once
#include "world.h"

enum { STAGE_FRAMES = 20, STAGE_CONTENTS = 3 };
enum {
    STAGE_POOL = SLOT_TEST + 4,  // pays for the others
    STAGE_EMPTY_POOL,            // a child of it
    STAGE_TASK,
    STAGE_THREAD,                // of that task, started and suspended
    STAGE_PORT,                  // not to be called: ranked below the test
    STAGE_EVENT,                 // in STAGE_TASK's table too
    STAGE_TIMER,
    STAGE_IRQ,
    STAGE_PORTS,                 // one I/O port
    STAGE_IOMEM,                 // one frame, mapped nowhere
    STAGE_LOW_PORT,              // ranked below STAGE_TASK
    STAGE_STALE,                 // names what has ended; its object slot is taken again
    STAGE_RECYCLED,              // what took it
    STAGE_FOREIGN,               // taken in STAGE_TASK's table, empty in the test's
    STAGE_NEW,                   // empty, for what is created
    STAGE_COPY,                  // for a copy with fewer rights
};
#define STAGE_PAGE 0x60000000u   // STAGE_FRAMES pages mapped in STAGE_TASK from here on
#define STAGE_DEVICE_FRAME 0xb8u // the PC's text screen: no RAM, whether there is one or not
#define STAGE_FREE_PAGE 0x70000000u  // nothing mapped from here on

struct stage {
    frame_t pooled[STAGE_FRAMES];  // of STAGE_POOL, unmapped
    frame_t own[STAGE_FRAMES];     // of the test's pool, unmapped
    frame_t mapped;                // of the test's pool, at all pages from STAGE_PAGE on
};
extern struct stage stage;

// The object of this interface that messages are tried on.
handle_t stage_object(uint32_t interface);
void stage_begin(void);
// Ends all, what messages have made included.
void stage_end(void);

struct picture {
    uint32_t machine[4];  // frames, free ones, objects used, object slots
    struct pool_info_out pool[3];
    struct task_info_out task[2];
    struct thread_registers_out thread;
    uint8_t own[SLOT_COUNT];      // what a call on each handle of the test is answered
    uint8_t other[SLOT_COUNT];    // is there a handle in each slot of STAGE_TASK?
    struct map_item entry[2 * STAGE_FRAMES];  // mapped in STAGE_TASK
    uint32_t entries, contents[STAGE_CONTENTS], pins, trace_mask;
};

void picture_take(struct picture *picture);
// The part that differs, NULL: none.
const char *picture_difference(const struct picture *a, const struct picture *b);
