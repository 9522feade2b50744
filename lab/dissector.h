// SPDX-License-Identifier: MIT
// Prints the Lua dissector of trace files for Wireshark and tshark.
#pragma once
#include <stdio.h>

void dissector_print(FILE *out);
