// SPDX-License-Identifier: MIT
// The message path as one task sees it: wrong calls first, then calls of kernel objects.
#include "environment.h"

static error_t call_raw(uint32_t eax, tag_t tag) {
    struct ipc_registers r = {.eax = eax, .ebx = tag};
    ipc_enter(&r);
    return TAG_TO_ERROR(r.eax);
}

TEST(bad_handle, "a call on a handle that is none is refused") {
    CHECK_EQUAL(call_raw(HANDLE(0), LABEL_task_ping), E_HANDLE);
    CHECK_EQUAL(call_raw(HANDLE(200), LABEL_task_ping), E_HANDLE);
    CHECK_EQUAL(call_raw(HANDLE(SLOT_COUNT), LABEL_task_ping), E_HANDLE);
    CHECK_EQUAL(call_raw(0xfffffff0u, LABEL_task_ping), E_HANDLE);
}

TEST(bad_operation, "an operation that is none is refused") {
    for (uint32_t operation = OP_COUNT; operation < 16; operation++) {
        CHECK_EQUAL(call_raw(TASK | operation, 0), E_ARGUMENT);
    }
}

TEST(bad_label, "a message of another interface or number is refused") {
    CHECK_EQUAL(call_raw(TASK, LABEL_pool_info), E_MESSAGE);
    CHECK_EQUAL(call_raw(TASK, 0), E_MESSAGE);
    CHECK_EQUAL(call_raw(TASK, 0xffff), E_MESSAGE);
    CHECK_EQUAL(call_raw(TASK, INTERFACE_task << 8 | 0xff), E_MESSAGE);
}

TEST(bad_length, "too many words, handles or items are refused") {
    CHECK_EQUAL(call_raw(TASK, TAG(LABEL_task_ping, 1, 0, 0)), E_LENGTH);
    CHECK_EQUAL(call_raw(TASK, TAG(LABEL_task_ping, 0, 1, 0)), E_LENGTH);
    CHECK_EQUAL(call_raw(TASK, TAG(LABEL_task_ping, 0, 0, 1)), E_LENGTH);
    CHECK_EQUAL(call_raw(TASK, TAG_ERROR(E_IO)), E_MESSAGE);
}

TEST(ping, "a call of the own task returns") {
    CHECK_EQUAL(task_ping(TASK), OK);
}

TEST(info, "the machine tells how many frames there are") {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    CHECK(info.frames_total > info.frames_free && info.frames_free > 0);
}
