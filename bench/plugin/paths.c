// SPDX-License-Identifier: MIT
// A plugin of QEMU's (TCG, API version 1) that says where the instructions of a benchmark's rounds
// went. It knows the marks of bench/guest/measure.h. Writes to the file given by `out=FILE`:
//   row                               each time the guest begins one; then, for each round of it:
//   round I K E C L                   instructions, of them the kernel's, entries, CR3 loads, lines
//   block ADDRESS BYTES               an instruction of the profile below, with its machine code
//   profile I                         one round of I instructions, the first of this length:
//   at ADDRESS N                      ... executed N times; ends with the next line of another kind
// Lines are distinct 64-byte lines, by virtual address, of the kernel's instructions and of what they
// read and write; what the processor itself reads (page tables, descriptors) is not among them.
// Knows nothing of rows' names or of symbols: bench/run.py does.
#include "qemu.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- instructions --------------------------------------------------------------------------------

#define KERNEL 0xc0000000u
#define KERNEL_END 0xf8000000u  // behind it lies firmware
#define MARK 0x51c0de00u
enum { MARK_ROW, MARK_BEGIN, MARK_END, MARK_MORE, MARK_NONE };
enum { LINE_SHIFT = 6, LENGTH_MAX = 15, KINDS_MAX = 64 };
enum { BUCKET_BITS = 14, BUCKETS = 1 << BUCKET_BITS, LINES_BITS = 20, LINES_MAX = 1 << LINES_BITS };

struct instruction {
    struct instruction *next;     // in its bucket
    struct instruction *touched;  // by this round
    uint32_t address;
    const void *place;            // in the host's memory: tells address spaces apart
    uint8_t length, bytes[LENGTH_MAX];
    uint8_t mark;
    bool loads_cr3;
    uint32_t executed;            // in this round
};

static struct instruction *bucket[BUCKETS];
static FILE *out;

static struct {
    bool running;                 // between a beginning and an end
    bool open;                    // a round has begun and is not yet written
    struct instruction *first;    // touched
    uint32_t instructions, kernel, entries, loads, lines;
} round_now;

static enum { FIRMWARE, BOOTING, BOOTED } stage;
static bool row_begun;  // rounds before a row are nobody's
static bool was_user;
static uint32_t line_round[LINES_MAX];  // by hash: number of the round that touched it, and which
static uint32_t line_address[LINES_MAX];
static uint32_t round_number;
static uint32_t known_length[KINDS_MAX], known_count;  // rounds of the row that have a profile

static bool in_kernel(const struct instruction *at) {
    return at->address >= KERNEL && at->address < KERNEL_END;
}

static uint32_t mark_of(const uint8_t *bytes, size_t length) {
    uint32_t value;
    if (length != 7 || bytes[0] != 0x0f || bytes[1] != 0x1f || bytes[2] != 0x80) {
        return MARK_NONE;
    }
    memcpy(&value, bytes + 3, sizeof(value));
    return value - MARK < MARK_NONE ? value - MARK : MARK_NONE;
}

static struct instruction *instruction_find(const struct qemu_plugin_insn *from) {
    uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(from);
    size_t length = qemu_plugin_insn_size(from);
    const void *place = qemu_plugin_insn_haddr(from), *bytes = qemu_plugin_insn_data(from);
    length = length > LENGTH_MAX ? LENGTH_MAX : length;
    struct instruction **head = &bucket[(address * 2654435761u) >> (32 - BUCKET_BITS)];
    for (struct instruction *at = *head; at != NULL; at = at->next) {
        if (at->address == address && at->place == place && at->length == length &&
            memcmp(at->bytes, bytes, length) == 0) {
            return at;
        }
    }
    struct instruction *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        abort();
    }
    made->address = address;
    made->place = place;
    made->length = (uint8_t)length;
    memcpy(made->bytes, bytes, length);
    made->mark = (uint8_t)mark_of(made->bytes, length);
    made->loads_cr3 = length == 3 && made->bytes[0] == 0x0f && made->bytes[1] == 0x22 &&
                      (made->bytes[2] & 0xf8) == 0xd8;
    made->next = *head;
    *head = made;
    return made;
}

// --- rounds --------------------------------------------------------------------------------------

static void line_touch(uint32_t address) {
    static uint32_t last_line, last_round;  // most accesses are to the line of the one before
    uint32_t line = address >> LINE_SHIFT;
    if (line == last_line && round_number == last_round) {
        return;
    }
    last_line = line;
    last_round = round_number;
    uint32_t at = (line * 2654435761u) >> (32 - LINES_BITS);
    while (line_round[at] == round_number && line_address[at] != line) {
        at = (at + 1) % LINES_MAX;
    }
    if (line_round[at] != round_number && round_now.lines < LINES_MAX - 1) {
        line_round[at] = round_number;
        line_address[at] = line;
        round_now.lines++;
    }
}

static bool length_is_new(uint32_t length) {
    for (uint32_t i = 0; i < known_count; i++) {
        if (known_length[i] == length) {
            return false;
        }
    }
    if (known_count == KINDS_MAX) {
        return false;
    }
    known_length[known_count++] = length;
    return true;
}

static void profile_write(void) {
    fprintf(out, "profile %" PRIu32 "\n", round_now.instructions);
    for (const struct instruction *at = round_now.first; at != NULL; at = at->touched) {
        fprintf(out, "at %" PRIx32 " %p %" PRIu32 " ", at->address, at->place, at->executed);
        for (uint32_t i = 0; i < at->length; i++) {
            fprintf(out, "%02x", at->bytes[i]);
        }
        fputc('\n', out);
    }
}

static void round_close(void) {
    if (!round_now.open) {
        return;
    }
    fprintf(out, "round %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
            round_now.instructions, round_now.kernel, round_now.entries, round_now.loads,
            round_now.lines);
    if (length_is_new(round_now.instructions)) {
        profile_write();
    }
    for (struct instruction *at = round_now.first, *next; at != NULL; at = next) {
        next = at->touched;
        at->touched = NULL;
        at->executed = 0;
    }
    memset(&round_now, 0, sizeof(round_now));
}

static void mark_reached(uint32_t mark) {
    switch (mark) {
    case MARK_ROW:
        round_close();
        known_count = 0;
        row_begun = true;
        fputs("row\n", out);
        break;
    case MARK_BEGIN:
        round_close();
        round_number++;
        round_now.open = round_now.running = row_begun;
        was_user = true;
        break;
    case MARK_END:
        round_now.running = false;
        break;
    case MARK_MORE:
        round_now.running = round_now.open;
        was_user = true;
        break;
    default:
        break;
    }
}

static void first_executed(struct instruction *at) {
    at->touched = round_now.first;
    round_now.first = at;
    if (in_kernel(at)) {
        line_touch(at->address);
        line_touch(at->address + at->length - 1u);
    }
}

// The first row is the way to init's first instruction.
static void boot_follow(const struct instruction *at) {
    if (stage == FIRMWARE && in_kernel(at)) {
        mark_reached(MARK_ROW);
        mark_reached(MARK_BEGIN);
        stage = BOOTING;
    } else if (stage == BOOTING && !in_kernel(at)) {
        round_close();
        row_begun = false;
        stage = BOOTED;
    }
}

static void executed(unsigned cpu, void *data) {
    (void)cpu;
    struct instruction *at = data;
    if (stage != BOOTED) {
        boot_follow(at);
    }
    if (at->mark != MARK_NONE) {
        mark_reached(at->mark);
        return;
    }
    if (!round_now.running) {
        return;
    }
    if (at->executed++ == 0) {
        first_executed(at);
    }
    round_now.instructions++;
    if (in_kernel(at)) {
        round_now.kernel++;
        round_now.entries += was_user;
        round_now.loads += at->loads_cr3;
    }
    was_user = !in_kernel(at);
}

static void accessed(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    (void)cpu;
    (void)data;
    if (round_now.running) {
        uint32_t bytes = 1u << qemu_plugin_mem_size_shift(info);
        line_touch((uint32_t)address);
        line_touch((uint32_t)address + bytes - 1);
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        struct instruction *known = instruction_find(instruction);
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, executed, CALLBACK_NO_REGISTERS, known);
        if (in_kernel(known)) {
            qemu_plugin_register_vcpu_mem_cb(instruction, accessed, CALLBACK_NO_REGISTERS,
                                             MEMORY_READ_WRITE, NULL);
        }
    }
}

static void ended(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    round_close();
    if (fclose(out) != 0) {
        fputs("paths: cannot write the profile\n", stderr);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count,
                        char **argument) {
    (void)info;
    if (count != 1 || strncmp(argument[0], "out=", 4) != 0) {
        fputs("paths: give out=FILE\n", stderr);
        return 1;
    }
    out = fopen(argument[0] + 4, "w");
    if (out == NULL) {
        perror(argument[0] + 4);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
