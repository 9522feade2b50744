// SPDX-License-Identifier: MIT
// A 16550 (PC16550D data sheet), polled; QEMU's isa-debug-exit.
#include "early.h"

#include "init.h"

enum { DATA, INTERRUPTS, FIFO, LINE, MODEM, LINE_STATUS };
#define STATUS_EMPTY 0x20u
#define FIFO_BYTES 16u
#define POLLS_MAX 100000u  // a missing or stuck chip costs time, but no hang

#define EXIT_PORT 0xf4u
#define EXIT_SUCCESS 0x10u
#define EXIT_FAILURE 0x11u

static uint32_t serial;
static uint32_t end;

static uint32_t ports_open(uint32_t first, uint32_t count) {
    uint32_t slot = slot_take();
    if (slot != 0 && machine_ports_create(HANDLE(SLOT_MACHINE), slot, first, count) != OK) {
        slot_drop(slot);
        return 0;
    }
    return slot;
}

void early_open(void) {
    // 115200 baud, 8 bits, no parity; FIFOs on; no interrupts.
    static const uint8_t setup[][2] = {{INTERRUPTS, 0}, {LINE, 0x80}, {DATA, 1}, {INTERRUPTS, 0},
                                       {LINE, 3}, {FIFO, 7}, {MODEM, 3}};
    end = ports_open(EXIT_PORT, 4);
    serial = ports_open(EARLY_SERIAL, EARLY_SERIAL_COUNT);
    for (uint32_t i = 0; serial != 0 && i < ARRAY_LENGTH(setup); i++) {
        (void)!ports_out(HANDLE(serial), setup[i][0], 1, setup[i][1]);
    }
}

uint32_t early_serial_slot(void) {
    return serial;
}

static void wait_empty(void) {
    struct ports_in_out status = {0};
    for (uint32_t i = 0; i < POLLS_MAX && !(status.value & STATUS_EMPTY); i++) {
        if (ports_in(HANDLE(serial), LINE_STATUS, 1, &status) != OK) {
            return;
        }
    }
}

void early_print(const field_text *text) {
    char sent[FIFO_BYTES];
    uint32_t count = 0;
    for (uint32_t at = 0; serial != 0 && (at < text->length || count > 0);) {
        // A newline is two bytes on the line; it may just not fit any more.
        while (at < text->length && count + 2 <= FIFO_BYTES) {
            if (text->bytes[at] == '\n') {
                sent[count++] = '\r';
            }
            sent[count++] = text->bytes[at++];
        }
        wait_empty();
        __builtin_memcpy(message_buffer()->bytes, sent, count);
        (void)!ports_out_bytes(HANDLE(serial), DATA, count);
        count = 0;
    }
    if (serial != 0) {
        wait_empty();
    }
}

void early_end(int success) {
    if (end != 0) {
        (void)!ports_out(HANDLE(end), 0, 4, success ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    (void)!machine_restart(HANDLE(SLOT_MACHINE));
}
