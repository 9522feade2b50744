// SPDX-License-Identifier: MIT
// Bytes of a trace: from a file or standard input, unpacked on the way by the program that its
// first bytes name. Knows nothing of what the bytes mean.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FORMAT_INPUT_BYTES (1u << 17)

// Bytes [at, end) of the buffer were read and not yet used.
struct format_input {
    int file;                // what is read: the file, or what comes out of the unpacker
    pid_t feeder, unpacker;  // processes; 0: none
    const char *program;     // the unpacker's name
    const char *problem;     // NULL, or the end of a sentence that begins with the file's name
    bool ended;
    size_t at, end;
    uint64_t used;  // bytes before `at`
    unsigned char buffer[FORMAT_INPUT_BYTES];
};

// "-" is standard input. False: `problem` says why.
__attribute__((warn_unused_result)) bool format_input_open(struct format_input *input,
                                                           const char *path);
void format_input_close(struct format_input *input);

// Reads on until at least `want` bytes are there, or no more come. Returns how many are.
size_t format_input_fill(struct format_input *input, size_t want);

static inline const unsigned char *format_input_here(const struct format_input *input) {
    return input->buffer + input->at;
}

static inline void format_input_skip(struct format_input *input, size_t bytes) {
    input->at += bytes;
    input->used += bytes;
}

// The next line without its end, as a string of `length` bytes; NULL: there is none, or it is
// longer than the buffer (`problem` says so). Valid until the next call.
char *format_input_line(struct format_input *input, size_t *length);
