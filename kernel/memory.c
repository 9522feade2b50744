// SPDX-License-Identifier: MIT
#include "memory.h"
#include "cpu.h"
#include "panic.h"
#include "window.h"
#include "space.h"

#define LOW_MEMORY 0x100000u            // below: firmware's
#define FRAMES_MAX (1u << 24)           // a map item has 24 bits for a frame number
#define FRAMES_MIN 640u                 // less cannot hold the servers
#define OBJECTS_MIN 1024u
#define EFER 0xc0000080u
#define EFER_NO_EXECUTE 0x800u
#define CR4_GLOBAL 0x80u

extern char kernel_start[], kernel_boot_text_end[], kernel_boot_end[], kernel_text_end[],
    kernel_rodata_end[], kernel_end[];
extern char kernel_stack_guard[];

uint32_t memory_frames_max;
static struct pool root_pool;
pte_t memory_first_table[ENTRIES] __attribute__((aligned(4096)));

static uint32_t below_kernel(const char *address) {
    return (uint32_t)(uintptr_t)address - LAYOUT_KERNEL;
}

// Physical address bits of this CPU (Intel SDM, CPUID leaf 0x80000008; 36 with PAE alone).
static uint32_t address_bits(void) {
    uint32_t out[4];
    cpuid(0x80000000u, out);
    if (out[0] < 0x80000008u) {
        return 36;
    }
    cpuid(0x80000008u, out);
    return out[0] & 0xff;
}

static uint32_t frames_count(const struct multiboot_info *info) {
    uint64_t end = 0;
    for (uint32_t i = 0; i < info->range_count; i++) {
        end = MAX_OF(end, info->range[i].end);
    }
    return (uint32_t)MIN_OF(end >> PAGE_SHIFT, memory_frames_max);
}

// Does [first, end) touch [start, stop)? Then go on behind it.
static uint64_t step_over(uint64_t first, uint64_t end, uint64_t start, uint64_t stop) {
    return first < stop && start < end ? stop : first;
}

// Room of `bytes` in low RAM that neither kernel nor modules use.
static uint32_t place_find(const struct multiboot_info *info, uint32_t bytes) {
    for (uint32_t i = 0; i < info->range_count; i++) {
        uint64_t limit = MIN_OF(info->range[i].end, (uint64_t)WINDOW_FRAMES << PAGE_SHIFT);
        uint64_t first = MAX_OF(info->range[i].first, LOW_MEMORY);
        for (uint64_t before = 0; before != first;) {
            before = first;
            first = step_over(first, first + bytes, below_kernel(kernel_start),
                              below_kernel(kernel_end));
            for (uint32_t m = 0; m < info->module_count; m++) {
                uint64_t start = (uint64_t)info->module[m].first_frame << PAGE_SHIFT;
                first = step_over(first, first + bytes, start,
                                  start + PAGE_UP(info->module[m].length));
            }
        }
        if (first + bytes <= limit) {
            return (uint32_t)first;
        }
    }
    boot_refuse("too little memory for the frame table: give the machine more, 24 MiB is plenty");
}

static void add_all(uint64_t first, uint64_t end, enum frame_type type, uint16_t pool) {
    for (uint64_t at = first; at < end; at += PAGE_SIZE) {
        if (at >> PAGE_SHIFT < frames.count) {
            frame_add((frame_t)(at >> PAGE_SHIFT), type, pool);
        }
    }
}

static void frames_fill(const struct multiboot_info *info, uint32_t place, uint32_t bytes,
                        uint16_t pool) {
    for (uint32_t i = 0; i < info->range_count; i++) {
        add_all(MAX_OF(info->range[i].first, LOW_MEMORY), info->range[i].end, FRAME_FREE, 0);
    }
    add_all(below_kernel(kernel_start) & ~(PAGE_SIZE - 1), below_kernel(kernel_end), FRAME_KERNEL,
            0);
    add_all(place, place + bytes, FRAME_KERNEL, 0);
    for (uint32_t m = 0; m < info->module_count; m++) {
        uint64_t start = (uint64_t)info->module[m].first_frame << PAGE_SHIFT;
        add_all(start, start + PAGE_UP(info->module[m].length), FRAME_USER, pool);
    }
}

struct pool *memory_init(const struct multiboot_info *info) {
    memory_frames_max = (uint32_t)MIN_OF(FRAMES_MAX, 1ull << (address_bits() - PAGE_SHIFT));
    uint32_t count = frames_count(info);
    uint32_t slots = OBJECTS_MIN;
    while (slots < OBJECTS_MAX && slots < count / 16) {
        slots *= 2;
    }
    uint32_t table_bytes = count * (uint32_t)sizeof(struct frame);
    uint32_t bitmap_bytes = bitmap_words(count) * 4;
    uint32_t bytes = PAGE_UP(table_bytes + bitmap_bytes + slots * (uint32_t)sizeof(struct object));
    uint32_t place = place_find(info, bytes);
    char *storage = window_address(place >> PAGE_SHIFT);
    bytes_zero(storage, bytes);
    struct object *object_table = (struct object *)storage;
    struct frame *frame_table = (struct frame *)(object_table + slots);
    object_init(object_table, slots);
    frame_init(frame_table, (uint32_t *)(frame_table + count), count,
               MIN_OF(count, WINDOW_FRAMES));
    struct pool *root = pool_root_create(&root_pool, 0);
    frames_fill(info, place, bytes, pool_number(root));
    for (frame_t frame = 0; frame < count; frame++) {
        root->used += frame_entry(frame)->type == FRAME_USER;
    }
    root->reserved = frames.free + root->used;
    if (frames.free < FRAMES_MIN) {
        boot_refuse("too little memory: give the machine more, 24 MiB is plenty");
    }
    return root;
}

static bool lies_in(uint32_t physical, const char *first, const char *end) {
    return physical >= below_kernel(first) && physical < below_kernel(end);
}

void memory_protect(void) {
    uint32_t out[4];
    cpuid(0x80000001u, out);
    if (out[3] & 1u << 20) {
        msr_write(EFER, msr_read(EFER) | EFER_NO_EXECUTE);
        space_no_execute_use();
    }
    uint64_t base = ENTRY_PRESENT | ENTRY_GLOBAL;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint32_t at = i * PAGE_SIZE;
        bool text = lies_in(at, kernel_start, kernel_boot_text_end) ||
                    lies_in(at, kernel_boot_end, kernel_text_end);
        bool constant = lies_in(at, kernel_text_end, kernel_rodata_end);
        uint64_t bits = base | (text ? 0 : space_no_execute) | (text || constant ? 0 : ENTRY_WRITE);
        memory_first_table[i] = entry_make(FRAME_PADDR(i), bits);
    }
    memory_first_table[below_kernel(kernel_stack_guard) >> PAGE_SHIFT] = 0;
    for (uint32_t i = 1; i < WINDOW_FRAMES / ENTRIES; i++) {
        kernel_page_directory[i] =
            entry_add(kernel_page_directory[i], ENTRY_GLOBAL | space_no_execute);
    }
    kernel_page_directory[0] = entry_make(FRAME_PADDR(window_frame(memory_first_table)),
                                          ENTRY_PRESENT | ENTRY_WRITE);
    boot_directory_pointers[0] = 0;
    cr3_write(cr3_read());
    cr4_write(cr4_read() | CR4_GLOBAL);
}
