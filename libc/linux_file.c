// SPDX-License-Identifier: MIT
// Files: the console as descriptors 0, 1 and 2, and boot modules, read-only, by name ("words" and
// "/words" are the same). A module is mapped at its first read; reading copies from the mapping,
// so its pages come and go under the pager's policy.
#include "linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "stubs.h"

#define FILES 16u
#define TERMINAL_ROWS 24
#define TERMINAL_COLUMNS 80
#define STATX_BASIC 0x7ffu

enum kind { KIND_CLOSED, KIND_CONSOLE, KIND_MODULE };

static struct file {
    enum kind kind;
    uint32_t number;  // of the module, at the pager
    uint32_t length;
    uint32_t position;
    const char *contents;  // NULL until the first read
} files[FILES] = {{.kind = KIND_CONSOLE}, {.kind = KIND_CONSOLE}, {.kind = KIND_CONSOLE}};

// The rest of the line that was typed last.
static struct {
    char bytes[TEXT_BYTES];
    uint32_t length, at;
} input;

static struct file *file_of(uint32_t descriptor) {
    bool open = descriptor < FILES && files[descriptor].kind != KIND_CLOSED;
    return open ? &files[descriptor] : NULL;
}

int linux_module_of(uint32_t descriptor, struct linux_module *module) {
    struct file *file = file_of(descriptor);
    if (file == NULL || file->kind != KIND_MODULE) {
        return 0;
    }
    *module = (struct linux_module){file->number, file->length};
    return 1;
}

// ---- the console -----------------------------------------------------------------------------

static long console_put(const char *bytes, uint32_t count) {
    for (uint32_t done = 0; done < count;) {
        field_text text = {.length = MIN_OF(count - done, TEXT_BYTES)};
        memcpy(text.bytes, bytes + done, text.length);
        error_t error = console_write(HANDLE(SLOT_CONSOLE), text);
        if (error != OK) {
            return done > 0 ? (long)done : linux_error(error);
        }
        done += text.length;
    }
    return (long)count;
}

static long console_get(char *bytes, uint32_t count) {
    if (input.at == input.length) {
        struct console_read_line_out out;
        error_t error = console_read_line(HANDLE(SLOT_CONSOLE), (field_text){0}, &out);
        if (error != OK) {
            return linux_error(error);
        }
        input.length = MIN_OF(out.line.length, TEXT_BYTES);
        input.at = 0;
        memcpy(input.bytes, out.line.bytes, input.length);
    }
    uint32_t got = MIN_OF(count, input.length - input.at);
    memcpy(bytes, input.bytes + input.at, got);
    input.at += got;
    return (long)got;
}

// ---- reading and writing -----------------------------------------------------------------------

static long module_read(struct file *file, char *bytes, uint32_t count) {
    if (file->position >= file->length) {
        return 0;
    }
    if (file->contents == NULL) {
        struct pager_file_map_out out;
        error_t error = pager_file_map(HANDLE(SLOT_PAGER), 0, PAGE_UP(file->length), MAP_READ,
                                       file->number, 0, &out);
        if (error != OK) {
            return linux_error(error);
        }
        file->contents = (const char *)out.address;
    }
    uint32_t got = MIN_OF(count, file->length - file->position);
    memcpy(bytes, file->contents + file->position, got);
    file->position += got;
    return (long)got;
}

static long file_read(uint32_t descriptor, char *bytes, uint32_t count) {
    struct file *file = file_of(descriptor);
    if (file == NULL) {
        return -EBADF;
    }
    if (count == 0) {
        return 0;
    }
    return file->kind == KIND_MODULE ? module_read(file, bytes, count) : console_get(bytes, count);
}

static long file_write(uint32_t descriptor, const char *bytes, uint32_t count) {
    struct file *file = file_of(descriptor);
    return file == NULL || file->kind != KIND_CONSOLE ? -EBADF : console_put(bytes, count);
}

long linux_read(const struct linux_call *call) {
    return file_read(call->argument[0], (char *)call->argument[1], call->argument[2]);
}

long linux_write(const struct linux_call *call) {
    return file_write(call->argument[0], (const char *)call->argument[1], call->argument[2]);
}

long linux_read_vector(const struct linux_call *call) {
    const struct iovec *part = (const struct iovec *)call->argument[1];
    long total = 0;
    for (uint32_t i = 0; i < call->argument[2]; i++) {
        long got = file_read(call->argument[0], part[i].iov_base, part[i].iov_len);
        if (got < 0) {
            return total > 0 ? total : got;
        }
        total += got;
        if ((uint32_t)got < part[i].iov_len || call->argument[0] == 0) {
            break;  // no more for now: do not wait for a second line
        }
    }
    return total;
}

// The parts of a short write in one piece. 0: they are too long for that.
static uint32_t vector_join(const struct iovec *part, uint32_t count, char bytes[TEXT_BYTES]) {
    uint32_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (part[i].iov_len > TEXT_BYTES - length) {
            return 0;
        }
        memcpy(bytes + length, part[i].iov_base, part[i].iov_len);
        length += part[i].iov_len;
    }
    return length;
}

// stdio hands over a line as two parts. It travels as one message, so that no other program's
// output can come in between.
long linux_write_vector(const struct linux_call *call) {
    const struct iovec *part = (const struct iovec *)call->argument[1];
    char bytes[TEXT_BYTES];
    uint32_t joined = vector_join(part, call->argument[2], bytes);
    if (joined > 0) {
        return file_write(call->argument[0], bytes, joined);
    }
    long total = 0;
    for (uint32_t i = 0; i < call->argument[2]; i++) {
        long put = file_write(call->argument[0], part[i].iov_base, part[i].iov_len);
        if (put < 0) {
            return total > 0 ? total : put;
        }
        total += put;
        if ((uint32_t)put < part[i].iov_len) {
            break;
        }
    }
    return total;
}

// ---- opening and closing -----------------------------------------------------------------------

static long module_find(const char *path, struct pager_file_open_out *out) {
    while (*path == '/') {
        path++;
    }
    if (strlen(path) >= NAME_BYTES) {
        return -ENAMETOOLONG;
    }
    return linux_error(pager_file_open(HANDLE(SLOT_PAGER), name_of(path), out));
}

static long file_open(const char *path, uint32_t flags) {
    struct pager_file_open_out out;
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0) {
        return -EROFS;
    }
    uint32_t descriptor = 0;
    while (descriptor < FILES && files[descriptor].kind != KIND_CLOSED) {
        descriptor++;
    }
    if (descriptor == FILES) {
        return -EMFILE;
    }
    long error = module_find(path, &out);
    if (error != 0) {
        return error;
    }
    files[descriptor] = (struct file){KIND_MODULE, out.file, out.length, 0, NULL};
    return (long)descriptor;
}

long linux_open(const struct linux_call *call) {
    return file_open((const char *)call->argument[0], call->argument[1]);
}

long linux_open_at(const struct linux_call *call) {
    return file_open((const char *)call->argument[1], call->argument[2]);
}

long linux_access(const struct linux_call *call) {
    struct pager_file_open_out out;
    long error = module_find((const char *)call->argument[0], &out);
    return error == 0 && (call->argument[1] & 2) != 0 ? -EROFS : error;
}

long linux_close(const struct linux_call *call) {
    struct file *file = file_of(call->argument[0]);
    if (file == NULL) {
        return -EBADF;
    }
    error_t error = OK;
    if (file->contents != NULL) {
        error = pager_unmap(HANDLE(SLOT_PAGER), (uint32_t)file->contents, PAGE_UP(file->length));
    }
    *file = (struct file){0};
    return linux_error(error);
}

// ---- places and properties ---------------------------------------------------------------------

static int64_t file_seek(uint32_t descriptor, int64_t offset, uint32_t whence) {
    struct file *file = file_of(descriptor);
    if (file == NULL) {
        return -EBADF;
    }
    if (file->kind != KIND_MODULE) {
        return -ESPIPE;
    }
    if (whence > SEEK_END) {
        return -EINVAL;
    }
    const int64_t base[] = {[SEEK_SET] = 0, [SEEK_CUR] = file->position, [SEEK_END] = file->length};
    int64_t place = base[whence] + offset;
    if (place < 0 || place > INT32_MAX) {
        return -EINVAL;
    }
    file->position = (uint32_t)place;
    return place;
}

long linux_seek(const struct linux_call *call) {
    return (long)file_seek(call->argument[0], (int32_t)call->argument[1], call->argument[2]);
}

long linux_seek_long(const struct linux_call *call) {
    int64_t offset = (int64_t)((uint64_t)call->argument[1] << 32 | call->argument[2]);
    int64_t place = file_seek(call->argument[0], offset, call->argument[4]);
    if (place < 0) {
        return (long)place;
    }
    *(int64_t *)call->argument[3] = place;
    return 0;
}

long linux_ioctl(const struct linux_call *call) {
    struct file *file = file_of(call->argument[0]);
    if (file == NULL) {
        return -EBADF;
    }
    if (file->kind != KIND_CONSOLE || call->argument[1] != TIOCGWINSZ) {
        return -ENOTTY;
    }
    *(struct winsize *)call->argument[2] =
        (struct winsize){.ws_row = TERMINAL_ROWS, .ws_col = TERMINAL_COLUMNS};
    return 0;
}

// Flags of descriptors mean nothing without exec and without waiting for several files.
long linux_fcntl(const struct linux_call *call) {
    struct file *file = file_of(call->argument[0]);
    if (file == NULL) {
        return -EBADF;
    }
    switch (call->argument[1]) {
    case F_GETFL:
        return file->kind == KIND_CONSOLE ? O_RDWR : O_RDONLY;
    case F_GETFD:
    case F_SETFD:
    case F_SETFL:
        return 0;
    default:
        return -EINVAL;
    }
}

// The kernel's struct statx, as far as it is filled in.
struct status {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, spare;
    uint64_t number, size, blocks;
    uint64_t rest[25];
};
_Static_assert(sizeof(struct status) == 256, "struct statx is 256 bytes");

long linux_status(const struct linux_call *call) {
    const char *path = (const char *)call->argument[1];
    struct status *status = (struct status *)call->argument[4];
    uint32_t length = 0, number = 0, mode = S_IFCHR | 0666;
    if (*path != 0) {
        struct pager_file_open_out out;
        long error = module_find(path, &out);
        if (error != 0) {
            return error;
        }
        length = out.length;
        number = out.file;
        mode = S_IFREG | 0444;
    } else {
        struct file *file = file_of(call->argument[0]);
        if (file == NULL) {
            return -EBADF;
        }
        length = file->length;
        number = file->number;
        mode = file->kind == KIND_MODULE ? S_IFREG | 0444 : mode;
    }
    *status = (struct status){.mask = STATX_BASIC, .block_size = PAGE_SIZE, .links = 1,
                              .mode = (uint16_t)mode, .number = number + 1, .size = length,
                              .blocks = PAGE_UP(length) / 512};
    return 0;
}
