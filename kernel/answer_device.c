// SPDX-License-Identifier: MIT
// What interrupt lines, I/O port ranges and device memory answer (abi/ipc.def).
#include "invoke.h"
#include "cpu.h"
#include "iomem.h"
#include "irq.h"
#include "ports.h"

error_t answer_irq_bind(const struct invocation *invocation, const struct irq_bind_in *in,
                        struct irq_bind_out *out) {
    struct irq *irq = invocation->body;
    irq->event = object_reference(invocation->found->object);
    irq->bits = in->bits;
    irq_unmask(irq->line);
    return OK;
}

error_t answer_irq_ack(const struct invocation *invocation, const struct irq_ack_in *in,
                       struct irq_ack_out *out) {
    const struct irq *irq = invocation->body;
    irq_unmask(irq->line);
    return OK;
}

error_t answer_irq_destroy(const struct invocation *invocation, const struct irq_destroy_in *in,
                           struct irq_destroy_out *out) {
    return invoke_reap(invocation);
}

// `width` bytes at `port`, counted from the range's first, lie inside it?
static error_t access_check(const struct ports *ports, uint32_t port, uint32_t width) {
    if (width != 1 && width != 2 && width != 4) {
        return E_ARGUMENT;
    }
    return port < ports->count && width <= ports->count - port ? OK : E_ADDRESS;
}

static uint32_t read(uint16_t port, uint32_t width) {
    return width == 1 ? port_in8(port) : width == 2 ? port_in16(port) : port_in32(port);
}

static void write(uint16_t port, uint32_t width, uint32_t value) {
    if (width == 1) {
        port_out8(port, (uint8_t)value);
    } else if (width == 2) {
        port_out16(port, (uint16_t)value);
    } else {
        port_out32(port, value);
    }
}

error_t answer_ports_in(const struct invocation *invocation, const struct ports_in_in *in,
                        struct ports_in_out *out) {
    const struct ports *ports = invocation->body;
    error_t error = access_check(ports, in->port, in->width);
    if (error == OK) {
        out->value = read((uint16_t)(ports->first + in->port), in->width);
    }
    return error;
}

error_t answer_ports_out(const struct invocation *invocation, const struct ports_out_in *in,
                         struct ports_out_out *out) {
    const struct ports *ports = invocation->body;
    error_t error = access_check(ports, in->port, in->width);
    if (error == OK) {
        write((uint16_t)(ports->first + in->port), in->width, in->value);
    }
    return error;
}

error_t answer_ports_out_bytes(const struct invocation *invocation,
                               const struct ports_out_bytes_in *in,
                               struct ports_out_bytes_out *out) {
    const struct ports *ports = invocation->body;
    error_t error = access_check(ports, in->port, 1);
    if (error != OK) {
        return error;
    }
    port_out_bytes((uint16_t)(ports->first + in->port), invocation->buffer->bytes, in->count);
    return OK;
}

// An item is two words: port | width << 16 | write << 24, and the value.
error_t answer_ports_batch(const struct invocation *invocation, const struct ports_batch_in *in,
                           struct ports_batch_out *out) {
    const struct ports *ports = invocation->body;
    struct map_item *list = invocation->buffer->list;
    for (uint32_t i = 0; i < in->count; i++) {
        error_t error = access_check(ports, list[i].page & 0xffffu, list[i].page >> 16 & 0xffu);
        if (error != OK) {
            return error;
        }
    }
    for (uint32_t i = 0; i < in->count; i++) {
        uint16_t port = (uint16_t)(ports->first + (list[i].page & 0xffffu));
        uint32_t width = list[i].page >> 16 & 0xffu;
        if (list[i].page >> 24) {
            write(port, width, list[i].frame);
        } else {
            list[i].frame = read(port, width);
        }
    }
    out->done = in->count;
    return OK;
}

error_t answer_ports_destroy(const struct invocation *invocation, const struct ports_destroy_in *in,
                             struct ports_destroy_out *out) {
    return invoke_reap(invocation);
}

error_t answer_iomem_map(const struct invocation *invocation, const struct iomem_map_in *in,
                         struct iomem_map_out *out) {
    return iomem_map(invocation->body, invocation->found->object->body, in->first);
}

error_t answer_iomem_unmap(const struct invocation *invocation, const struct iomem_unmap_in *in,
                           struct iomem_unmap_out *out) {
    iomem_unmap(invocation->body);
    return OK;
}

error_t answer_iomem_destroy(const struct invocation *invocation, const struct iomem_destroy_in *in,
                             struct iomem_destroy_out *out) {
    return invoke_reap(invocation);
}
