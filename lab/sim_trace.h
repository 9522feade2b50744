// SPDX-License-Identifier: MIT
// Page-reference traces, ready for replay: pages numbered anew in order of first use, with the
// write bit where the trace's format has one. A long trace lies in a temporary file, so that memory
// does not grow with its length; sim_blocks reads both kinds.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_trace {
    uint32_t *page;      // 0 .. footprint - 1; NULL: the references are in `file`
    uint8_t *write;      // 1: the reference writes; NULL: none does
    uint32_t length;     // references, at least 1
    uint32_t footprint;  // different pages
    bool writes;         // some reference writes
    int file;            // words: a page, and SIM_WRITE if the reference writes
};

#define SIM_WRITE (1u << 31)
#define SIM_LENGTH_MAX 4000000000u
#define SIM_PAGES_MAX (1u << 29)
#define SIM_LENGTH_MEMORY (1u << 24)  // longer traces go to a file

// Reads the file or "-" in any of the formats of format.h (format: NULL, or the name of one). All
// of it into memory if it has at most `memory` references. Returns 0 and fills *trace (free it with
// sim_trace_free), or -1 and writes a sentence into error.
__attribute__((warn_unused_result)) int sim_trace_open(const char *path, const char *format,
                                                       uint32_t memory, struct sim_trace *trace,
                                                       char *error, size_t size);
// The same, and always into memory.
__attribute__((warn_unused_result)) int sim_trace_load(const char *path, struct sim_trace *trace,
                                                       char *error, size_t size);

// Takes over `page` (from malloc), which holds `length` >= 1 page numbers of any kind.
void sim_trace_number(struct sim_trace *trace, uint32_t *page, uint32_t length);

void sim_trace_free(struct sim_trace *trace);

// A trace piece by piece, in order: in one piece if it is in memory.
struct sim_block {
    const uint32_t *page;
    const uint8_t *write;   // NULL: none of these references writes
    uint32_t first, count;  // number of the first reference
};
struct sim_blocks {
    const struct sim_trace *trace;
    uint32_t at;
    uint32_t *page;
    uint8_t *write;
};
void sim_blocks_start(struct sim_blocks *blocks, const struct sim_trace *trace);
bool sim_blocks_next(struct sim_blocks *blocks, struct sim_block *block);
void sim_blocks_end(struct sim_blocks *blocks);

// A temporary file without a name, of words; ends the program with one line if the disk is full.
#define SIM_FILE_WORDS (1u << 18)  // a good number to read or write at once
int sim_file_make(void);
void sim_file_write(int file, uint64_t at, const uint32_t *word, size_t count);
void sim_file_read(int file, uint64_t at, uint32_t *word, size_t count);

// Allocates (zeroed) or ends the program with one line: memory that runs out has no better answer.
void *sim_allocate(size_t count, size_t size);
