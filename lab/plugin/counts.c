// SPDX-License-Identifier: MIT
// A plugin of QEMU's (TCG, API version 1) that counts the instructions of one program of the guest by
// the parts of its text that they lie in. `map=FILE` names the parts, one line each, addresses
// hexadecimal; those of a kind count together:
//   text FIRST END OFFSET ELF    the program's text, and where it lies in which file
//   part KIND FIRST END          KIND: policy, checked
//   call KIND FIRST END          a function, with all that it calls: scan, trace
// Writes to `out=FILE` a line for each number: all, policy, checked; scan: in calls of it, of the
// program itself but neither policy nor checked; scan_kernel: the kernel's meanwhile; trace: in
// calls of it, the kernel's included, which are in no other number but `all`.
// A page of another program at the same address is none of its pages: contents tell them apart.
// One processor. A function called ends with its return instruction, which has to be its own.
#include "qemu.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL 0xc0000000u
#define KERNEL_END 0xf8000000u  // behind it lies firmware
enum { PAGE = 4096, RANGES_MAX = 8192, PATH_MAX_LENGTH = 1024 };
enum { OTHER, POLICY, CHECKED, IN_KERNEL, KINDS };
enum { SCAN, TRACE, CALLS };

static const char *const part_name[] = {[POLICY] = "policy", [CHECKED] = "checked"};
static const char *const call_name[CALLS] = {[SCAN] = "scan", [TRACE] = "trace"};

struct range {
    uint32_t first, end, kind;
};
static struct range part[RANGES_MAX], call[CALLS];
static uint32_t parts;
static struct range text;
static unsigned char *contents;  // of text
static uint64_t count[KINDS];    // executed so far

// sum: of calls that have ended, `begun`: where the one under way began.
static struct {
    bool inside;
    uint64_t begun[KINDS], sum[KINDS];
} under[CALLS];
static uint64_t traced_in_scan[KINDS];
static FILE *out;

// ---- the map ---------------------------------------------------------------------------------

static bool text_load(const char *path, uint32_t offset) {
    FILE *file = fopen(path, "rb");
    uint32_t size = text.end - text.first;
    contents = calloc(1, size);
    bool loaded = file != NULL && contents != NULL && fseek(file, (long)offset, SEEK_SET) == 0 &&
                  fread(contents, 1, size, file) == size;
    if (file != NULL) {
        fclose(file);
    }
    return loaded;
}

static uint32_t name_find(const char *name, const char *const *names, uint32_t first,
                          uint32_t last) {
    for (uint32_t i = first; i <= last; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

// False: the line says nothing that is known.
static bool line_read(const char *line) {
    char kind[16], path[PATH_MAX_LENGTH];
    struct range range;
    uint32_t offset;
    if (sscanf(line, "text %" SCNx32 " %" SCNx32 " %" SCNx32 " %1023s", &text.first, &text.end,
               &offset, path) == 4) {
        return text.first < text.end && text_load(path, offset);
    }
    if (sscanf(line, "part %15s %" SCNx32 " %" SCNx32, kind, &range.first, &range.end) == 3) {
        range.kind = name_find(kind, part_name, POLICY, CHECKED);
        if (range.kind == UINT32_MAX || parts == RANGES_MAX) {
            return false;
        }
        part[parts++] = range;
        return true;
    }
    if (sscanf(line, "call %15s %" SCNx32 " %" SCNx32, kind, &range.first, &range.end) == 3) {
        uint32_t which = name_find(kind, call_name, SCAN, TRACE);
        if (which == UINT32_MAX) {
            return false;
        }
        call[which] = range;
        return true;
    }
    return false;
}

static bool map_read(const char *path) {
    char line[PATH_MAX_LENGTH + 64];
    FILE *file = fopen(path, "r");
    bool good = file != NULL;
    while (good && fgets(line, sizeof line, file) != NULL) {
        good = line_read(line);
    }
    if (file != NULL) {
        fclose(file);
    }
    return good && contents != NULL && call[SCAN].end != 0 && call[TRACE].end != 0;
}

// ---- calls -----------------------------------------------------------------------------------

static void call_begins(unsigned cpu, void *data) {
    uint32_t which = (uint32_t)(uintptr_t)data;
    (void)cpu;
    under[which].inside = true;
    memcpy(under[which].begun, count, sizeof count);
}

static void call_ends(unsigned cpu, void *data) {
    uint32_t which = (uint32_t)(uintptr_t)data;
    (void)cpu;
    for (uint32_t kind = 0; under[which].inside && kind < KINDS; kind++) {
        uint64_t passed = count[kind] - under[which].begun[kind];
        under[which].sum[kind] += passed;
        traced_in_scan[kind] += which == TRACE && under[SCAN].inside ? passed : 0;
    }
    under[which].inside = false;
}

// ---- instructions ----------------------------------------------------------------------------

static bool range_has(const struct range *range, uint32_t address) {
    return address >= range->first && address < range->end;
}

// Does the page of this instruction hold what the program's file says?
static bool is_ours(const struct qemu_plugin_insn *instruction, uint32_t address) {
    const unsigned char *place = qemu_plugin_insn_haddr(instruction);
    uint32_t first = address & ~(PAGE - 1u), end = first + PAGE;
    if (place == NULL) {
        return false;
    }
    first = first > text.first ? first : text.first;
    end = end < text.end ? end : text.end;
    return memcmp(place - (address - first), contents + (first - text.first), end - first) == 0;
}

static uint32_t kind_of(uint32_t address) {
    for (uint32_t i = 0; i < parts; i++) {
        if (range_has(&part[i], address)) {
            return part[i].kind;
        }
    }
    return OTHER;
}

static void call_watch(struct qemu_plugin_insn *instruction, uint32_t address, uint32_t which) {
    const unsigned char *byte = qemu_plugin_insn_data(instruction);
    void *data = (void *)(uintptr_t)which;
    if (address == call[which].first) {
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, call_begins, CALLBACK_NO_REGISTERS, data);
    } else if (range_has(&call[which], address) && (byte[0] == 0xc3 || byte[0] == 0xc2)) {
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, call_ends, CALLBACK_NO_REGISTERS, data);
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(instruction), kind = IN_KERNEL;
        if (range_has(&text, address) && is_ours(instruction, address)) {
            kind = kind_of(address);
            call_watch(instruction, address, SCAN);
            call_watch(instruction, address, TRACE);
        } else if (address < KERNEL || address >= KERNEL_END) {
            continue;
        }
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &count[kind], 1);
    }
}

static void ended(qemu_plugin_id_t id, void *data) {
    const uint64_t *trace = under[TRACE].sum, *scan = under[SCAN].sum;
    uint64_t traced = trace[OTHER] + trace[IN_KERNEL];
    (void)id;
    (void)data;
    fprintf(out, "all %" PRIu64 "\npolicy %" PRIu64 "\nchecked %" PRIu64 "\n",
            count[OTHER] + count[POLICY] + count[CHECKED], count[POLICY], count[CHECKED]);
    fprintf(out, "scan %" PRIu64 "\nscan_kernel %" PRIu64 "\ntrace %" PRIu64 "\n",
            scan[OTHER] - traced_in_scan[OTHER], scan[IN_KERNEL] - traced_in_scan[IN_KERNEL],
            traced);
    if (fclose(out) != 0) {
        fputs("counts: cannot write the counts\n", stderr);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int options,
                        char **option) {
    (void)info;
    for (int i = 0; i < options; i++) {
        if (strncmp(option[i], "out=", 4) == 0) {
            out = fopen(option[i] + 4, "w");
        } else if (strncmp(option[i], "map=", 4) == 0) {
            if (!map_read(option[i] + 4)) {
                fprintf(stderr, "counts: '%s' is no map of a program\n", option[i] + 4);
                return 1;
            }
        } else {
            fprintf(stderr, "counts: '%s' is no option\n", option[i]);
            return 1;
        }
    }
    if (out == NULL || contents == NULL) {
        fputs("counts: give out=FILE and map=FILE\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
