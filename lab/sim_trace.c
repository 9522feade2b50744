// SPDX-License-Identifier: MIT
// Loads a trace: references come from format.h, get numbers, and are kept in memory or, beyond a
// limit, in a file.
#include "sim_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "sim_number.h"
#include "sim_progress.h"

#define READ_AT_ONCE 1024u

// Where numbered references go: words in memory, of which those before `filed` lie in the file.
struct sink {
    uint32_t *word;
    size_t count, capacity;
    uint64_t filed;
    uint32_t memory;
    int file;
    bool writes;
};

static void sink_room(struct sink *sink) {
    if (sink->file < 0 && sink->count >= sink->memory) {
        sink->file = sim_file_make();
    }
    if (sink->file >= 0) {
        sim_file_write(sink->file, sink->filed, sink->word, sink->count);
        sink->filed += sink->count;
        sink->count = 0;
        return;
    }
    size_t capacity = sink->capacity == 0 ? SIM_FILE_WORDS : sink->capacity * 2;
    uint32_t *word = sim_allocate(capacity, sizeof(*word));
    if (sink->count > 0) {
        memcpy(word, sink->word, sink->count * sizeof(*word));
    }
    free(sink->word);
    sink->word = word;
    sink->capacity = capacity;
}

static void sink_add(struct sink *sink, uint32_t page, bool write) {
    if (sink->count == sink->capacity || (sink->file < 0 && sink->count >= sink->memory)) {
        sink_room(sink);
    }
    sink->word[sink->count++] = page | (write ? SIM_WRITE : 0);
    sink->writes |= write;
}

// From words with the write bit to pages and a byte for each write.
static void words_split(uint32_t *word, uint8_t *write, size_t count) {
    for (size_t i = 0; i < count; i++) {
        write[i] = (uint8_t)(word[i] >> 31);
        word[i] &= ~SIM_WRITE;
    }
}

static void sink_end(struct sink *sink, struct sim_trace *trace, uint32_t footprint) {
    *trace = (struct sim_trace){.length = (uint32_t)(sink->filed + sink->count),
                                .footprint = footprint, .writes = sink->writes,
                                .file = sink->file};
    if (sink->file >= 0) {
        sim_file_write(sink->file, sink->filed, sink->word, sink->count);
        free(sink->word);
        return;
    }
    trace->page = sink->word;
    if (sink->writes) {
        trace->write = sim_allocate(trace->length, 1);
        words_split(trace->page, trace->write, trace->length);
    }
}

// Returns what is wrong, or NULL.
static const char *references_read(struct format_reader *reader, struct sink *sink,
                                   struct numbering *numbering) {
    struct format_reference reference[READ_AT_ONCE];
    size_t count;
    while ((count = format_read(reader, reference, READ_AT_ONCE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            sink_add(sink, numbering_number(numbering, reference[i].page, reference[i].task),
                     reference[i].write);
        }
        if (sink->filed + sink->count > SIM_LENGTH_MAX || numbering->count >= SIM_PAGES_MAX) {
            format_fail(reader, "it is too long: cut it into parts of at most %u references",
                        SIM_LENGTH_MAX);
        }
        sim_progress("references read", sink->filed + sink->count, 0);
    }
    return format_error(reader);
}

int sim_trace_open(const char *path, const char *format, uint32_t memory, struct sim_trace *trace,
                   char *error, size_t size) {
    struct format_reader *reader = format_open(path, format, error, size);
    if (reader == NULL) {
        return -1;
    }
    struct numbering numbering = numbering_new(0xfff);
    struct sink sink = {.memory = memory, .file = -1};
    const char *problem = references_read(reader, &sink, &numbering);
    if (problem != NULL) {
        snprintf(error, size, "%s", problem);
        if (sink.file >= 0) {
            close(sink.file);
        }
        free(sink.word);
    } else {
        sink_end(&sink, trace, numbering.count);
    }
    numbering_free(&numbering);
    format_close(reader);
    return problem != NULL ? -1 : 0;
}

int sim_trace_load(const char *path, struct sim_trace *trace, char *error, size_t size) {
    return sim_trace_open(path, NULL, UINT32_MAX, trace, error, size);
}

void sim_trace_number(struct sim_trace *trace, uint32_t *page, uint32_t length) {
    struct numbering numbering = numbering_new(0xfff);
    for (uint32_t i = 0; i < length; i++) {
        page[i] = numbering_number(&numbering, page[i], 0);
    }
    *trace = (struct sim_trace){.page = page, .length = length, .footprint = numbering.count,
                                .file = -1};
    numbering_free(&numbering);
}

void sim_trace_free(struct sim_trace *trace) {
    if (trace->page == NULL && trace->length > 0) {
        close(trace->file);
    }
    free(trace->page);
    free(trace->write);
    *trace = (struct sim_trace){.file = -1};
}

// ---- piece by piece --------------------------------------------------------------------------

void sim_blocks_start(struct sim_blocks *blocks, const struct sim_trace *trace) {
    *blocks = (struct sim_blocks){.trace = trace};
    if (trace->page == NULL) {
        blocks->page = sim_allocate(SIM_FILE_WORDS, sizeof(uint32_t));
        blocks->write = sim_allocate(SIM_FILE_WORDS, 1);
    }
}

bool sim_blocks_next(struct sim_blocks *blocks, struct sim_block *block) {
    const struct sim_trace *trace = blocks->trace;
    uint32_t left = trace->length - blocks->at;
    if (left == 0) {
        return false;
    }
    *block = (struct sim_block){trace->page, trace->write, blocks->at, left};
    if (trace->page == NULL) {
        block->count = left < SIM_FILE_WORDS ? left : SIM_FILE_WORDS;
        sim_file_read(trace->file, blocks->at, blocks->page, block->count);
        if (trace->writes) {
            words_split(blocks->page, blocks->write, block->count);
            block->write = blocks->write;
        }
        block->page = blocks->page;
    }
    blocks->at += block->count;
    return true;
}

void sim_blocks_end(struct sim_blocks *blocks) {
    free(blocks->page);
    free(blocks->write);
}
