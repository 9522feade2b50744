// SPDX-License-Identifier: MIT
// Taking down all that a pool pays for, when nobody knows any more what that is.
#pragma once
#include "pool.h"

// A slice: end one object, or look through some frames, of the pool or of a child. *left: there is
// more to do. E_MAPPED: a frame is mapped by a task of another pool, or pinned; E_STATE: the root.
error_t pool_reap(struct pool *pool, bool *left);
