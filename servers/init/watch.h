// SPDX-License-Identifier: MIT
// A thread of init above all servers, whose only work is to hear of a server's fault: the main
// thread may at that time wait for that very server.
#pragma once
#include "init.h"

// Start the thread. Its port must exist before the first server does.
void watch_open(void);
// Faults of this server come to the watch; badge: its number.
void watch_server(handle_t task, uint32_t number);
