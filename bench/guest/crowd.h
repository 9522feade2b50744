// SPDX-License-Identifier: MIT
// Tasks and threads that do nothing but exist and wait, so that figures show whether paths grow with
// their number: `threads=N` and `tasks=N` (of one thread each) on the kernel's command line.
#pragma once

// To be the first test and the last one of a file of benchmarks; without the options they do nothing.
void crowd_make(void);
void crowd_end(void);
