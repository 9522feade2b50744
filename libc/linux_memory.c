// SPDX-License-Identifier: MIT
// Mappings: anonymous memory and boot modules, both private. brk is not offered, so that nothing
// grows where the pager does not see it.
#include "linux.h"

#include <errno.h>
#include <sys/mman.h>

#include "stubs.h"

_Static_assert(PROT_READ == MAP_READ && PROT_WRITE == MAP_WRITE && PROT_EXEC == MAP_EXECUTE,
               "Linux and the pager number the rights alike");

// Linux replaces what lies at a fixed address. The pager would choose another place, so what lies
// there is removed first.
static long place_clear(uint32_t address, uint32_t length, uint32_t flags) {
    if ((flags & MAP_FIXED) == 0) {
        return 0;
    }
    error_t error = pager_unmap(HANDLE(SLOT_PAGER), address, length);
    return error == E_UNMAPPED ? 0 : linux_error(error);
}

// The address, unless a fixed one was wanted and the pager had to choose another.
static long place_check(uint32_t address, uint32_t hint, uint32_t length) {
    if (hint == 0 || address == hint) {
        return (long)address;
    }
    error_t error = pager_unmap(HANDLE(SLOT_PAGER), address, length);
    return error != OK ? linux_error(error) : -ENOMEM;
}

static long module_map(const struct linux_call *call, uint32_t hint, uint32_t length) {
    struct linux_module module;
    struct pager_file_map_out out;
    if (!linux_module_of(call->argument[4], &module)) {
        return -EBADF;
    }
    if (call->argument[5] >= (PAGE_UP(module.length) >> PAGE_SHIFT)) {
        return -EINVAL;
    }
    long error = linux_error(pager_file_map(HANDLE(SLOT_PAGER), hint, length,
                                            call->argument[2] & MAP_RIGHTS, module.file,
                                            call->argument[5] << PAGE_SHIFT, &out));
    return error != 0 ? error : place_check(out.address, hint, length);
}

long linux_map(const struct linux_call *call) {
    uint32_t flags = call->argument[3];
    uint32_t hint = (flags & MAP_FIXED) ? call->argument[0] : 0;
    if (call->argument[1] == 0 || call->argument[1] > LAYOUT_KERNEL || PAGE_OFFSET(hint) != 0) {
        return -EINVAL;
    }
    uint32_t length = PAGE_UP(call->argument[1]);
    long error = place_clear(hint, length, flags);
    if (error != 0) {
        return error;
    }
    if ((flags & MAP_ANONYMOUS) == 0) {
        return module_map(call, hint, length);
    }
    struct pager_map_out out;
    error = linux_error(pager_map(HANDLE(SLOT_PAGER), hint, length,
                                  call->argument[2] & MAP_RIGHTS, &out));
    return error != 0 ? error : place_check(out.address, hint, length);
}

long linux_unmap(const struct linux_call *call) {
    return linux_error(
        pager_unmap(HANDLE(SLOT_PAGER), call->argument[0], PAGE_UP(call->argument[1])));
}

long linux_protect(const struct linux_call *call) {
    return linux_error(pager_protect(HANDLE(SLOT_PAGER), call->argument[0],
                                     PAGE_UP(call->argument[1]), call->argument[2] & MAP_RIGHTS));
}

long linux_advise(const struct linux_call *call) {
    if (call->argument[2] != MADV_DONTNEED && call->argument[2] != MADV_FREE) {
        return 0;
    }
    return linux_error(pager_advise(HANDLE(SLOT_PAGER), call->argument[0],
                                    PAGE_UP(call->argument[1]), ADVICE_FREE));
}
