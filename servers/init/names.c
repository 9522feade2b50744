// SPDX-License-Identifier: MIT
// Names for the trace: see names.h. A record holds the first twelve letters.
#include "names.h"

#include "server.h"
#include "trace.h"

void trace_name(uint32_t number, const char *name) {
    field_name padded = name_of(name);
    uint32_t word[3];
    __builtin_memcpy(word, padded.bytes, sizeof word);
    // Without a trace ring there is nobody to tell.
    (void)!trace_emit(HANDLE(SLOT_TRACE), EVENT_task_name, number, word[0], word[1], word[2]);
}

void trace_names(void) {
    trace_name(TASK_INIT, server_names[TASK_INIT]);
    for (uint32_t number = TASK_PAGER; number < TASK_SERVERS_END; number++) {
        if (servers[number].plan != NULL) {
            trace_name(number, server_names[number]);
        }
    }
}
