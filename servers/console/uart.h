// SPDX-License-Identifier: MIT
// The 16550 serial line: bytes from a ring into its FIFO, bytes from its FIFO into a ring.
// Every access goes through batches of port messages, as few as possible. Does not look at bytes.
#pragma once
#include "byte_ring.h"
#include <stdbool.h>

#define UART_EVENT_IRQ 1u  // bit of the server's event that the interrupt sets

// Set the line up (115200 8N1, FIFOs on), bind its interrupt, and keep what was typed before.
// Without a 16550 at the ports all output is dropped and no input comes.
void uart_start(struct byte_ring *ring);

// Move bytes from the ring to the device while it takes them at once. What is left waits for the
// transmit interrupt. With `notify` that interrupt also comes when the ring is empty but the
// device is not.
void uart_send(struct byte_ring *ring, bool notify);

// Whether the transmit FIFO is empty; if so, waits until its last byte is on the line, for which
// there is no interrupt.
bool uart_drained(void);

// Serve an interrupt: take what has arrived into the ring as far as there is room. Call
// uart_acknowledge() when the work it caused is done.
void uart_interrupt(struct byte_ring *ring);
void uart_acknowledge(void);

// Take input again after the ring was full.
void uart_listen(const struct byte_ring *ring);
