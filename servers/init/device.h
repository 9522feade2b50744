// SPDX-License-Identifier: MIT
// Which devices there are, and who gets them: fills ports, irq, argument[] of the servers.
#pragma once
#include "server.h"

void devices_assign(void);
