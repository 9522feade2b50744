// SPDX-License-Identifier: MIT
// The rest of the kernel, for the linker: what the searched parts name of threads, ports and devices,
// which the small machine has not. A new name that is missing here says so when it is linked.
#include <stdint.h>

__attribute__((noreturn)) void panic(const char *file, uint32_t line, const char *reason);

// Never called, for there is no thread, port, timer or interrupt.
#define ABSENT(name)                                                        \
    void name(void);                                                        \
    void name(void) {                                                       \
        panic(__FILE__, __LINE__, #name "() in a machine that has it not"); \
    }
// Called, and has nothing to do.
#define IDLE(name)     \
    void name(void);   \
    void name(void) {} \
    void name(void)

ABSENT(event_destroy)
ABSENT(event_signal)
ABSENT(invoke_create)
ABSENT(invoke_handle_new)
ABSENT(iomem_unmap)
ABSENT(irq_give_up)
ABSENT(port_caller_abandoned)
ABSENT(port_destroy)
ABSENT(thread_create)
ABSENT(thread_cycles)
ABSENT(thread_destroy)
ABSENT(thread_serve)
ABSENT(thread_stop)
ABSENT(timer_cancel)
ABSENT(trace_object)
ABSENT(trace_record)
ABSENT(trace_record_items)
ABSENT(window_copy)
IDLE(schedule_due);
IDLE(schedule_forget_payer);
IDLE(schedule_slice_end);
IDLE(trace_map);
