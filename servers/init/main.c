// SPDX-License-Identifier: MIT
// init: the first task. Starts the servers that the manifest names, hands out the handles, runs
// the first program, answers programs (interface init), and ends the system. It decides nothing
// about memory once the pager has it, and drives no device but for its first and last words.
#include "startup.h"
#include "service.h"

void server_main(void);

void server_main(void) {
    startup();
    service_run();
}
