// SPDX-License-Identifier: MIT
// The simulator's CSV: one header, one row for each trace, number of frames and policy.
#pragma once
#include <stdio.h>

#include "sim_rows.h"

void sim_print_header(FILE *to, bool writes);
void sim_print_row(FILE *to, const char *trace, const struct sim_row *row, bool writes);
