// SPDX-License-Identifier: MIT
// Reads page-reference traces. The contents of the file are untrusted; its format knows only two
// mistakes: no reference at all, and a cut last one.
#include "sim_trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void *sim_allocate(size_t count, size_t size) {
    void *memory = calloc(count == 0 ? 1 : count, size);
    if (memory == NULL) {
        fputs("quire-lab: out of memory: replay a shorter trace or fewer frames\n", stderr);
        exit(2);
    }
    return memory;
}

// ---- bytes -----------------------------------------------------------------------------------

struct bytes {
    unsigned char *data;
    size_t length, capacity;
};

static int bytes_read(struct bytes *bytes, FILE *file) {
    size_t got;
    do {
        if (bytes->length == bytes->capacity) {
            bytes->capacity = bytes->capacity == 0 ? 1 << 20 : bytes->capacity * 2;
            unsigned char *data = sim_allocate(bytes->capacity, 1);
            if (bytes->length > 0) {
                memcpy(data, bytes->data, bytes->length);
            }
            free(bytes->data);
            bytes->data = data;
        }
        got = fread(bytes->data + bytes->length, 1, bytes->capacity - bytes->length, file);
        bytes->length += got;
    } while (got > 0);
    return ferror(file) ? -1 : 0;
}

// Starts `xz -dc` on the open file, without a shell (the name may hold anything); its output is
// *out. Returns its process, or -1.
static pid_t xz_start(FILE *packed, FILE **out) {
    int pipe_end[2];
    if (pipe(pipe_end) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(packed), STDIN_FILENO);
        dup2(pipe_end[1], STDOUT_FILENO);
        close(pipe_end[0]);
        close(pipe_end[1]);
        execlp("xz", "xz", "-dcqq", (char *)NULL);  // quiet: we say what is wrong
        _exit(127);  // as a shell says that there is no such program
    }
    close(pipe_end[1]);
    *out = child < 0 ? NULL : fdopen(pipe_end[0], "rb");
    if (*out == NULL) {
        close(pipe_end[0]);
        return -1;
    }
    return child;
}

// NULL, or what went wrong.
static const char *xz_read(FILE *packed, struct bytes *bytes) {
    FILE *out = NULL;
    pid_t child = xz_start(packed, &out);
    if (child < 0) {
        return "cannot start xz";
    }
    int failed = bytes_read(bytes, out);
    fclose(out);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        return "there is no program xz to unpack it: install the package xz-utils";
    }
    return failed != 0 || status != 0 ? "xz cannot unpack it: the file is damaged" : NULL;
}

static int name_ends(const char *name, const char *end) {
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static const char *file_read(const char *path, struct bytes *bytes) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return strerror(errno);
    }
    const char *problem = NULL;
    if (name_ends(path, ".xz")) {
        problem = xz_read(file, bytes);
    } else if (bytes_read(bytes, file) != 0) {
        problem = strerror(errno);
    }
    fclose(file);
    if (problem == NULL && bytes->length == 0) {
        problem = "it is empty: a trace has at least one page number of 4 bytes";
    } else if (problem == NULL && bytes->length % 4 != 0) {
        problem = "its length is no multiple of 4: it is cut, or no trace of 32-bit page numbers";
    } else if (problem == NULL && bytes->length / 4 > UINT32_MAX / 4) {
        problem = "it is too long: cut it into parts of at most a thousand million references";
    }
    return problem;
}

// ---- pages -----------------------------------------------------------------------------------

// Open addressing: `place` holds 1 + new number, `key` the old number.
struct numbering {
    uint32_t *key, *place;
    uint32_t mask, count;
};

static uint32_t *numbering_find(struct numbering *n, uint32_t key) {
    uint32_t at = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & n->mask;
    while (n->place[at] != 0 && n->key[at] != key) {
        at = (at + 1) & n->mask;
    }
    n->key[at] = key;
    return &n->place[at];
}

static struct numbering numbering_new(uint32_t mask) {
    return (struct numbering){sim_allocate((size_t)mask + 1, 4), sim_allocate((size_t)mask + 1, 4),
                              mask, 0};
}

static void numbering_free(struct numbering *n) {
    free(n->key);
    free(n->place);
}

static void numbering_grow(struct numbering *n) {
    struct numbering larger = numbering_new(n->mask * 2 + 1);
    for (size_t at = 0; at <= n->mask; at++) {
        if (n->place[at] != 0) {
            *numbering_find(&larger, n->key[at]) = n->place[at];
        }
    }
    larger.count = n->count;
    numbering_free(n);
    *n = larger;
}

void sim_trace_number(struct sim_trace *trace, uint32_t *page, uint32_t length) {
    struct numbering numbering = numbering_new(0xfff);
    for (uint32_t i = 0; i < length; i++) {
        uint32_t *place = numbering_find(&numbering, page[i]);
        if (*place == 0) {
            *place = ++numbering.count;
        }
        page[i] = *place - 1;
        if (numbering.count > numbering.mask / 2) {
            numbering_grow(&numbering);
        }
    }
    *trace = (struct sim_trace){page, length, numbering.count};
    numbering_free(&numbering);
}

int sim_trace_load(const char *path, struct sim_trace *trace, char *error, size_t size) {
    struct bytes bytes = {0};
    const char *problem = file_read(path, &bytes);
    if (problem != NULL) {
        snprintf(error, size, "cannot read the trace '%s': %s", path, problem);
        free(bytes.data);
        return -1;
    }
    uint32_t length = (uint32_t)(bytes.length / 4);
    uint32_t *page = sim_allocate(length, 4);
    for (uint32_t i = 0; i < length; i++) {
        const unsigned char *at = bytes.data + (size_t)i * 4;
        page[i] = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                  (uint32_t)at[3] << 24;
    }
    free(bytes.data);
    sim_trace_number(trace, page, length);
    return 0;
}

void sim_trace_free(struct sim_trace *trace) {
    free(trace->page);
    *trace = (struct sim_trace){0};
}
