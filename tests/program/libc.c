// SPDX-License-Identifier: MIT
// musl over the layer of messages: what must fail, with the right errno, and what must work.
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "../test.h"
#include "clock.h"

#define FAILS(expression, number)            \
    do {                                     \
        errno = 0;                           \
        CHECK_EQUAL((intptr_t)(expression), -1); \
        CHECK_EQUAL(errno, number);          \
    } while (0)

// ---- what must fail ----------------------------------------------------------------------------

TEST(libc_no_file, "opening what is not there, or for writing, fails with its errno") {
    FAILS(open("no-such-module", O_RDONLY), ENOENT);
    FAILS(open("", O_RDONLY), ENOENT);
    FAILS(open("a-name-that-is-longer-than-thirty-one-letters", O_RDONLY), ENAMETOOLONG);
    FAILS(open("words", O_RDWR), EROFS);
    FAILS(open("new", O_WRONLY | O_CREAT, 0666), EROFS);
    CHECK(fopen("no-such-module", "r") == NULL && errno == ENOENT);
    FAILS(access("no-such-module", R_OK), ENOENT);
}

TEST(libc_bad_descriptor, "descriptors that are closed, out of range or of another kind fail") {
    char byte;
    off_t place;
    FAILS(read(15, &byte, 1), EBADF);
    FAILS(read(-1, &byte, 1), EBADF);
    FAILS(write(99999, &byte, 1), EBADF);
    FAILS(close(7), EBADF);
    FAILS(place = lseek(9, 0, SEEK_SET), EBADF);
    FAILS(place = lseek(1, 0, SEEK_SET), ESPIPE);
    struct stat status;
    FAILS(fstat(12, &status), EBADF);
    int words = open("words", O_RDONLY);
    CHECK(words >= 3);
    FAILS(write(words, "x", 1), EBADF);
    FAILS(place = lseek(words, -1, SEEK_SET), EINVAL);
    FAILS(place = lseek(words, 0, 77), EINVAL);
    CHECK_EQUAL(isatty(words), 0);
    CHECK_EQUAL(close(words), 0);
    FAILS(close(words), EBADF);
}

TEST(libc_files_run_out, "with all descriptors open the next open says so, and closing helps") {
    int last = 0;
    for (int next; (next = open("words", O_RDONLY)) >= 0; last = next) {
        CHECK(next < 64);
    }
    CHECK_EQUAL(errno, EMFILE);
    for (int descriptor = 3; descriptor <= last; descriptor++) {
        CHECK_EQUAL(close(descriptor), 0);
    }
    int again = open("words", O_RDONLY);
    CHECK_EQUAL(again, 3);
    CHECK_EQUAL(close(again), 0);
}

static void *thread_never(void *argument) {
    return argument;
}

TEST(libc_not_there, "what the system lacks is refused with ENOSYS or an error, never a crash") {
    int ends[2];
    pthread_t thread;
    FAILS(fork(), ENOSYS);
    FAILS(pipe(ends), ENOSYS);
    FAILS(chdir("/"), ENOSYS);
    FAILS(syscall(499), ENOSYS);
    FAILS(syscall(100000), ENOSYS);
    FAILS(syscall(-1), ENOSYS);
    CHECK(pthread_create(&thread, NULL, thread_never, NULL) != 0);
}

TEST(libc_bad_map, "mappings of nothing, at odd addresses or of bad files are refused") {
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK_EQUAL(errno, EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 11, 0) == MAP_FAILED);
    CHECK_EQUAL(errno, EBADF);
    CHECK(mmap((void *)0x123, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          MAP_FAILED);
    CHECK(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
          MAP_FAILED);
    CHECK(mmap(NULL, 0xb0000000u, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(munmap((void *)0x40000001, 4096) == -1);
    FAILS(nanosleep(&(struct timespec){0, -1}, NULL), EINVAL);
    FAILS(nanosleep(&(struct timespec){-1, 0}, NULL), EINVAL);
}

// ---- what must work ----------------------------------------------------------------------------

static _Thread_local int tls_number = 4711;
static _Thread_local char tls_empty[300];
static _Thread_local _Alignas(64) char tls_aligned[64] = "aligned";

TEST(libc_tls, "thread-local variables begin with their values, aligned") {
    CHECK_EQUAL(tls_number, 4711);
    for (size_t i = 0; i < sizeof tls_empty; i++) {
        CHECK_EQUAL(tls_empty[i], 0);
    }
    CHECK_EQUAL((uintptr_t)tls_aligned % 64, 0);
    CHECK_TEXT(tls_aligned, "aligned");
    tls_number++;
    CHECK_EQUAL(tls_number, 4712);
    CHECK(pthread_equal(pthread_self(), pthread_self()));
}

static int constructed;

__attribute__((constructor)) static void construct(void) {
    constructed = malloc(10) != NULL ? 42 : 1;
}

TEST(libc_start, "constructors ran, the environment and the auxiliary vector are there") {
    CHECK_EQUAL(constructed, 42);
    CHECK_TEXT(getenv("TERM"), "ansi");
    CHECK(getenv("NO_SUCH_VARIABLE") == NULL);
    CHECK_EQUAL(getauxval(AT_PAGESZ), 4096);
    CHECK_EQUAL(sysconf(_SC_PAGESIZE), 4096);
    CHECK(getauxval(AT_PHDR) != 0 && getauxval(AT_RANDOM) != 0);
    CHECK(getpid() >= 16 && getppid() == 1 && getuid() == 0);
    struct utsname name;
    CHECK_EQUAL(uname(&name), 0);
    CHECK_TEXT(name.sysname, "Quire");
    char path[8];
    CHECK_TEXT(getcwd(path, sizeof path), "/");
    CHECK(getcwd(path, 1) == NULL && errno == ERANGE);
}

TEST(libc_print, "numbers are printed and read back, floating-point ones included") {
    char text[128];
    snprintf(text, sizeof text, "%d %u %x %lld %s %c %5.2f %g", -7, 7u, 255, 1ll << 40, "word",
             'c', 3.14159, 1e100);
    CHECK_TEXT(text, "-7 7 ff 1099511627776 word c  3.14 1e+100");
    CHECK(fabs(strtod("2.5e-3", NULL) - 0.0025) < 1e-12);
    CHECK(fabs(sqrt(2) * sqrt(2) - 2) < 1e-12);
    int a, b;
    CHECK_EQUAL(sscanf("12 abc 34", "%d abc %d", &a, &b), 2);
    CHECK(a == 12 && b == 34);
    CHECK_EQUAL(strtoul("4294967296", NULL, 10), 0xffffffff);
}

TEST(libc_file, "a module is read, sought and mapped alike") {
    struct stat status;
    int words = open("/words", O_RDONLY);
    CHECK(words >= 3);
    CHECK_EQUAL(fstat(words, &status), 0);
    CHECK(S_ISREG(status.st_mode) && status.st_size > 4096);
    CHECK_EQUAL(lseek(words, 0, SEEK_END), status.st_size);
    char end;
    CHECK_EQUAL(read(words, &end, 1), 0);
    CHECK_EQUAL(lseek(words, 1000, SEEK_SET), 1000);
    char bytes[5000];
    CHECK_EQUAL(read(words, bytes, sizeof bytes), sizeof bytes);
    CHECK_EQUAL(lseek(words, 0, SEEK_CUR), 6000);
    const char *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, words, 0);
    CHECK(map != MAP_FAILED);
    CHECK(memcmp(map + 1000, bytes, sizeof bytes) == 0);
    const char *second = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, words, 4096);
    CHECK(second != MAP_FAILED && memcmp(second, map + 4096, 4096) == 0);
    CHECK(munmap((void *)second, 4096) == 0 && munmap((void *)map, (size_t)status.st_size) == 0);
    CHECK_EQUAL(lseek(words, -3, SEEK_END), status.st_size - 3);
    CHECK_EQUAL(read(words, bytes, sizeof bytes), 3);
    CHECK_EQUAL(close(words), 0);
    CHECK(stat("words", &status) == 0 && status.st_size > 4096);
}

TEST(libc_stream, "a stream gives every line once, and the same after a seek") {
    FILE *file = fopen("words", "r");
    CHECK(file != NULL);
    char line[256], third[256] = "";
    unsigned lines = 0;
    long place = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (++lines == 2) {
            place = ftell(file);
        }
        if (lines == 3) {
            strcpy(third, line);
        }
    }
    CHECK(lines > 1000 && feof(file) && !ferror(file));
    CHECK_EQUAL(fseek(file, place, SEEK_SET), 0);
    CHECK(fgets(line, sizeof line, file) != NULL);
    CHECK_TEXT(line, third);
    CHECK_EQUAL(fclose(file), 0);
}

TEST(libc_memory, "anonymous memory is zero, keeps what is written, and can be taken away") {
    char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && (uintptr_t)memory % 4096 == 0);
    for (int i = 0; i < 3 * 4096; i += 64) {
        CHECK_EQUAL(memory[i], 0);
    }
    memset(memory, 7, 3 * 4096);
    CHECK_EQUAL(mprotect(memory + 4096, 4096, PROT_READ), 0);
    CHECK_EQUAL(memory[4096], 7);
    CHECK_EQUAL(mprotect(memory + 4096, 4096, PROT_READ | PROT_WRITE), 0);
    memory[4096] = 8;
    CHECK_EQUAL(madvise(memory, 4096, MADV_DONTNEED), 0);
    CHECK_EQUAL(memory[5], 0);
    CHECK(memory[4096] == 8 && memory[4097] == 7);
    CHECK_EQUAL(munmap(memory + 4096, 4096), 0);
    CHECK_EQUAL(memory[2 * 4096], 7);
    char *fixed = mmap(memory, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(fixed == memory && memory[0] == 0);
    CHECK(munmap(memory, 4096) == 0 && munmap(memory + 2 * 4096, 4096) == 0);
}

TEST(libc_clock_stays, "where the clock lies nothing is mapped, unmapped or changed") {
    void *clock = (void *)LAYOUT_CLOCK;
    CHECK(mmap(clock, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == MAP_FAILED);
    CHECK_EQUAL(errno, EINVAL);
    CHECK(munmap(clock, 4096) == -1 && errno == EINVAL);
    CHECK(mprotect(clock, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EINVAL);
    struct timespec now;
    CHECK_EQUAL(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    CHECK(clock_page()->scale != 0);
}

TEST(libc_time, "clocks go forward and sleeping takes as long as was asked for") {
    struct timespec before, after;
    CHECK_EQUAL(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    CHECK_EQUAL(nanosleep(&(struct timespec){0, 3000000}, NULL), 0);
    CHECK_EQUAL(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    int64_t passed = (int64_t)(after.tv_sec - before.tv_sec) * 1000000000 +
                     (after.tv_nsec - before.tv_nsec);
    CHECK(passed >= 3000000);
    CHECK(time(NULL) >= 0 && clock_getres(CLOCK_MONOTONIC, &after) == 0);
    struct timeval day;
    uint64_t first = clock_now_ns() / 1000;
    CHECK_EQUAL(gettimeofday(&day, NULL), 0);
    uint64_t now = (uint64_t)day.tv_sec * 1000000 + (uint32_t)day.tv_usec;
    CHECK(first <= now && now <= clock_now_ns() / 1000);
}

static volatile sig_atomic_t signals;

static void on_signal(int number) {
    signals += number;
}

TEST(libc_signal, "a raised signal calls its handler, at once or when it is unblocked") {
    signals = 0;
    CHECK(signal(SIGUSR1, on_signal) == SIG_DFL);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(signals, SIGUSR1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    raise(SIGUSR1);
    CHECK_EQUAL(signals, SIGUSR1);
    CHECK_EQUAL(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_EQUAL(signals, 2 * SIGUSR1);
    CHECK(signal(SIGUSR1, SIG_IGN) == on_signal);
    raise(SIGUSR1);
    CHECK_EQUAL(signals, 2 * SIGUSR1);
    FAILS(kill(1, SIGTERM), EPERM);
    FAILS(raise(200), EINVAL);
}

static int compare(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

TEST(libc_algorithms, "qsort, bsearch, setjmp and the random numbers of the C library work") {
    int numbers[200];
    srand(1);
    for (int i = 0; i < 200; i++) {
        numbers[i] = rand() % 1000;
    }
    qsort(numbers, 200, sizeof *numbers, compare);
    for (int i = 1; i < 200; i++) {
        CHECK(numbers[i - 1] <= numbers[i]);
    }
    CHECK(bsearch(&numbers[77], numbers, 200, sizeof *numbers, compare) != NULL);
    static jmp_buf place;
    volatile int times = 0;
    if (setjmp(place) < 3) {
        longjmp(place, ++times);
    }
    CHECK_EQUAL(times, 3);
    unsigned char one[16], two[16];
    CHECK(getrandom(one, 16, 0) == 16 && getrandom(two, 16, 0) == 16);
    CHECK(memcmp(one, two, 16) != 0);
}

TEST(libc_text, "strings and wide characters work") {
    wchar_t wide[16];
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
    CHECK_EQUAL(mbstowcs(wide, "\xc3\xa4o", 16), 2);
    CHECK_EQUAL(wide[0], 0xe4);
    CHECK_TEXT(strerror(ENOENT), "No such file or directory");
    char text[64] = "one,two";
    CHECK_TEXT(strtok(text, ","), "one");
    CHECK_TEXT(strtok(NULL, ","), "two");
    CHECK(strcmp("a", "\xc3") < 0);
}
