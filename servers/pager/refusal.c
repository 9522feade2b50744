// SPDX-License-Identifier: MIT
#include "refusal.h"
#include "sentence.h"

const uint8_t refusal_right[FAULT_COUNT] = {
    [FAULT_PLACE(LABEL_fault_read)] = MAP_READ,
    [FAULT_PLACE(LABEL_fault_write)] = MAP_WRITE,
    [FAULT_PLACE(LABEL_fault_execute)] = MAP_EXECUTE,
    [FAULT_PLACE(LABEL_fault_protection)] = MAP_WRITE,
};
static const char *const access_name[] = {
    [FAULT_PLACE(LABEL_fault_read)] = "read",
    [FAULT_PLACE(LABEL_fault_write)] = "write",
    [FAULT_PLACE(LABEL_fault_execute)] = "execution",
    [FAULT_PLACE(LABEL_fault_protection)] = "write",
};
#define INTERFACE(...)
#define MESSAGE(...) +1
#define IPC_FIRST 15
#define IPC_LAST 15
_Static_assert(ARRAY_LENGTH(access_name) == FAULT_COUNT &&
                   FAULT_COUNT + 1 == 0
#include "ipc.def"
               , "every fault but the exception, which is the last, has a row");
#undef MESSAGE
#undef INTERFACE

static const char *exception_name(uint32_t vector) {
    static const char *const names[] = {
        [0] = "division error", [1] = "debug exception", [3] = "breakpoint", [4] = "overflow",
        [5] = "bound error", [6] = "invalid instruction", [10] = "invalid TSS",
        [11] = "segment fault", [12] = "stack segment fault", [13] = "general protection fault",
        [16] = "floating-point error", [17] = "misaligned access", [19] = "SIMD error"};
    return vector < ARRAY_LENGTH(names) && names[vector] != NULL ? names[vector] : "exception";
}

void refusal_note(struct domain *domain, const struct fault *fault, const char *why) {
    struct sentence line = {domain->reason, 0, sizeof domain->reason};
    if (fault->label == LABEL_fault_exception) {
        sentence_text(&line, exception_name(fault->address));
    } else {
        sentence_text(&line, access_name[FAULT_PLACE(fault->label)]);
        sentence_text(&line, " of ");
        sentence_hex(&line, fault->address);
    }
    sentence_text(&line, " at eip ");
    sentence_hex(&line, fault->eip);
    if (why != NULL) {
        sentence_text(&line, ": ");
        sentence_text(&line, why);
    }
    domain->reason_length = line.length;
}

const char *refusal_text(const struct region *region, const struct fault *fault) {
    if (region == NULL) {
        return "no memory is mapped there";
    }
    if (region->kind == REGION_GUARD) {
        return "the stack is full";
    }
    switch (refusal_right[FAULT_PLACE(fault->label)]) {
    case MAP_WRITE:
        return "the page is read-only";
    case MAP_EXECUTE:
        return "the page is not executable";
    default:
        return "the page is not readable";
    }
}
