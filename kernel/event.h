// SPDX-License-Identifier: MIT
// Events: 32 sticky bits bound to one thread, whose receives also wait for them.
#pragma once
#include "thread.h"

struct event {
    struct object *object;
    uint32_t bits;
    struct thread *thread;  // bound thread, NULL: none
};

error_t event_bind(struct event *event, struct thread *thread);
// Set bits; wakes the bound thread if it receives.
void event_signal(struct event *event, uint32_t bits);
// Give pending bits to the thread as the result of its receive; false: none pending.
bool event_collect(struct thread *thread);
void event_destroy(struct event *event);
