// SPDX-License-Identifier: MIT
// From the boot line and the modules to a running first program.
#pragma once
#include "init.h"

void startup(void);
