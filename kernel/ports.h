// SPDX-License-Identifier: MIT
// A range of I/O ports that its holder may read and write by message.
#pragma once
#include "object.h"

struct ports {
    uint32_t first;
    uint32_t count;
};
