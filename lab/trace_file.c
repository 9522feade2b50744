// SPDX-License-Identifier: MIT
// The pcapng reader: one block after another, each checked before anything of it is used.
#include "trace_file.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "pcapng.h"

#define BLOCK_MAX 65536u  // far above anything that belongs in a trace
#define BLOCK_MIN 12u     // type, length, length again
#define CLASSIC_PCAP 0xa1b2c3d4u
#define CLASSIC_PCAP_NS 0xa1b23c4du
#define MAGIC_SWAPPED 0x4d3c2b1au

// A block without its type and lengths.
struct block {
    uint32_t type, length;
    uint8_t body[BLOCK_MAX];
};

void trace_file_open(struct trace_file *file, FILE *stream) {
    *file = (struct trace_file){.stream = stream};
}

__attribute__((format(printf, 2, 3))) static enum trace_status bad(struct trace_file *file,
                                                                   const char *format, ...) {
    va_list arguments;
    int length = snprintf(file->error, sizeof(file->error), "at byte %" PRIu64 ": ", file->offset);
    va_start(arguments, format);
    vsnprintf(file->error + length, sizeof(file->error) - (size_t)length, format, arguments);
    va_end(arguments);
    return TRACE_BAD;
}

static uint32_t word_at(const struct block *block, uint32_t offset) {
    uint32_t word;
    memcpy(&word, block->body + offset, sizeof(word));
    return word;
}

static enum trace_status start_check(struct trace_file *file, const uint32_t start[2]) {
    if (file->in_section || start[0] == PCAPNG_SECTION) {
        return TRACE_RECORD;
    }
    if (start[0] == CLASSIC_PCAP || start[0] == CLASSIC_PCAP_NS) {
        return bad(file, "a pcap file, not pcapng: traces of Quire are pcapng");
    }
    return bad(file, "not a pcapng file: it begins with 0x%08" PRIx32, start[0]);
}

// Read one block whole. TRACE_RECORD: it is there.
static enum trace_status block_read(struct trace_file *file, struct block *block) {
    uint32_t start[2], again;
    size_t got = fread(start, 1, sizeof(start), file->stream);
    if (got < sizeof(start)) {
        return got == 0 ? TRACE_END : TRACE_CUT;
    }
    enum trace_status status = start_check(file, start);
    if (status != TRACE_RECORD) {
        return status;
    }
    if (start[1] < BLOCK_MIN || start[1] % 4 != 0 || start[1] > BLOCK_MAX) {
        return bad(file, "a block of %" PRIu32 " bytes", start[1]);
    }
    block->type = start[0];
    block->length = start[1] - BLOCK_MIN;
    if (fread(block->body, 1, block->length, file->stream) < block->length ||
        fread(&again, 1, sizeof(again), file->stream) < sizeof(again)) {
        return TRACE_CUT;
    }
    if (again != start[1]) {
        return bad(file, "a block says %" PRIu32 " bytes at its start and %" PRIu32 " at its end",
                   start[1], again);
    }
    return TRACE_RECORD;
}

static enum trace_status section_begin(struct trace_file *file, const struct block *block) {
    if (block->length < 16) {
        return bad(file, "the section header is too short");
    }
    if (word_at(block, 0) != PCAPNG_MAGIC) {
        return bad(file, word_at(block, 0) == MAGIC_SWAPPED
                             ? "a big-endian file: traces of Quire are little-endian"
                             : "the section header has no byte-order mark");
    }
    if ((word_at(block, 4) & 0xffff) != 1) {
        return bad(file, "pcapng version %" PRIu32 ", only 1 is known", word_at(block, 4) & 0xffff);
    }
    file->in_section = true;
    file->interfaces = 0;
    return TRACE_RECORD;
}

// Nanoseconds per unit from the option if_tsresol; 0: a resolution that we cannot use.
static uint64_t interface_tick(const struct block *block) {
    uint32_t exponent = 6;  // pcapng's default: microseconds
    for (uint32_t at = 8; at + 4 <= block->length;) {
        uint32_t code = word_at(block, at) & 0xffff, length = word_at(block, at) >> 16;
        if (code == 0) {
            break;
        }
        if (code == 9 && length == 1 && at + 5 <= block->length) {
            exponent = block->body[at + 4];
        }
        at += 4 + (length + 3) / 4 * 4;
    }
    uint64_t tick = 1;
    for (uint32_t i = exponent; i < 9; i++) {
        tick *= 10;
    }
    return exponent <= 9 ? tick : 0;
}

static enum trace_status interface_add(struct trace_file *file, const struct block *block) {
    if (block->length < 8) {
        return bad(file, "an interface description is too short");
    }
    if ((word_at(block, 0) & 0xffff) != PCAPNG_LINK_USER0) {
        return bad(file, "link type %" PRIu32 " instead of %u: a capture, but no trace of Quire",
                   word_at(block, 0) & 0xffff, PCAPNG_LINK_USER0);
    }
    uint64_t tick = interface_tick(block);
    if (tick == 0 || file->interfaces == TRACE_INTERFACES_MAX) {
        return bad(file, tick == 0 ? "a time resolution that is not 10^-n, n <= 9"
                                   : "too many interfaces");
    }
    file->tick[file->interfaces++] = tick;
    return TRACE_RECORD;
}

static enum trace_status packet_decode(struct trace_file *file, const struct block *block,
                                       struct trace_record *record) {
    struct pcapng_packet packet = {.type = block->type};
    const uint32_t fixed = offsetof(struct pcapng_packet, data) - 8;
    if (block->length < fixed + PCAPNG_DATA_BYTES) {
        return bad(file, "a record of %" PRIu32 " bytes", block->length);
    }
    memcpy(&packet.interface, block->body, fixed + PCAPNG_DATA_BYTES);
    if (packet.interface >= file->interfaces) {
        return bad(file, "a record of interface %" PRIu32 ", which was not described",
                   packet.interface);
    }
    if (packet.captured != PCAPNG_DATA_BYTES) {
        return bad(file, "a record with %" PRIu32 " bytes of data instead of %zu",
                   packet.captured, PCAPNG_DATA_BYTES);
    }
    *record = pcapng_record(&packet);
    record->time *= file->tick[packet.interface];
    file->records++;
    return TRACE_RECORD;
}

enum trace_status trace_file_next(struct trace_file *file, struct trace_record *record) {
    static struct block block;
    for (;;) {
        enum trace_status status = block_read(file, &block);
        bool packet = block.type == PCAPNG_PACKET;
        if (status == TRACE_END && !file->in_section) {
            return bad(file, "the file is empty");
        }
        if (status == TRACE_RECORD) {
            status = block.type == PCAPNG_SECTION     ? section_begin(file, &block)
                     : block.type == PCAPNG_INTERFACE ? interface_add(file, &block)
                     : packet                         ? packet_decode(file, &block, record)
                                                      : TRACE_RECORD;
            file->offset += block.length + BLOCK_MIN;
            packet = packet && status == TRACE_RECORD;
        }
        if (status != TRACE_RECORD || packet) {
            return status;
        }
    }
}
