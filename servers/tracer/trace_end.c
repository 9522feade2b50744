// SPDX-License-Identifier: MIT
// Reads the trace ring in order. The kernel, which writes it, is trusted.
#include "trace_end.h"

uint32_t trace_waiting(const struct trace_end *end) {
    return __atomic_load_n(&end->header->written, __ATOMIC_ACQUIRE) - end->read;
}

const struct trace_record *trace_next(struct trace_end *end) {
    if (trace_waiting(end) == 0) {
        return NULL;
    }
    return &end->record[end->read++ % end->header->capacity];
}

uint32_t trace_lost(struct trace_end *end) {
    uint32_t lost = __atomic_load_n(&end->header->lost, __ATOMIC_RELAXED);
    uint32_t more = lost - end->lost;
    end->lost = lost;
    return more;
}

void trace_release(struct trace_end *end) {
    __atomic_store_n(&end->header->read, end->read, __ATOMIC_RELEASE);
}
