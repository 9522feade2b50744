// SPDX-License-Identifier: MIT
// Where entry.asm hands over: calls, exceptions and interrupts. Decides what they are; the work is
// done elsewhere. After each of these functions the assembly leaves to current_thread.
#include "check.h"
#include "cpu.h"
#include "event.h"
#include "fpu.h"
#include "irq.h"
#include "machine.h"
#include "invoke.h"
#include "panic.h"
#include "port.h"
#include "schedule.h"
#include "trap.h"

enum { VECTOR_DEBUG = 1, VECTOR_NO_FPU = 7 };

uint64_t machine_entries, machine_fast_entries;
uint32_t machine_direct_entries;
uint32_t trap_check_interval;
static uint32_t check_countdown;

extern char entry_sysenter[];
extern uint32_t fast_switches, fast_returns, fast_objects;  // entries that fast.asm dealt with

void trap_check(void) {
    struct frame_check check = frame_check();
    if (check.violations > 0) {
        panic(__FILE__, __LINE__, check_law_text(check.law));
    }
}

void machine_count(void) {
    machine_fast_entries += fast_switches + fast_returns;
    machine_entries += fast_switches + fast_returns + fast_objects;
    machine_direct_entries += fast_objects;
    space_loads += fast_switches;
    fast_switches = fast_returns = fast_objects = 0;
}

void trap_check_due(void) {
    if (trap_check_interval != 0 && ++check_countdown >= trap_check_interval) {
        check_countdown = 0;
        trap_check();
    }
}

static void entry_count(const struct thread *thread) {
    machine_count();
    machine_entries++;
    space_loaded = &thread->task->space;
    trap_check_due();
}

static error_t call(struct thread *thread, handle_t handle) {
    error_t error;
    struct handle_entry *entry = handle_find(thread->task, handle, OBJECT_NONE, 0, &error);
    if (entry == NULL) {
        return error;
    }
    if (entry->object->type != OBJECT_PORT) {
        return invoke_error(entry, thread->registers.ebx);
    }
    if (!(entry->rights & RIGHT_CALL)) {
        return E_RIGHT;
    }
    return port_call(thread, entry->object->body, entry->badge);
}

// Reply, receive, or both. The port to receive from; handle 0 is none: only the thread's event.
static error_t serve(struct thread *thread, handle_t handle, uint32_t operation) {
    struct port *port = NULL;
    error_t error;
    if (handle != 0 && operation != OP_REPLY) {
        struct handle_entry *entry =
            handle_find(thread->task, handle, OBJECT_PORT, RIGHT_RECEIVE, &error);
        if (entry == NULL) {
            return error;
        }
        port = entry->object->body;
    }
    if (operation == OP_REPLY || operation == OP_REPLY_RECEIVE) {
        error = port_reply(thread);
        if (error != OK || thread->state != THREAD_READY) {
            return error;
        }
    }
    if (operation == OP_REPLY) {
        thread->registers.eax = TAG_ERROR(OK);
        return OK;
    }
    return port_receive(thread, port, operation != OP_POLL);
}

static error_t signal(struct thread *thread, handle_t handle) {
    error_t error;
    struct handle_entry *entry =
        handle_find(thread->task, handle, OBJECT_EVENT, RIGHT_SIGNAL, &error);
    if (entry != NULL) {
        thread->registers.eax = TAG_ERROR(OK);
        event_signal(entry->object->body, entry->badge);
    }
    return error;
}

static error_t operate(struct thread *thread) {
    uint32_t operation = thread->registers.eax & 15u;
    handle_t handle = thread->registers.eax - operation;
    switch (operation) {
    case OP_CALL:
        return call(thread, handle);
    case OP_RECEIVE:
    case OP_POLL:
    case OP_REPLY:
    case OP_REPLY_RECEIVE:
        return serve(thread, handle, operation);
    case OP_SIGNAL:
        return signal(thread, handle);
    default:
        return E_ARGUMENT;
    }
}

void kernel_call(void) {
    struct thread *thread = current_thread;
    entry_count(thread);
    error_t error = operate(thread);
    if (error != OK) {  // then the thread is still there, and runs
        thread->registers.eax = TAG_ERROR(error);
    }
    schedule();
}

// --- exceptions and interrupts of user code ------------------------------------------------------

// What a fault sends, by the low bits of its error code.
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_FETCH = 16, FAULT_CODES = 32 };
#define FAULT_TAG(code)                                                           \
    [code] = TAG((code)&FAULT_FETCH     ? LABEL_fault_execute                     \
                 : !((code)&FAULT_WRITE) ? LABEL_fault_read                       \
                 : (code)&FAULT_PRESENT  ? LABEL_fault_protection                 \
                                         : LABEL_fault_write,                     \
                 2, 0, 0)
#define FAULT_TAGS(first) FAULT_TAG(first), FAULT_TAG(first + 1), FAULT_TAG(first + 2), \
                          FAULT_TAG(first + 3)
const tag_t fault_tags[FAULT_CODES] = {FAULT_TAGS(0),  FAULT_TAGS(4),  FAULT_TAGS(8),
                                       FAULT_TAGS(12), FAULT_TAGS(16), FAULT_TAGS(20),
                                       FAULT_TAGS(24), FAULT_TAGS(28)};

static void fault(struct thread *thread, tag_t tag, uint32_t address) {
    if (port_fault(thread, tag, address) == OK) {
        return;
    }
    if (thread->task->badge == BADGE_INIT) {
        panic(__FILE__, __LINE__, "init faulted, and nobody is there to help it");
    }
    task_die(thread->task, CAUSE_FAULT);
}

static void exception(struct thread *thread, uint32_t vector) {
    if (vector == VECTOR_NO_FPU && fpu_enter(thread) == OK) {
        return;
    }
    if (vector == VECTOR_PAGE_FAULT) {
        fault(thread, fault_tags[thread->registers.error % FAULT_CODES], cr2_read());
    } else {
        fault(thread, TAG(LABEL_fault_exception, 2, 0, 0), vector);
    }
}

void kernel_trap_user(void) {
    struct thread *thread = current_thread;
    uint32_t vector = thread->registers.vector;
    entry_count(thread);
    if (vector >= IRQ_VECTOR) {
        irq_interrupt(vector - IRQ_VECTOR);
    } else {
        exception(thread, vector);
    }
    schedule();
}

// In the kernel interrupts come only while it idles. A single step may strike at sysenter's first
// instruction: the flag goes, the entry goes on.
void kernel_trap_kernel(struct registers *registers) {
    if (registers->vector >= IRQ_VECTOR && current_thread == NULL) {
        irq_interrupt(registers->vector - IRQ_VECTOR);
    } else if (registers->vector == VECTOR_DEBUG &&
               registers->eip == (uint32_t)(uintptr_t)entry_sysenter) {
        registers->eflags &= ~EFLAGS_TRAP;
    } else {
        panic_trap(registers, cr2_read());
    }
}
