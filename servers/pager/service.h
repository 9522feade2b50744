// SPDX-License-Identifier: MIT
// Answers the messages of interface pager: checks who asks, and hands over to the part that knows.
#pragma once
#include "ipc.h"

// Serves one request (no event, no fault, no error). Returns the tag to reply with; `words` then
// points to the reply's words until the next call.
tag_t serve_message(const struct received *received, const uint32_t **words);
