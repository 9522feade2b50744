// SPDX-License-Identifier: MIT
#include "log.h"
#include <stdarg.h>
#include <stdbool.h>
#include "cpu.h"

#define DEBUG_PORT 0xe9
#define SERIAL 0x3f8
#define LOG_BYTES 4096u

// Only debuggers read the ring (tools/quire.gdb.py): without `used` it would be optimised away.
__attribute__((used)) static char ring[LOG_BYTES];
__attribute__((used)) static uint32_t ring_end;
static bool serial;

static void serial_put(char c) {
    for (uint32_t tries = 0; tries < 100000 && !(port_in8(SERIAL + 5) & 0x20); tries++) {
    }
    port_out8(SERIAL, (uint8_t)c);
}

static void put(char c) {
    ring[ring_end++ % LOG_BYTES] = c;
    port_out8(DEBUG_PORT, (uint8_t)c);
    if (serial) {
        if (c == '\n') {
            serial_put('\r');
        }
        serial_put(c);
    }
}

void log_bytes(const char *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        put(bytes[i]);
    }
}

static void put_text(const char *text) {
    while (*text != 0) {
        put(*text++);
    }
}

static void put_decimal(uint32_t value) {
    char digits[10];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        put(digits[--count]);
    }
}

static void put_hexadecimal(uint32_t value) {
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[value >> shift & 15]);
    }
}

void log_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (; *format != 0; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            put_text(va_arg(arguments, const char *));
            break;
        case 'u':
            put_decimal(va_arg(arguments, uint32_t));
            break;
        case 'x':
            put_hexadecimal(va_arg(arguments, uint32_t));
            break;
        default:
            put(*format);
        }
    }
    va_end(arguments);
}

void log_to_serial(void) {
    serial = true;
}
