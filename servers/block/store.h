// SPDX-License-Identifier: MIT
// The service time of the store in RAM: a model, so that runs with it are the same every time.
// One head does one command after another. A command costs STORE_COMMAND_NS and STORE_PAGE_NS for
// each page: about what a SATA solid-state disk needs (12,000 single pages a second; 500 MB/s).
#pragma once
#include <stdint.h>

#define STORE_COMMAND_NS 75000u
#define STORE_PAGE_NS 8000u

static inline uint32_t store_service_ns(uint32_t pages) {
    return STORE_COMMAND_NS + pages * STORE_PAGE_NS;
}
