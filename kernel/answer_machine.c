// SPDX-License-Identifier: MIT
// What the machine and the trace object answer (abi/ipc.def).
#include "invoke.h"
#include "check.h"
#include "cpu.h"
#include "iomem.h"
#include "irq.h"
#include "log.h"
#include "machine.h"
#include "ports.h"
#include "schedule.h"
#include "tracepoint.h"

error_t answer_machine_log(const struct invocation *invocation, const struct machine_log_in *in,
                           struct machine_log_out *out) {
    log_bytes(in->text.bytes, in->text.length);
    return OK;
}

error_t answer_machine_check(const struct invocation *invocation, const struct machine_check_in *in,
                             struct machine_check_out *out) {
    struct frame_check check = frame_check();
    *out = (struct machine_check_out){check.violations, check.frame, check.law};
    return OK;
}

error_t answer_machine_info(const struct invocation *invocation, const struct machine_info_in *in,
                            struct machine_info_out *out) {
    machine_count();
    *out = (struct machine_info_out){
        frames.total, frames.free, objects.used, objects.count, (uint32_t)machine_entries,
        (uint32_t)(machine_entries >> 32), (uint32_t)space_loads, (uint32_t)(space_loads >> 32),
        (uint32_t)schedule_idle_cycles, (uint32_t)(schedule_idle_cycles >> 32),
        (uint32_t)machine_fast_entries, (uint32_t)(machine_fast_entries >> 32),
        machine_direct_entries};
    return OK;
}

error_t answer_machine_irq_create(const struct invocation *invocation,
                                  const struct machine_irq_create_in *in,
                                  struct machine_irq_create_out *out) {
    error_t error = irq_check(in->line);
    if (error != OK) {
        return error;
    }
    struct object *object = invoke_create(invocation, in->slot, OBJECT_IRQ, sizeof(struct irq),
                                          invocation->task->pool);
    if (object == NULL) {
        return E_MEMORY;
    }
    irq_take(in->line, object);
    return OK;
}

error_t answer_machine_ports_create(const struct invocation *invocation,
                                    const struct machine_ports_create_in *in,
                                    struct machine_ports_create_out *out) {
    if (in->count > 0x10000 - in->first) {
        return E_ARGUMENT;
    }
    struct object *object = invoke_create(invocation, in->slot, OBJECT_PORTS, sizeof(struct ports),
                                          invocation->task->pool);
    if (object == NULL) {
        return E_MEMORY;
    }
    *(struct ports *)object->body = (struct ports){in->first, in->count};
    return OK;
}

error_t answer_machine_iomem_create(const struct invocation *invocation,
                                    const struct machine_iomem_create_in *in,
                                    struct machine_iomem_create_out *out) {
    error_t error = iomem_check(in->first, in->count);
    if (error != OK) {
        return error;
    }
    struct object *object = invoke_create(invocation, in->slot, OBJECT_IOMEM, sizeof(struct iomem),
                                          invocation->task->pool);
    if (object == NULL) {
        return E_MEMORY;
    }
    *(struct iomem *)object->body =
        (struct iomem){.object = object, .first = in->first, .count = in->count};
    return OK;
}

error_t answer_machine_plant(const struct invocation *invocation, const struct machine_plant_in *in,
                             struct machine_plant_out *out) {
    return check_plant(in->law, in->frame, &invocation->task->space);
}

// The keyboard controller's reset line; where there is none, a fault without a handler.
error_t answer_machine_restart(const struct invocation *invocation,
                               const struct machine_restart_in *in,
                               struct machine_restart_out *out) {
    port_out8(0x64, 0xfe);
    struct __attribute__((packed)) {
        uint16_t limit;
        uint32_t base;
    } none = {0, 0};
    __asm__ volatile("lidt %0; int3" : : "m"(none));
    return OK;
}

error_t answer_trace_attach(const struct invocation *invocation, const struct trace_attach_in *in,
                            struct trace_attach_out *out) {
    if (in->count == 0) {
        trace_detach();
        return OK;
    }
    if (in->count > LIST_MAX) {
        return E_ARGUMENT;
    }
    error_t error;
    const struct handle_entry *event = invoke_source(invocation, in->event, in->bits, &error);
    if (event == NULL) {
        return error;
    }
    const struct map_item *list = invocation->buffer->list;
    for (uint32_t i = 0; i < in->count; i++) {
        frame_t frame = ITEM_FRAME(list[i]);
        if (!pool_owns(invocation->task->pool, frame) || !frame_is_low(frame) ||
            frame_entry(frame)->maps & FRAME_RING) {
            return E_OWNER;
        }
    }
    return trace_attach(list, in->count, event->object, in->bits);
}

error_t answer_trace_control(const struct invocation *invocation, const struct trace_control_in *in,
                             struct trace_control_out *out) {
    out->old = trace_mask;
    trace_control(in->mask);
    return OK;
}

error_t answer_trace_emit(const struct invocation *invocation, const struct trace_emit_in *in,
                          struct trace_emit_out *out) {
    if (!(trace_mask & 1u << in->kind)) {
        return E_STATE;  // nobody records it: the server may stop telling
    }
    trace_record(in->kind, invocation->thread, in->task, 0, 0, in->word0, in->word1, in->word2);
    return OK;
}

error_t answer_trace_exempt(const struct invocation *invocation, const struct trace_exempt_in *in,
                            struct trace_exempt_out *out) {
    ((struct task *)invocation->found->object->body)->exempt = true;
    return OK;
}
