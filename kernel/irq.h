// SPDX-License-Identifier: MIT
// Interrupt lines of the two 8259 PICs. A line that fires is masked until it is acknowledged.
#pragma once
#include "event.h"
#include "start.h"

#define IRQ_LINES 16u
#define IRQ_TIMER 0u
#define IRQ_CASCADE 2u
#define IRQ_VECTOR 32u

struct irq {
    struct object *object;
    uint32_t line;
    struct reference event;
    uint32_t bits;
};

BOOT_TEXT void irq_init(void);
// May the line be taken? E_STATE: it is taken, E_ARGUMENT: no such line, or the kernel's.
error_t irq_check(uint32_t line);
// Take a checked line for the object, whose body is a struct irq.
void irq_take(uint32_t line, struct object *object);
void irq_give_up(struct irq *irq);
void irq_unmask(uint32_t line);
void irq_mask(uint32_t line);
// An interrupt came in at vector IRQ_VECTOR + line.
void irq_interrupt(uint32_t line);
