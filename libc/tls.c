// SPDX-License-Identifier: MIT
// The parts of musl 1.2.3 (i386) that execute int $0x80 while a program starts, written anew for a
// system where %gs comes by message: thread-local storage of the first thread. All symbols of the
// library's __init_tls, __set_thread_area and defsysinfo members stand here, so that the linker
// takes none of those; the structs have the library's layout, as far as it is used.
#include <elf.h>
#include <string.h>

#include "linux.h"
#include "stubs.h"

struct tls_module {
    struct tls_module *next;
    const void *image;
    size_t length, size, align, offset;
};

struct musl_libc {
    char can_do_threads, threaded, secure;
    signed char need_locks;
    int threads_minus_1;
    size_t *auxv;
    struct tls_module *tls_head;
    size_t tls_size, tls_align, tls_count, page_size;
    char global_locale[24];
};

struct musl_thread {
    struct musl_thread *self;
    uintptr_t *dtv;
    struct musl_thread *previous, *next;
    void (*sysinfo)(void);  // what call *%gs:16 calls
    uintptr_t canary;
    int number, errno_value, detach_state;
    char unused[40];
    void *robust_head;
    char unused2[16];
    void *locale;
    char unused3[12];
};
_Static_assert(offsetof(struct musl_libc, tls_head) == 12, "as in libc.a");
_Static_assert(offsetof(struct musl_libc, global_locale) == 32, "as in libc.a");
_Static_assert(offsetof(struct musl_thread, sysinfo) == 16, "as in libc.a");
_Static_assert(offsetof(struct musl_thread, number) == 24, "as in libc.a");
_Static_assert(offsetof(struct musl_thread, robust_head) == 0x4c, "as in libc.a");
_Static_assert(offsetof(struct musl_thread, locale) == 0x60, "as in libc.a");
_Static_assert(sizeof(struct musl_thread) == 0x70, "as in libc.a");

#define DETACH_JOINABLE 2
#define ROOM 1024u  // for programs with little thread-local storage; more is asked of the pager

extern struct musl_libc __libc;
int __thread_list_lock;
void (*__sysinfo)(void) = linux_entry;

int __set_thread_area(void *thread);
int __init_tp(void *thread);
void *__copy_tls(unsigned char *memory);
void __init_tls(size_t *auxiliary);

int __set_thread_area(void *thread) {
    struct thread_tls_out out;
    if (thread_tls(HANDLE(SLOT_THREAD), (uint32_t)thread, &out) != OK) {
        return -1;
    }
    __asm__ volatile("movl %0, %%gs" : : "r"(out.selector) : "memory");
    return 0;
}

int __init_tp(void *memory) {
    struct musl_thread *thread = memory;
    thread->self = thread;
    if (__set_thread_area(thread) != 0) {
        return -1;
    }
    thread->detach_state = DETACH_JOINABLE;
    thread->number = (int)linux_process_number(NULL);
    thread->locale = __libc.global_locale;
    thread->robust_head = &thread->robust_head;
    thread->previous = thread->next = thread;
    thread->sysinfo = __sysinfo;
    return 0;
}

// The template is copied to below the thread; dtv, at the memory's beginning, finds it.
void *__copy_tls(unsigned char *memory) {
    uintptr_t end = (uintptr_t)memory + __libc.tls_size - sizeof(struct musl_thread);
    struct musl_thread *thread = (struct musl_thread *)(end & -__libc.tls_align);
    uintptr_t *dtv = (uintptr_t *)memory;
    uintptr_t index = 1;
    for (struct tls_module *at = __libc.tls_head; at != NULL; at = at->next) {
        dtv[index] = (uintptr_t)thread - at->offset;
        memcpy((void *)dtv[index++], at->image, at->length);
    }
    dtv[0] = __libc.tls_count;
    thread->dtv = dtv;
    return thread;
}

static void module_find(const Elf32_Phdr *header, size_t count, struct tls_module *module) {
    module->align = sizeof(void *);
    for (; count > 0; count--, header++) {
        if (header->p_type == PT_TLS && header->p_memsz > 0) {
            module->image = (const void *)header->p_vaddr;
            module->length = header->p_filesz;
            module->size = header->p_memsz;
            module->align = MAX_OF(header->p_align, sizeof(void *));
            __libc.tls_head = module;
            __libc.tls_count = 1;
        }
    }
    // Below the thread, and congruent to the template modulo its alignment.
    size_t odd = (uintptr_t)module->image + module->size;
    module->size += -odd & (module->align - 1);
    module->offset = module->size;
}

void __init_tls(size_t *auxiliary) {
    static struct tls_module module;
    static unsigned char room[ROOM] __attribute__((aligned(16)));
    unsigned char *memory = room;
    module_find((const Elf32_Phdr *)auxiliary[AT_PHDR], auxiliary[AT_PHNUM], &module);
    __libc.tls_align = module.align;
    __libc.tls_size = 2 * sizeof(void *) + sizeof(struct musl_thread) + module.size + module.align;
    __libc.tls_size = (__libc.tls_size + 15) & -(size_t)16;
    if (__libc.tls_size > ROOM) {
        struct pager_map_out out;
        if (pager_map(HANDLE(SLOT_PAGER), 0, PAGE_UP(__libc.tls_size), MAP_READ | MAP_WRITE,
                      &out) != OK) {
            __builtin_trap();  // there is no way yet to say anything
        }
        memory = (unsigned char *)out.address;
    }
    if (__init_tp(__copy_tls(memory)) != 0) {
        __builtin_trap();
    }
}
