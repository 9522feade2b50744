// SPDX-License-Identifier: MIT
// System calls about the program itself. There are no users: every id is 0.
#include "linux.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "stubs.h"

void linux_exit(uint32_t status) {
    (void)!init_exit(HANDLE(SLOT_INIT), status & 0xff);
    __builtin_trap();  // it has answered
}

long linux_end(const struct linux_call *call) {
    linux_exit(call->argument[0]);
}

long linux_zero(const struct linux_call *call) {
    (void)call;
    return 0;
}

long linux_process_number(const struct linux_call *call) {
    (void)call;
    struct task_info_out info;
    return task_info(HANDLE(SLOT_TASK), &info) == OK ? (long)info.badge : 1;
}

long linux_parent_number(const struct linux_call *call) {
    (void)call;
    return 1;
}

long linux_uname(const struct linux_call *call) {
    struct utsname *name = (struct utsname *)call->argument[0];
    memset(name, 0, sizeof *name);
    strcpy(name->sysname, "Quire");
    strcpy(name->nodename, "quire");
    strcpy(name->release, "0.1");
    strcpy(name->machine, "i686");
    return 0;
}

// A message that does nothing gives others of the same priority their turn no sooner; the kernel
// takes turns by time.
long linux_yield(const struct linux_call *call) {
    (void)call;
    return 0;
}

long linux_directory(const struct linux_call *call) {
    char *path = (char *)call->argument[0];
    if (call->argument[1] < 2) {
        return -ERANGE;
    }
    strcpy(path, "/");
    return 2;
}

long linux_random(const struct linux_call *call) {
    unsigned char *bytes = (unsigned char *)call->argument[0];
    for (uint32_t i = 0; i < call->argument[1]; i++) {
        bytes[i] = (unsigned char)(linux_random_word() >> 8);
    }
    return (long)call->argument[1];
}
