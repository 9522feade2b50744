// SPDX-License-Identifier: MIT
// Memory and temporary files of the simulator. What runs out ends the program with one line that
// says what to do.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim_trace.h"

void *sim_allocate(size_t count, size_t size) {
    void *memory = calloc(count == 0 ? 1 : count, size);
    if (memory == NULL) {
        fputs("quire-lab: out of memory: replay a shorter trace or fewer frames\n", stderr);
        exit(2);
    }
    return memory;
}

static const char *folder(void) {
    const char *named = getenv("TMPDIR");
    return named != NULL && named[0] != 0 ? named : "/tmp";
}

__attribute__((noreturn)) static void fail(const char *what) {
    fprintf(stderr, "quire-lab: cannot %s a temporary file in %s: %s; set TMPDIR to a folder with "
            "room for 8 bytes a reference\n", what, folder(), strerror(errno));
    exit(2);
}

int sim_file_make(void) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/quire-lab-XXXXXX", folder());
    int file = mkstemp(path);
    if (file < 0 || unlink(path) != 0) {
        fail("make");
    }
    return file;
}

void sim_file_write(int file, uint64_t at, const uint32_t *word, size_t count) {
    const char *from = (const char *)word;
    for (size_t left = count * sizeof(*word), done = 0; left > 0;) {
        ssize_t written = pwrite(file, from + done, left, (off_t)(at * sizeof(*word) + done));
        if (written < 0 && errno != EINTR) {
            fail("write");
        }
        done += written > 0 ? (size_t)written : 0;
        left -= written > 0 ? (size_t)written : 0;
    }
}

void sim_file_read(int file, uint64_t at, uint32_t *word, size_t count) {
    char *to = (char *)word;
    for (size_t left = count * sizeof(*word), done = 0; left > 0;) {
        ssize_t got = pread(file, to + done, left, (off_t)(at * sizeof(*word) + done));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            fail("read");
        }
        done += got > 0 ? (size_t)got : 0;
        left -= got > 0 ? (size_t)got : 0;
    }
}
