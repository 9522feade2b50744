// SPDX-License-Identifier: MIT
// The unpacker reads from a pipe that a child process feeds, so that standard input can be unpacked
// too, though its first bytes are known already. No shell: names may hold anything.
#define _GNU_SOURCE
#include "format_input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct unpacker {
    const char *program, *missing, *damaged;
    unsigned char magic[6];
    size_t magic_bytes;
} unpackers[] = {
    {"xz", "there is no program xz to unpack it: install the package xz-utils",
     "xz cannot unpack it: the file is damaged", {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
    {"zstd", "there is no program zstd to unpack it: install the package zstd",
     "zstd cannot unpack it: the file is damaged", {0x28, 0xb5, 0x2f, 0xfd}, 4},
    {"gzip", "there is no program gzip to unpack it: install the package gzip",
     "gzip cannot unpack it: the file is damaged", {0x1f, 0x8b}, 2},
};
#define UNPACKERS (sizeof(unpackers) / sizeof(unpackers[0]))

// ---- unpacking -------------------------------------------------------------------------------

static bool write_all(int to, const unsigned char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(to, data, length);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        data += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

// The child that passes on what was read already, and then the rest.
__attribute__((noreturn)) static void feed(struct format_input *input, int to) {
    bool going = write_all(to, format_input_here(input), input->end - input->at);
    while (going) {
        ssize_t got = read(input->file, input->buffer, sizeof(input->buffer));
        if (got == 0 || (got < 0 && errno != EINTR)) {
            _exit(got == 0 ? 0 : 1);
        }
        going = got < 0 || write_all(to, input->buffer, (size_t)got);
    }
    _exit(0);  // the unpacker has ended, and says why
}

__attribute__((noreturn)) static void unpack(const char *program, int from, int to) {
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);  // we say what is wrong
    if (dup2(from, STDIN_FILENO) >= 0 && dup2(to, STDOUT_FILENO) >= 0 &&
        dup2(nothing, STDERR_FILENO) >= 0) {
        execlp(program, program, "-dc", (char *)NULL);
    }
    _exit(127);  // as a shell says that there is no such program
}

static bool unpack_start(struct format_input *input, const struct unpacker *unpacker) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0) {
        return false;
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    if ((input->unpacker = fork()) == 0) {
        unpack(unpacker->program, in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    if ((input->feeder = fork()) == 0) {
        signal(SIGPIPE, SIG_DFL);
        close(out[0]);
        feed(input, in[1]);
    }
    close(in[1]);
    if (input->file != STDIN_FILENO) {
        close(input->file);
    }
    input->file = out[0];
    input->program = unpacker->program;
    input->at = input->end = 0;
    return input->unpacker > 0 && input->feeder > 0;
}

static int wait_for(pid_t *child) {
    int status = 0;
    if (*child > 0) {
        while (waitpid(*child, &status, 0) < 0 && errno == EINTR) {
        }
    }
    *child = 0;
    return status;
}

// All has been read: did the unpacker like it?
static void unpack_end(struct format_input *input) {
    int fed = wait_for(&input->feeder), status = wait_for(&input->unpacker);
    for (size_t i = 0; i < UNPACKERS; i++) {
        if (input->program != unpackers[i].program || status == 0) {
            continue;
        }
        input->problem = WIFEXITED(status) && WEXITSTATUS(status) == 127 ? unpackers[i].missing
                                                                         : unpackers[i].damaged;
    }
    if (input->problem == NULL && fed != 0 && WIFEXITED(fed)) {
        input->problem = "it cannot be read to its end";
    }
}

// ---- reading ---------------------------------------------------------------------------------

static void read_on(struct format_input *input) {
    ssize_t got = read(input->file, input->buffer + input->end,
                       sizeof(input->buffer) - 1 - input->end);
    if (got > 0) {
        input->end += (size_t)got;
    } else if (got == 0) {
        input->ended = true;
        if (input->program != NULL) {
            unpack_end(input);
        }
    } else if (errno != EINTR) {
        input->ended = true;
        input->problem = strerror(errno);
    }
}

size_t format_input_fill(struct format_input *input, size_t want) {
    if (input->end - input->at < want && input->at > 0) {
        memmove(input->buffer, input->buffer + input->at, input->end - input->at);
        input->end -= input->at;
        input->at = 0;
    }
    while (input->end - input->at < want && !input->ended &&
           input->end < sizeof(input->buffer) - 1) {
        read_on(input);
    }
    return input->end - input->at;
}

char *format_input_line(struct format_input *input, size_t *length) {
    size_t looked = 0, there = format_input_fill(input, 1);
    unsigned char *end = NULL;
    while (there > 0) {
        end = memchr(input->buffer + input->at + looked, '\n', there - looked);
        looked = there;
        if (end != NULL || (there = format_input_fill(input, looked + 1)) == looked) {
            break;
        }
    }
    if (there == 0 || (end == NULL && !input->ended)) {
        input->problem = there == 0 ? input->problem : "it has a line that is far too long";
        return NULL;
    }
    char *line = (char *)input->buffer + input->at;
    *length = end != NULL ? (size_t)(end - (unsigned char *)line) : there;
    line[*length] = 0;
    format_input_skip(input, *length + (end != NULL));
    return line;
}

// ---- the file --------------------------------------------------------------------------------

bool format_input_open(struct format_input *input, const char *path) {
    struct stat status;
    input->file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    input->feeder = input->unpacker = 0;
    input->program = input->problem = NULL;
    input->ended = false;
    input->at = input->end = input->used = 0;
    if (input->file < 0 || fstat(input->file, &status) != 0) {
        input->problem = strerror(errno);
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        input->problem = "it is a directory: name the files in it";
        return false;
    }
    size_t there = format_input_fill(input, sizeof(unpackers[0].magic));
    for (size_t i = 0; i < UNPACKERS && input->problem == NULL; i++) {
        if (there >= unpackers[i].magic_bytes &&
            memcmp(input->buffer, unpackers[i].magic, unpackers[i].magic_bytes) == 0) {
            if (!unpack_start(input, &unpackers[i])) {
                input->problem = "the program to unpack it cannot be started: try again";
            }
            break;
        }
    }
    return input->problem == NULL;
}

void format_input_close(struct format_input *input) {
    if (input->file >= 0 && input->file != STDIN_FILENO) {
        close(input->file);  // ends children that are still at work
    }
    (void)wait_for(&input->unpacker);
    (void)wait_for(&input->feeder);
    input->file = -1;
}
