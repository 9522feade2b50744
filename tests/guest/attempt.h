// SPDX-License-Identifier: MIT
// A message to a kernel object with arguments that are all good, and one of them made bad: by rules
// for each type of field, none for a single message.
#pragma once
#include "contract.h"
#include "stage.h"

struct attempt {
    const struct message *message;
    handle_t handle;
    tag_t tag;
    uint32_t word[TAG_WORDS_MAX];
    struct map_item item[STAGE_FRAMES];
    uint32_t items;
};

// What the kernel must be asked so that it would do it.
void attempt_good(struct attempt *attempt, const struct message *message);
// The list gets so many items; messages without a list do not change.
void attempt_list(struct attempt *attempt, uint32_t items);
// Ask. The kernel's answer; a failed one must have left the list as it was.
error_t attempt_run(const struct attempt *attempt);

// Make the handle that is called, the tag, a field, an item of the list bad in the n-th way. OK:
// there are no more ways; else the error that must come back. *how tells which way.
error_t attempt_bad_handle(struct attempt *attempt, uint32_t n, uint32_t *how);
error_t attempt_bad_tag(struct attempt *attempt, uint32_t n, uint32_t *how);
error_t attempt_bad_field(struct attempt *attempt, uint32_t field, uint32_t n, uint32_t *how);
error_t attempt_bad_item(struct attempt *attempt, uint32_t item, uint32_t n, uint32_t *how);
