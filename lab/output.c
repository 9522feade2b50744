// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char place[4096];   // where it belongs
    char beside[4128];  // where it is written; "": nowhere but there
    pid_t process;      // children leave it alone
} out;

static void drop(void) {
    if (out.beside[0] != 0 && getpid() == out.process) {
        unlink(out.beside);
        out.beside[0] = 0;
    }
}

// Only what a signal may interrupt anywhere.
static void drop_and_die(int number) {
    drop();
    signal(number, SIG_DFL);
    raise(number);
}

static void drop_at_end(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    static bool done;
    if (done) {
        return;
    }
    done = true;
    atexit(drop);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old, now = {.sa_handler = drop_and_die};
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            sigaction(numbers[i], &now, NULL);
        }
    }
}

// A name for what is open already may lead to a regular file, which must not be exchanged.
static bool names_descriptor(const char *path) {
    return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/dev/std", 8) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

// Where the file really lies: a link stays a link. False: it is no regular file, nor will be one.
static bool place_find(const char *path, struct stat *status, bool *exists) {
    *exists = stat(path, status) == 0;
    if (names_descriptor(path) || strlen(path) >= sizeof(out.place)) {
        return false;
    }
    if (*exists) {
        return S_ISREG(status->st_mode) && realpath(path, out.place) != NULL;
    }
    strcpy(out.place, path);
    return errno == ENOENT && lstat(path, status) != 0;
}

// As a file has them that is made, or written, in place.
static void rights_set(int file, const struct stat *old) {
    mode_t mask = umask(0);
    umask(mask);
    if (old != NULL && fchown(file, old->st_uid, old->st_gid) != 0) {
        errno = 0;  // then it is ours
    }
    (void)fchmod(file, old != NULL ? old->st_mode & 0777 : 0666 & ~mask);
}

FILE *output_open(const char *path) {
    struct stat status;
    bool exists;
    out.beside[0] = 0;
    if (strcmp(path, "-") == 0) {
        return stdout;
    }
    if (!place_find(path, &status, &exists)) {
        return fopen(path, "wb");
    }
    if (exists && access(out.place, W_OK) != 0) {
        return NULL;
    }
    const char *slash = strrchr(out.place, '/');
    out.process = getpid();
    drop_at_end();
    snprintf(out.beside, sizeof(out.beside), "%.*s.quire-lab-XXXXXX",
             slash == NULL ? 0 : (int)(slash + 1 - out.place), out.place);
    int file = mkostemp(out.beside, O_CLOEXEC);
    if (file < 0) {
        out.beside[0] = 0;
        return NULL;
    }
    rights_set(file, exists ? &status : NULL);
    return fdopen(file, "wb");
}

int output_end(FILE *file) {
    int failed = 0;
    if (fflush(file) != 0 || ferror(file)) {
        failed = errno != 0 ? errno : EIO;
    }
    if (file != stdout && fclose(file) != 0 && failed == 0) {
        failed = errno;
    }
    if (failed == 0 && out.beside[0] != 0 && rename(out.beside, out.place) != 0) {
        failed = errno;
    }
    if (failed != 0) {
        drop();
    }
    out.beside[0] = 0;
    errno = failed;
    return failed == 0 ? 0 : -1;
}

bool output_is_input(const char *input, const char *output) {
    struct stat in, to;
    int no_in = strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &in) : stat(input, &in);
    int no_to = strcmp(output, "-") == 0 ? fstat(STDOUT_FILENO, &to) : stat(output, &to);
    return no_in == 0 && no_to == 0 && S_ISREG(to.st_mode) && in.st_dev == to.st_dev &&
           in.st_ino == to.st_ino;
}
