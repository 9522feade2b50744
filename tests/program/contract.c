// SPDX-License-Identifier: MIT
// What abi/ipc.def says of the messages to servers.
#define CONTRACT_FIRST 32
#define CONTRACT_LAST 255
#include "../guest/contract.c"
