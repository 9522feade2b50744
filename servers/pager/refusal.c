// SPDX-License-Identifier: MIT
#include "refusal.h"
#include "sentence.h"

static const char *const fault_names[] = {"read", "write", "execution", "write"};

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
        sentence_text(&line, fault_names[fault->label - LABEL_fault_read]);
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

static uint32_t right_needed(uint32_t label) {
    static const uint8_t rights[] = {MAP_READ, MAP_WRITE, MAP_EXECUTE, MAP_WRITE};
    return rights[label - LABEL_fault_read];
}

const char *refusal_find(const struct region *region, const struct fault *fault) {
    if (region == NULL) {
        return "no memory is mapped there";
    }
    if (region->kind == REGION_GUARD) {
        return "the stack is full";
    }
    if ((region->rights & right_needed(fault->label)) == 0) {
        switch (right_needed(fault->label)) {
        case MAP_WRITE:
            return "the page is read-only";
        case MAP_EXECUTE:
            return "the page is not executable";
        default:
            return "the page is not readable";
        }
    }
    return NULL;
}
