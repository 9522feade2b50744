// SPDX-License-Identifier: MIT
// A plugin of QEMU's (TCG, API version 1) that records which pages a program uses: instructions, reads
// and writes. Writes to the file given by `out=FILE` 64-bit numbers: page << 8 | flags (PAGES_ flags
// of pages.h). A page among the last `filter=N` different ones that a thread used is left out, unless
// this is its first write among these; filter=1 leaves out nothing but repeats. Of a whole system,
// only what instructions of the program use: code=FIRST-END (pages, hexadecimal) says where these
// lie, data=FIRST-END which pages count. With whole=1 the pages of an instruction stay together (the
// later ones have the flag PAGES_MORE), its own first, and only instructions are left out whose pages
// are all among those of the last one written, but for a first write.
// Knows nothing of traces' formats: lab/record.c does.
#include "pages.h"
#include "qemu.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CPUS = 64, FILTER_MAX = 256, FLAG_BITS = 8 };

static struct window {
    uint64_t first, end;
} code = {0, UINT64_MAX}, data = {0, UINT64_MAX};
static FILE *out;  // NULL: not opened, or this is a child of the program recorded

static bool window_has(const struct window *window, uint64_t page) {
    return page >= window->first && page < window->end;
}

static void emit(uint64_t page, uint32_t flags, unsigned cpu) {
    uint64_t record = page << FLAG_BITS | flags | (uint64_t)(cpu % CPUS) << 56;
    if (fwrite(&record, sizeof record, 1, out) != 1) {
        perror("quire-lab record: cannot write the references");
        _Exit(1);
    }
}

// --- whole instructions --------------------------------------------------------------------------

enum { WHOLE_MAX = 16 };

// Of one thread: the instruction at work, and the one written last. Of one that faults and is tried
// again, each try counts.
static struct whole {
    uint64_t page[WHOLE_MAX];
    uint32_t flags[WHOLE_MAX], count;
} whole_now[CPUS], whole_last[CPUS];
static uint32_t whole_wanted;

static uint32_t whole_flags(const struct whole *whole, uint64_t page) {
    for (uint32_t i = 0; i < whole->count; i++) {
        if (whole->page[i] == page) {
            return whole->flags[i] | PAGES_SEEN;
        }
    }
    return 0;
}

static bool whole_is_part(const struct whole *whole, const struct whole *of) {
    bool part = true;
    for (uint32_t i = 0; i < whole->count; i++) {
        uint32_t wanted = (whole->flags[i] & PAGES_WRITE) | PAGES_SEEN;
        part &= (whole_flags(of, whole->page[i]) & wanted) == wanted;
    }
    return part;
}

static void whole_end(unsigned cpu) {
    struct whole *now = &whole_now[cpu % CPUS], *last = &whole_last[cpu % CPUS];
    if (out != NULL && !whole_is_part(now, last)) {
        for (uint32_t i = 0; i < now->count; i++) {
            emit(now->page[i], now->flags[i] | (i > 0 ? PAGES_MORE : 0), cpu);
        }
        *last = *now;
    }
    now->count = 0;
}

static void whole_use(unsigned cpu, uint64_t page, uint32_t flags) {
    struct whole *now = &whole_now[cpu % CPUS];
    uint32_t at = 0;
    while (at < now->count && now->page[at] != page) {
        at++;
    }
    if (at == WHOLE_MAX) {
        fputs("pages: an instruction uses too many pages\n", stderr);
        _Exit(1);
    }
    if (at == now->count) {
        now->page[now->count++] = page;
        now->flags[at] = 0;
    }
    now->flags[at] |= flags;
}

// --- the filter ----------------------------------------------------------------------------------

// Of one thread: the last pages that it used, latest first.
static struct filter {
    struct {
        uint64_t page;
        uint32_t flags;
    } last[FILTER_MAX];
    uint32_t count;
} filters[CPUS];
static uint32_t filter_size = 1;

static void use(unsigned cpu, uint64_t page, uint32_t flags) {
    struct filter *filter = &filters[cpu % CPUS];
    if (out == NULL || !window_has(&data, page)) {
        return;
    }
    if (whole_wanted) {
        whole_use(cpu, page, flags);
        return;
    }
    uint32_t at = 0, known = 0;
    while (at < filter->count && filter->last[at].page != page) {
        at++;
    }
    if (at < filter->count) {
        known = filter->last[at].flags;
    } else if (filter->count < filter_size) {
        filter->count++;
    } else {
        at = filter_size - 1;
    }
    uint32_t all = known | flags | PAGES_SEEN;
    if (at > 0) {
        memmove(filter->last + 1, filter->last, at * sizeof filter->last[0]);
    }
    filter->last[0].page = page;
    filter->last[0].flags = all;
    if (known == 0 || (all & ~known & PAGES_WRITE)) {
        emit(page, flags, cpu);
    }
}

// --- callbacks -----------------------------------------------------------------------------------

static void block_executed(unsigned cpu, void *data) {
    use(cpu, (uint64_t)(uintptr_t)data, PAGES_FETCH);
}

// `data`: the page of its first byte, and whether its last lies in the next one.
static void instruction_executed(unsigned cpu, void *data) {
    uint64_t first = (uintptr_t)data >> 1, last = first + ((uintptr_t)data & 1);
    whole_end(cpu);
    use(cpu, first, PAGES_FETCH);
    if (last != first) {
        use(cpu, last, PAGES_FETCH);
    }
}

static void accessed(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    uint32_t flags = qemu_plugin_mem_is_store(info) ? PAGES_WRITE : PAGES_READ;
    uint64_t last = address + (1u << qemu_plugin_mem_size_shift(info)) - 1;
    (void)data;
    use(cpu, address >> PAGES_SHIFT, flags);
    if (last >> PAGES_SHIFT != address >> PAGES_SHIFT) {
        use(cpu, last >> PAGES_SHIFT, flags);
    }
}

static void *pages_of(const struct qemu_plugin_insn *instruction) {
    uint64_t first = qemu_plugin_insn_vaddr(instruction) >> PAGES_SHIFT;
    uint64_t end = qemu_plugin_insn_vaddr(instruction) + qemu_plugin_insn_size(instruction);
    return (void *)(uintptr_t)(first << 1 | ((end - 1) >> PAGES_SHIFT != first));
}

// A block lies in one page, or its last instruction in two.
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    uint64_t page = qemu_plugin_tb_vaddr(block) >> PAGES_SHIFT;
    (void)id;
    if (!window_has(&code, page)) {
        return;
    }
    if (!whole_wanted) {
        qemu_plugin_register_vcpu_tb_exec_cb(block, block_executed, CALLBACK_NO_REGISTERS,
                                             (void *)(uintptr_t)page);
    }
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        if (whole_wanted) {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, instruction_executed,
                                                   CALLBACK_NO_REGISTERS, pages_of(instruction));
        }
        qemu_plugin_register_vcpu_mem_cb(instruction, accessed, CALLBACK_NO_REGISTERS,
                                         MEMORY_READ_WRITE, NULL);
    }
}

static void ended(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    if (out != NULL) {
        for (unsigned cpu = 0; cpu < CPUS; cpu++) {
            whole_end(cpu);
        }
        fclose(out);
    }
}

static void child_begins(void) {
    out = NULL;  // what its buffer holds is the parent's
}

// Files that the program closes because it opened none like them are numbered from 3 on: stay away.
static FILE *out_open(const char *path) {
    enum { DESCRIPTOR = 500 };
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int far = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, DESCRIPTOR);
    if (far < 0) {
        return NULL;
    }
    close(file);
    return fdopen(far, "wb");
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count,
                        char **argument) {
    (void)info;
    for (int i = 0; i < count; i++) {
        if (strncmp(argument[i], "out=", 4) == 0) {
            out = out_open(argument[i] + 4);
        } else if (strncmp(argument[i], "filter=", 7) == 0) {
            filter_size = (uint32_t)strtoul(argument[i] + 7, NULL, 10);
        } else if (strcmp(argument[i], "whole=1") == 0) {
            whole_wanted = 1;
        } else if (sscanf(argument[i], "code=%" SCNx64 "-%" SCNx64, &code.first, &code.end) != 2 &&
                   sscanf(argument[i], "data=%" SCNx64 "-%" SCNx64, &data.first, &data.end) != 2) {
            fprintf(stderr, "pages: '%s' is no option\n", argument[i]);
            return 1;
        }
    }
    if (out == NULL || filter_size == 0 || filter_size > FILTER_MAX) {
        fputs("pages: give out=FILE, and filter=N from 1 to 256\n", stderr);
        return 1;
    }
    static char buffer[1 << 16];
    setvbuf(out, buffer, _IOFBF, sizeof buffer);
    pthread_atfork(NULL, NULL, child_begins);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
