// SPDX-License-Identifier: MIT
// The kernel's start: from the boot loader's hands to init's first instruction.
#include "abi_hash.h"
#include "cpu.h"
#include "descriptor.h"
#include "fpu.h"
#include "image.h"
#include "irq.h"
#include "kalloc.h"
#include "log.h"
#include "memory.h"
#include "panic.h"
#include "port.h"
#include "schedule.h"
#include "timer.h"
#include "trap.h"
#include "window.h"

enum { RANK_INIT = 20 };

__attribute__((noreturn)) void kernel_main(uint32_t magic, uint32_t address);

BOOT_DATA static struct multiboot_info multiboot;
BOOT_DATA static union {
    struct start_info info;
    char page[PAGE_SIZE];
} start __attribute__((aligned(4096)));

static void cpu_check(void) {
    enum { SYSENTER = 11, GLOBAL_PAGES = 13, FXSAVE = 24 };
    uint32_t out[4];
    cpuid(1, out);
    uint32_t needed = 1u << SYSENTER | 1u << GLOBAL_PAGES | 1u << FXSAVE;
    if ((out[3] & needed) != needed) {
        boot_refuse("this CPU lacks sysenter, global pages or fxsave: use a Pentium III or "
                    "later (qemu-system-i386 -cpu Nehalem,-lm,-syscall)");
    }
}

// What stands behind `option` on the command line; an empty text without it. The kernel reads
// `check=N` and `idle=spin` itself, init everything else.
static const char *option_value(const char *command, const char *option) {
    const char *at = command;
    for (; *at != 0; at++) {
        uint32_t i = 0;
        while (option[i] != 0 && at[i] == option[i]) {
            i++;
        }
        if (option[i] == 0 && (at == command || at[-1] == ' ')) {
            return at + i;
        }
    }
    return at;
}

static uint32_t option_number(const char *digit) {
    uint32_t value = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        value = value * 10 + (uint32_t)(*digit - '0');
    }
    return value;
}

// --- init's address space ------------------------------------------------------------------------

static void page_add(struct task *task, vaddr_t page, uint32_t rights, frame_t from,
                     uint32_t first, uint32_t end) {
    frame_t frame = pool_take(task->pool, FRAME_USER);
    pte_t *entry = frame == FRAME_NONE ? NULL : space_entry_make(&task->space, page);
    if (entry == NULL) {
        boot_refuse("too little memory to load init: give the machine more");
    }
    if (from != FRAME_NONE) {
        window_copy(frame, from, first, end);
    }
    space_install(&task->space, entry, frame, rights);
}

static void segment_add(struct task *task, const struct image_segment *segment, frame_t file) {
    vaddr_t end = segment->address + segment->memory_size;
    vaddr_t file_end = segment->address + segment->file_size;
    for (vaddr_t page = PAGE_DOWN(segment->address); page < end; page += PAGE_SIZE) {
        vaddr_t first = MAX_OF(page, segment->address);
        vaddr_t stop = MIN_OF(page + PAGE_SIZE, file_end);
        uint32_t offset = segment->file_offset + (first - segment->address);
        bool filled = first < file_end;
        page_add(task, page, segment->rights, filled ? file + (offset >> PAGE_SHIFT) : FRAME_NONE,
                 first - page, filled ? stop - page : 0);
    }
}

static vaddr_t image_load(struct task *task, const struct boot_module *module) {
    struct image image;
    if (!frame_is_low(module->first_frame)) {
        boot_refuse("the module 'init' lies too high: the boot loader put it above 896 MiB");
    }
    const char *wrong = image_parse(window_address(module->first_frame),
                                    MIN_OF(module->length, PAGE_SIZE), module->length, &image);
    if (wrong != NULL) {
        boot_refuse_because("the module 'init' is corrupt, build it again: ", wrong);
    }
    if (image.abi_hash != ABI_HASH) {
        boot_refuse("the module 'init' was built for another kernel: build both again");
    }
    for (uint32_t i = 0; i < image.segment_count; i++) {
        segment_add(task, &image.segment[i], module->first_frame);
    }
    return image.entry;
}

// What the kernel pays with a frame of its own, users cannot change.
static frame_t clock_add(struct task *task) {
    struct clock *clock = kalloc_page(task->pool, FRAME_CLOCK);
    pte_t *entry = clock == NULL ? NULL : space_entry_make(&task->space, LAYOUT_CLOCK);
    if (entry == NULL) {
        boot_refuse("too little memory to load init: give the machine more");
    }
    *clock = timer_clock;
    space_install(&task->space, entry, window_frame(clock), MAP_READ);
    return window_frame(clock);
}

static void start_info_add(struct task *task) {
    start.info = (struct start_info){.abi_hash = ABI_HASH,
                                     .frames_total = frames.total,
                                     .frames_free = frames.free,
                                     .module_count = multiboot.module_count,
                                     .task = BADGE_INIT,
                                     .clock = clock_add(task)};
    bytes_copy(start.info.command, multiboot.command, BOOT_COMMAND_MAX);
    bytes_copy(start.info.module, multiboot.module, sizeof(multiboot.module));
    page_add(task, LAYOUT_START, MAP_READ, window_frame(&start), 0, PAGE_SIZE);
}

static void handle_add(struct task *task, uint32_t slot, struct object *object) {
    if (object == NULL) {
        boot_refuse("too little memory to start init: give the machine more");
    }
    handle_set(task, slot, object, RIGHT_ALL, 0);
}

static void init_start(struct pool *root) {
    if (multiboot.module_count == 0) {
        boot_refuse("no boot modules: the first must be 'init' (qemu: -initrd init,manifest,...)");
    }
    struct task *task = task_create(root, BADGE_INIT, RANK_INIT, PRIORITIES - 1);
    if (task == NULL) {
        boot_refuse("too little memory to start init: give the machine more");
    }
    task->share = SHARE_UNLIMITED;
    vaddr_t entry = image_load(task, &multiboot.module[0]);
    for (uint32_t i = 1; i <= LAYOUT_WIRED_STACK / PAGE_SIZE; i++) {
        page_add(task, LAYOUT_STACK_TOP - i * PAGE_SIZE, MAP_READ | MAP_WRITE, FRAME_NONE, 0, 0);
    }
    start_info_add(task);
    struct thread *thread = NULL;
    if (thread_create(task, LAYOUT_BUFFER, RANK_INIT, &thread) != OK) {
        boot_refuse("too little memory to start init: give the machine more");
    }
    handle_add(task, SLOT_TASK, task->object);
    handle_add(task, SLOT_THREAD, thread->object);
    handle_add(task, SLOT_POOL, root->object);
    handle_add(task, SLOT_MACHINE, object_create(OBJECT_MACHINE, 1, root));
    handle_add(task, SLOT_TRACE, object_create(OBJECT_TRACE, 1, root));
    thread->registers.eip = entry;
    thread->registers.esp = LAYOUT_STACK_TOP;
    task->state = TASK_STATE_ALIVE;
    thread_ready(thread);
}

void kernel_main(uint32_t magic, uint32_t address) {
    uint32_t entered = (uint32_t)tsc_read();
    const char *wrong = multiboot_read(magic, address, &multiboot);
    cpu_check();
    descriptor_init();
    if (wrong != NULL) {
        boot_refuse(wrong);
    }
    memory_protect();
    window_init();
    struct pool *root = memory_init(&multiboot);
    irq_init();
    timer_init();
    fpu_init();
    trap_check_interval = option_number(option_value(multiboot.command, "check="));
    kalloc_poison = trap_check_interval != 0;
    slow_flags |= trap_check_interval != 0 ? SLOW_CHECK : 0;
    schedule_spins = *option_value(multiboot.command, "idle=") == 's';
    log_print("quire: kernel: %u frames, %u free, tsc %u kHz, entered at tick %u%s\n", frames.total,
              frames.free, timer_tsc_khz(), entered,
              space_no_execute == 0 ? ", no NX on this CPU" : "");
    init_start(root);
    start_end(root);
}
