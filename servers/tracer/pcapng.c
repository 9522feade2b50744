// SPDX-License-Identifier: MIT
// Fills and reads the blocks of the trace file. Does no input or output, and needs no library.
#include "pcapng.h"

void pcapng_header_fill(struct pcapng_header *header) {
    *header = (struct pcapng_header){
        .section = {PCAPNG_SECTION, sizeof(struct pcapng_section), PCAPNG_MAGIC, 1, 0,
                    {0xffffffffu, 0xffffffffu}, sizeof(struct pcapng_section)},
        .interface = {.type = PCAPNG_INTERFACE,
                      .length = sizeof(struct pcapng_interface),
                      .link = PCAPNG_LINK_USER0,
                      .snap_length = PCAPNG_DATA_BYTES,
                      .resolution_option = 9,
                      .resolution_length = 1,
                      .resolution = 9,
                      .length_again = sizeof(struct pcapng_interface)},
    };
}

void pcapng_packet_fill(struct pcapng_packet *packet, const struct clock *clock,
                        const struct trace_record *record) {
    uint64_t time = clock_scale(clock->scale, record->time - clock->started);
    packet->type = PCAPNG_PACKET;
    packet->length = sizeof(*packet);
    packet->interface = 0;
    packet->time_high = (uint32_t)(time >> 32);
    packet->time_low = (uint32_t)time;
    packet->captured = PCAPNG_DATA_BYTES;
    packet->original = PCAPNG_DATA_BYTES;
    __builtin_memcpy(packet->data, &record->kind, PCAPNG_DATA_BYTES);
    packet->length_again = sizeof(*packet);
}

struct trace_record pcapng_record(const struct pcapng_packet *packet) {
    struct trace_record record = {.time = (uint64_t)packet->time_high << 32 | packet->time_low};
    __builtin_memcpy(&record.kind, packet->data, PCAPNG_DATA_BYTES);
    return record;
}
