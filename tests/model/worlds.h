// SPDX-License-Identifier: MIT
// The worlds that are searched: each a part of the kernel with all that can be done to it.
#pragma once
#include "search.h"

const struct world *handle_world(void);  // handles: three tasks, objects that come and go
const struct world *memory_world(void);  // frames, maps, page tables: three tasks, four frames
const struct world *pool_world(void);    // three pools, what they take, split off and give back
