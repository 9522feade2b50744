// SPDX-License-Identifier: MIT
// The trace file's format: pcapng (IETF draft-ietf-opsawg-pcapng) with one interface of link type
// USER0 and one enhanced packet block of 64 bytes per record. Pure; the tracer writes with it, the
// host's tools read with it. All numbers little-endian, as on the machine that writes them.
#pragma once
#include "clock_page.h"
#include "trace.h"

#define PCAPNG_SECTION 0x0a0d0d0au
#define PCAPNG_INTERFACE 1u
#define PCAPNG_PACKET 6u
#define PCAPNG_MAGIC 0x1a2b3c4du
#define PCAPNG_LINK_USER0 147u
#define PCAPNG_DATA_BYTES (TRACE_RECORD_USED - sizeof(uint64_t))  // a record without its time

struct pcapng_section {
    uint32_t type, length, magic;
    uint16_t major, minor;
    uint32_t section_length[2];  // all ones: unknown
    uint32_t length_again;
};

struct pcapng_interface {
    uint32_t type, length;
    uint16_t link, reserved;
    uint32_t snap_length;
    uint16_t resolution_option, resolution_length;
    uint8_t resolution, padding[3];  // 9: a time stamp counts nanoseconds
    uint32_t end_of_options;
    uint32_t length_again;
};

// What a file begins with.
struct pcapng_header {
    struct pcapng_section section;
    struct pcapng_interface interface;
};
_Static_assert(sizeof(struct pcapng_header) == 60, "the header is 60 bytes");

struct pcapng_packet {
    uint32_t type, length, interface, time_high, time_low, captured, original;
    uint32_t data[PCAPNG_DATA_BYTES / 4];
    uint32_t length_again;
};
_Static_assert(sizeof(struct pcapng_packet) == 64, "a record is 64 bytes");

void pcapng_header_fill(struct pcapng_header *header);
// The record's time becomes nanoseconds of this clock.
void pcapng_packet_fill(struct pcapng_packet *packet, const struct clock *clock,
                        const struct trace_record *record);

// The record in a packet, its time in nanoseconds.
struct trace_record pcapng_record(const struct pcapng_packet *packet);
