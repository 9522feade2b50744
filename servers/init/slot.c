// SPDX-License-Identifier: MIT
// Which slots of init's handle table are in use.
#include "init.h"
#include "report.h"

static uint8_t taken[SLOT_COUNT];

uint32_t slot_take(void) {
    for (uint32_t slot = SLOT_FREE; slot < SLOT_COUNT; slot++) {
        if (!taken[slot]) {
            taken[slot] = 1;
            return slot;
        }
    }
    return 0;
}

uint32_t slot_need(void) {
    uint32_t slot = slot_take();
    must(slot == 0 ? E_SLOT : OK, "find room for a handle");
    return slot;
}

void slot_drop(uint32_t slot) {
    if (slot != 0 && taken[slot]) {
        taken[slot] = 0;
        // A slot whose object has ended counts as empty anyway.
        (void)!task_handle_drop(HANDLE(SLOT_TASK), slot);
    }
}
