// SPDX-License-Identifier: MIT
// The serial line before the console server runs, and when it no longer does: polled, output only.
// Also the port that ends the virtual machine.
#pragma once
#include "text.h"

#define EARLY_SERIAL 0x3f8u  // COM1
#define EARLY_SERIAL_COUNT 8u

// Take the two port ranges; errors show in nothing but silence.
void early_open(void);
// Handle slot of the serial ports, for the console server.
uint32_t early_serial_slot(void);
void early_print(const field_text *text);
// Tell the virtual machine to end; on a real machine, reset it. Comes back only if neither works.
void early_end(int success);
