// SPDX-License-Identifier: MIT
// What init does once everything runs: answers programs and hears of their deaths.
#pragma once

__attribute__((noreturn)) void service_run(void);
