// SPDX-License-Identifier: MIT
// The 16550 serial line; registers as in National Semiconductor's PC16550D data sheet.
#include "uart.h"

#include "stubs.h"

enum {
    DATA = 0,            // receive and transmit; divisor, low half
    INTERRUPT_ENABLE = 1,  // divisor, high half
    INTERRUPT_IDENTITY = 2,
    FIFO_CONTROL = 2,
    LINE_CONTROL = 3,
    MODEM_CONTROL = 4,
    LINE_STATUS = 5,
    MODEM_STATUS = 6,
    SCRATCH = 7,
};
#define ENABLE_RECEIVE 1u
#define ENABLE_TRANSMIT 2u
#define IDENTITY_NONE 1u       // no interrupt is pending
#define IDENTITY_CAUSE 0x0fu
#define IDENTITY_RECEIVED 4u   // at least FIFO_TRIGGER bytes have arrived
#define LINE_DIVISOR 0x80u     // DATA and INTERRUPT_ENABLE are the divisor
#define LINE_8N1 3u
#define FIFO_CLEAR_8 0x87u     // on, emptied, interrupt at 8 bytes (or after a pause)
#define MODEM_LOOP 0x10u       // loop-back: cut off from the line
#define MODEM_ON 0x0bu         // DTR, RTS, and OUT2, which lets the interrupt through on a PC
#define STATUS_DATA 1u         // a received byte waits
#define STATUS_FIFO_EMPTY 0x20u
#define STATUS_IDLE 0x40u
#define FIFO_BYTES 16u
#define FIFO_TRIGGER 8u
#define SEND_BATCHES 64u       // bytes sent in one go: 1024; then messages are looked at again
#define ROUNDS_MAX 4096u       // a device that never stops interrupting is left alone
#define DRAIN_READS 32u        // about 32 us on a PC, where one byte takes 87 us to leave
#define DRAIN_BATCHES 16u

static struct {
    bool present;
    bool ready;        // the transmit FIFO was empty when we looked last
    bool pending;      // the device wanted something when we looked last
    uint32_t enabled;  // as in INTERRUPT_ENABLE
} uart;

// ---- a batch: pairs of words in the message buffer (ports.batch in abi/ipc.def) ----------------
static uint32_t batch_length;

static void batch_add(uint32_t port, bool write, uint32_t value) {
    message_buffer()->list[batch_length++] =
        (struct map_item){port | 1u << 16 | (uint32_t)write << 24, value};
}

static void batch_write(uint32_t port, uint32_t value) {
    batch_add(port, true, value);
}

static void batch_read(uint32_t port) {
    batch_add(port, false, 0);
}

// Runs the batch; values read stand in the list afterwards. Should the kernel refuse it, there is
// no line any more: all reads as zeros.
static void batch_run(void) {
    struct ports_batch_out out;
    if (ports_batch(HANDLE(SLOT_PORTS), batch_length, &out) != OK) {
        __builtin_memset(message_buffer()->list, 0, batch_length * sizeof(struct map_item));
        uart.present = false;
    }
    batch_length = 0;
}

static uint32_t batch_value(uint32_t index) {
    return message_buffer()->list[index].frame & 0xffu;
}

// ---- set up ----------------------------------------------------------------------------------
// Without a device all ports read 0xff, and the scratch register keeps nothing.
static bool uart_probe(void) {
    batch_write(SCRATCH, 0x5a);
    batch_read(SCRATCH);
    batch_write(SCRATCH, 0xa5);
    batch_read(SCRATCH);
    batch_run();
    return batch_value(1) == 0x5a && batch_value(3) == 0xa5;
}

// What was typed before now stands in a FIFO that switching FIFOs on would clear: it is kept.
// Meanwhile the line is in loop-back, so that nothing new comes in.
static void early_input(struct byte_ring *ring) {
    batch_write(INTERRUPT_ENABLE, 0);
    batch_write(MODEM_CONTROL, MODEM_LOOP);
    uint32_t first = batch_length;
    for (uint32_t i = 0; i < FIFO_BYTES; i++) {
        batch_read(LINE_STATUS);
        batch_read(DATA);
    }
    batch_write(FIFO_CONTROL, FIFO_CLEAR_8);
    batch_run();
    for (uint32_t i = first; i < first + 2 * FIFO_BYTES; i += 2) {
        if (batch_value(i) & STATUS_DATA) {
            byte_ring_put(ring, (uint8_t)batch_value(i + 1));
        }
    }
}

void uart_start(struct byte_ring *ring) {
    if (!uart_probe()) {
        return;
    }
    uart.present = true;
    uart.ready = true;
    uart.enabled = ENABLE_RECEIVE;
    batch_write(LINE_CONTROL, LINE_DIVISOR | LINE_8N1);
    batch_write(DATA, 1);
    batch_write(INTERRUPT_ENABLE, 0);
    batch_write(LINE_CONTROL, LINE_8N1);
    early_input(ring);
    if (irq_bind(HANDLE(SLOT_IRQ), HANDLE(SLOT_EVENT), UART_EVENT_IRQ) != OK) {
        uart.present = false;  // without interrupts output would stop half way
        return;
    }
    batch_write(MODEM_CONTROL, MODEM_ON);
    batch_read(LINE_STATUS);
    batch_read(MODEM_STATUS);
    batch_write(INTERRUPT_ENABLE, uart.enabled);
    batch_run();
}

static void batch_enable(uint32_t enabled) {
    if (enabled != uart.enabled) {
        uart.enabled = enabled;
        batch_write(INTERRUPT_ENABLE, enabled);
    }
}

// ---- sending ---------------------------------------------------------------------------------
// One kernel entry: up to 16 bytes, the interrupt switched off if these are the last, and a look
// whether the FIFO takes more.
static void send_batch(struct byte_ring *ring) {
    uint32_t count = MIN_OF(byte_ring_used(ring), FIFO_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        batch_write(DATA, byte_ring_take(ring));
    }
    if (byte_ring_used(ring) == 0) {
        batch_enable(uart.enabled & ~ENABLE_TRANSMIT);
    }
    batch_read(LINE_STATUS);
    uint32_t status = batch_length - 1;
    batch_run();
    uart.ready = batch_value(status) & STATUS_FIFO_EMPTY;
}

void uart_send(struct byte_ring *ring, bool notify) {
    if (!uart.present) {
        ring->out = ring->in;
        return;
    }
    for (uint32_t n = 0; uart.ready && byte_ring_used(ring) > 0 && n < SEND_BATCHES; n++) {
        send_batch(ring);
    }
    bool wait = byte_ring_used(ring) > 0 || (notify && !uart.ready);
    if (wait && !(uart.enabled & ENABLE_TRANSMIT)) {
        batch_enable(uart.enabled | ENABLE_TRANSMIT);
        batch_run();
    }
}

bool uart_drained(void) {
    if (!uart.present) {
        return true;
    }
    bool idle = false;
    for (uint32_t n = 0; uart.ready && !idle && n < DRAIN_BATCHES; n++) {
        for (uint32_t i = 0; i < DRAIN_READS; i++) {
            batch_read(LINE_STATUS);
        }
        batch_run();
        idle = batch_value(DRAIN_READS - 1) & STATUS_IDLE;
    }
    return uart.ready;
}

// ---- receiving -------------------------------------------------------------------------------
// Takes `count` bytes that are known to have arrived, then looks at what the device wants next, all
// in one batch. Never reads more: a byte that comes between a look and a read would be lost.
static uint32_t receive_batch(struct byte_ring *ring, uint32_t count) {
    uint32_t first = batch_length;  // a write of INTERRUPT_ENABLE may stand before
    for (uint32_t i = 0; i < count; i++) {
        batch_read(DATA);
    }
    batch_read(INTERRUPT_IDENTITY);
    batch_read(MODEM_STATUS);
    batch_read(LINE_STATUS);
    batch_run();
    for (uint32_t i = first; i < first + count; i++) {
        byte_ring_put(ring, (uint8_t)batch_value(i));
    }
    uint32_t identity = batch_value(first + count), status = batch_value(first + count + 2);
    uart.ready = uart.ready || (status & STATUS_FIFO_EMPTY);
    uart.pending = !(identity & IDENTITY_NONE);
    if (!(uart.enabled & ENABLE_RECEIVE) || !(status & STATUS_DATA)) {
        return 0;
    }
    return (identity & IDENTITY_CAUSE) == IDENTITY_RECEIVED ? FIFO_TRIGGER : 1;
}

// The interrupt line is edge-triggered: it must be low before it is acknowledged, or no further
// edge ever comes. So this goes on until the device says that nothing is pending.
void uart_interrupt(struct byte_ring *ring) {
    uint32_t count = 0;
    uart.pending = true;
    for (uint32_t n = 0; (uart.pending || count > 0) && uart.present && n < ROUNDS_MAX; n++) {
        if (byte_ring_room(ring) < 2 * FIFO_TRIGGER) {
            batch_enable(uart.enabled & ~ENABLE_RECEIVE);
        }
        count = receive_batch(ring, count);
    }
}

void uart_acknowledge(void) {
    if (irq_ack(HANDLE(SLOT_IRQ)) != OK) {
        uart.present = false;  // the line is gone: drop output rather than wait for ever
    }
}

void uart_listen(const struct byte_ring *ring) {
    if (uart.present && !(uart.enabled & ENABLE_RECEIVE) &&
        byte_ring_used(ring) < BYTE_RING_SIZE / 2) {
        batch_enable(uart.enabled | ENABLE_RECEIVE);
        batch_run();
    }
}
