// SPDX-License-Identifier: MIT
#include "irq.h"
#include "cpu.h"
#include "timer.h"
#include "tracepoint.h"

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA 0xa1
#define PIC_READ_SERVICE 0x0b
#define PIC_END 0x20

static struct irq *taken[IRQ_LINES];
static uint16_t masked = 0xffff & ~(1u << IRQ_TIMER | 1u << IRQ_CASCADE);

static void mask_write(void) {
    port_out8(PIC1_DATA, (uint8_t)masked);
    port_out8(PIC2_DATA, (uint8_t)(masked >> 8));
}

// Initialisation words 1 to 4 (Intel 8259A): vectors from IRQ_VECTOR on, cascade on line 2.
void irq_init(void) {
    port_out8(PIC1_COMMAND, 0x11);
    port_out8(PIC2_COMMAND, 0x11);
    port_out8(PIC1_DATA, IRQ_VECTOR);
    port_out8(PIC2_DATA, IRQ_VECTOR + 8);
    port_out8(PIC1_DATA, 1u << IRQ_CASCADE);
    port_out8(PIC2_DATA, IRQ_CASCADE);
    port_out8(PIC1_DATA, 1);
    port_out8(PIC2_DATA, 1);
    mask_write();
}

error_t irq_check(uint32_t line) {
    if (line >= IRQ_LINES || line == IRQ_TIMER || line == IRQ_CASCADE) {
        return E_ARGUMENT;
    }
    return taken[line] != NULL ? E_STATE : OK;
}

void irq_take(uint32_t line, struct object *object) {
    struct irq *irq = object->body;
    *irq = (struct irq){.object = object, .line = line};
    taken[line] = irq;
}

void irq_give_up(struct irq *irq) {
    irq_mask(irq->line);
    taken[irq->line] = NULL;
}

void irq_mask(uint32_t line) {
    masked |= (uint16_t)(1u << line);
    mask_write();
}

void irq_unmask(uint32_t line) {
    masked &= (uint16_t)~(1u << line);
    mask_write();
}

// A spurious interrupt of line 7 or 15 has no bit in the in-service register and wants no end.
static bool spurious(uint32_t line) {
    uint16_t command = line < 8 ? PIC1_COMMAND : PIC2_COMMAND;
    if (line % 8 != 7) {
        return false;
    }
    port_out8(command, PIC_READ_SERVICE);
    return !(port_in8(command) & 0x80);
}

static void end(uint32_t line) {
    if (line >= 8) {
        port_out8(PIC2_COMMAND, PIC_END);
    }
    port_out8(PIC1_COMMAND, PIC_END);
}

void irq_interrupt(uint32_t line) {
    if (spurious(line)) {
        if (line >= 8) {
            port_out8(PIC1_COMMAND, PIC_END);
        }
        return;
    }
    TRACE(irq, objects.table, line);
    if (line == IRQ_TIMER) {
        end(line);
        timer_interrupt();
        return;
    }
    irq_mask(line);
    end(line);
    struct event *event = taken[line] == NULL ? NULL : reference_body(taken[line]->event);
    if (event != NULL) {
        event_signal(event, taken[line]->bits);
    }
}
