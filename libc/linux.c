// SPDX-License-Identifier: MIT
// Dispatch of the layer, and what all its groups share.
#include "linux.h"

#include <errno.h>

#define NUMBERS 512u

uint32_t linux_seed;

typedef long handler(const struct linux_call *call);

static handler *const handlers[NUMBERS] = {
#define LINUX(number, function) [number] = linux_##function,
#include "linux.def"
#undef LINUX
};

long linux_dispatch(const struct linux_call *call) {
    if (call->number >= NUMBERS || handlers[call->number] == NULL) {
        return -ENOSYS;
    }
    return handlers[call->number](call);
}

long linux_error(error_t error) {
    switch (error) {
    case OK:
        return 0;
    case E_MEMORY:
    case E_LIMIT:
    case E_UNMAPPED:
        return -ENOMEM;
    case E_ARGUMENT:
    case E_ADDRESS:
    case E_LENGTH:
        return -EINVAL;
    case E_MAPPED:
        return -EEXIST;
    case E_NOT_FOUND:
        return -ENOENT;
    case E_FORMAT:
        return -ENOEXEC;
    case E_FULL:
        return -ENOSPC;
    case E_WX:
    case E_RIGHT:
    case E_DENIED:
    case E_RANK:
        return -EACCES;
    default:
        return -EIO;
    }
}

uint32_t linux_random_word(void) {
    linux_seed += 0x9e3779b9;
    uint32_t word = linux_seed;
    word = (word ^ word >> 16) * 0x85ebca6b;
    word = (word ^ word >> 13) * 0xc2b2ae35;
    return word ^ word >> 16;
}
