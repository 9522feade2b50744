// SPDX-License-Identifier: MIT
// Taking down all that a pool pays for, when nobody knows any more what that is.
#pragma once
#include "pool.h"

// End the object, or a slice of it if it is a task or a port.
void reap_object(struct object *object);
// A slice: end one object, or look through some frames, of the pool or of a child. A pool's tasks end
// before its children, whose frames they may have mapped. *left: there is more to do. E_MAPPED: a frame is
// mapped by a task of another pool, or holds the trace; E_STATE: the root. Pins end here: whoever may
// reap a pool has reset the device that they were for, and nobody keeps another's frames for ever.
error_t pool_reap(struct pool *pool, bool *left);
