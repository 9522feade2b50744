// SPDX-License-Identifier: MIT
// Text out of the kernel: a ring for later and the debug port (0xE9). The serial line is used only
// to panic.
#pragma once
#include "types.h"

// %s string, %u decimal, %x hexadecimal with eight digits; nothing else.
__attribute__((format(printf, 1, 2))) void log_print(const char *format, ...);
void log_bytes(const char *bytes, uint32_t count);
// From now on also to the serial line, polled.
void log_to_serial(void);
