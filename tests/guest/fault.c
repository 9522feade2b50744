// SPDX-License-Identifier: MIT
// Faults as messages: every kind, what arrives at the fault port; and code that runs or must not.
// No user instruction may ever stop the kernel.
#include "victim.h"

#define GIVEN HANDLE(SLOT_GIVEN)
#define PAGE VICTIM_PAGE
#define WINDOW VICTIM_WINDOW

// --- every kind of fault -------------------------------------------------------------------------

static void read_page(void) {
    (void)*(volatile uint32_t *)(PAGE + 0x123 * 4);
}
static void write_page(void) {
    *(volatile uint32_t *)(PAGE + 0x124 * 4) = 1;
}
static void jump_page(void) {
    ((void (*)(void))(PAGE + 8))();
}
static void write_text(void) {
    *(volatile uint32_t *)0x401000 = 1;
}
static void read_null(void) {
    __asm__ volatile("mov 16, %%eax" : : : "eax");
}
static void read_kernel(void) {
    (void)*(volatile uint32_t *)0xc0100000;
}
static void write_kernel(void) {
    *(volatile uint32_t *)0xc0100000 = 1;
}
static void jump_kernel(void) {
    ((void (*)(void))0xc0100000)();
}
static void read_last(void) {
    (void)*(volatile uint8_t *)0xffffffff;
}
static void stack_null(void) {
    __asm__ volatile("mov $0x1000, %%esp; push %%eax" : : : "memory");
}
static void stack_kernel(void) {
    __asm__ volatile("mov $0xc0101000, %%esp; push %%eax" : : : "memory");
}
static void divide(void) {
    __asm__ volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; div %%ecx" : : : "eax", "ecx", "edx");
}
static void single_step(void) {
    __asm__ volatile("pushf; orl $0x100, (%%esp); popf; nop; nop; pushf; andl $~0x100, (%%esp); popf"
                     : : : "memory");
}

#define INSTRUCTION(name, text)              \
    static void name(void) {                 \
        __asm__ volatile(text : : : "memory", "eax", "ecx", "edx"); \
    }
INSTRUCTION(breakpoint, "int3")
INSTRUCTION(overflow, "movb $0x7f, %%al; addb $1, %%al; into")
INSTRUCTION(bounds, "push $1; push $0; mov $5, %%eax; bound %%eax, (%%esp)")
INSTRUCTION(invalid, "ud2")
INSTRUCTION(halt, "hlt")
INSTRUCTION(interrupts_off, "cli")
INSTRUCTION(interrupts_on, "sti")
INSTRUCTION(port_in, "inb $0x60, %%al")
INSTRUCTION(port_out, "outb %%al, $0xf4")
INSTRUCTION(port_string, "mov $0xe9, %%edx; outsb")
INSTRUCTION(interrupt_timer, "int $0x20")
INSTRUCTION(interrupt_fault, "int $14")
INSTRUCTION(interrupt_double, "int $8")
INSTRUCTION(interrupt_nmi, "int $2")
INSTRUCTION(interrupt_none, "int $0x90")
INSTRUCTION(control_read, "mov %%cr3, %%eax")
INSTRUCTION(control_write, "mov %%eax, %%cr0")
INSTRUCTION(debug_write, "mov %%eax, %%dr7")
INSTRUCTION(msr, "mov $0x176, %%ecx; wrmsr")
INSTRUCTION(exit_fast, "sysexit")
INSTRUCTION(segment_kernel, "mov $0x10, %%eax; mov %%eax, %%ds")
INSTRUCTION(segment_stack, "mov $0x10, %%eax; mov %%eax, %%ss")
INSTRUCTION(segment_past, "mov $0xfff3, %%eax; mov %%eax, %%fs")
INSTRUCTION(segment_task, "mov $0x30, %%eax; ltr %%ax")
INSTRUCTION(call_kernel, "lcall $8, $0xc0100000")
INSTRUCTION(call_task, "lcall $0x38, $0")
INSTRUCTION(return_nested, "pushf; orl $0x4000, (%%esp); popf; pushf; push $0x1b; push $0; iret")
INSTRUCTION(return_to_kernel, "pushf; push $8; push $0xc0100000; iret")
INSTRUCTION(far_return, "push $8; push $0xc0100000; lret")
INSTRUCTION(virtual_8086, "pushf; orl $0x20000, (%%esp); popf; mov $0x10, %%eax; mov %%eax, %%es")
INSTRUCTION(stack_none, "xor %%eax, %%eax; mov %%eax, %%ss")
INSTRUCTION(table_load, "push $0; push $0; lidt (%%esp)")
INSTRUCTION(invalidate, "invlpg (%%eax)")
INSTRUCTION(clear_switched, "clts")
INSTRUCTION(float_divide, "fninit; pushl $0; fldcw (%%esp); fldz; fld1; fdivp; fwait")

// What a user may do wrong, and what its pager hears of it.
static const struct {
    const char *name;
    void (*run)(void);
    uint32_t label, word;
} kinds[] = {
    {"read", read_page, LABEL_fault_read, PAGE + 0x123 * 4},
    {"write", write_page, LABEL_fault_write, PAGE + 0x124 * 4},
    {"execute", jump_page, LABEL_fault_execute, PAGE + 8},
    {"write text", write_text, LABEL_fault_protection, 0x401000},
    {"read null", read_null, LABEL_fault_read, 16},
    {"read kernel", read_kernel, LABEL_fault_read, 0xc0100000},
    {"write kernel", write_kernel, LABEL_fault_protection, 0xc0100000},
    {"jump to kernel", jump_kernel, LABEL_fault_execute, 0xc0100000},
    {"read the last byte", read_last, LABEL_fault_read, 0xffffffff},
    {"stack below user memory", stack_null, LABEL_fault_write, 0xffc},
    {"stack in the kernel", stack_kernel, LABEL_fault_protection, 0xc0100ffc},
    {"divide by zero", divide, LABEL_fault_exception, 0},
    {"single step", single_step, LABEL_fault_exception, 1},
    {"int3", breakpoint, LABEL_fault_exception, 3},
    {"into", overflow, LABEL_fault_exception, 4},
    {"bound", bounds, LABEL_fault_exception, 5},
    {"ud2", invalid, LABEL_fault_exception, 6},
    {"hlt", halt, LABEL_fault_exception, 13},
    {"cli", interrupts_off, LABEL_fault_exception, 13},
    {"sti", interrupts_on, LABEL_fault_exception, 13},
    {"in", port_in, LABEL_fault_exception, 13},
    {"out", port_out, LABEL_fault_exception, 13},
    {"outs", port_string, LABEL_fault_exception, 13},
    {"int timer", interrupt_timer, LABEL_fault_exception, 13},
    {"int page fault", interrupt_fault, LABEL_fault_exception, 13},
    {"int double fault", interrupt_double, LABEL_fault_exception, 13},
    {"int nmi", interrupt_nmi, LABEL_fault_exception, 13},
    {"int without a gate", interrupt_none, LABEL_fault_exception, 13},
    {"read cr3", control_read, LABEL_fault_exception, 13},
    {"write cr0", control_write, LABEL_fault_exception, 13},
    {"write dr7", debug_write, LABEL_fault_exception, 13},
    {"wrmsr", msr, LABEL_fault_exception, 13},
    {"sysexit", exit_fast, LABEL_fault_exception, 13},
    {"kernel ds", segment_kernel, LABEL_fault_exception, 13},
    {"kernel ss", segment_stack, LABEL_fault_exception, 13},
    {"selector past the table", segment_past, LABEL_fault_exception, 13},
    {"ltr", segment_task, LABEL_fault_exception, 13},
    {"far call to the kernel", call_kernel, LABEL_fault_exception, 13},
    {"far call to a task", call_task, LABEL_fault_exception, 13},
    {"iret with NT", return_nested, LABEL_fault_exception, 10},
    {"iret to the kernel", return_to_kernel, LABEL_fault_exception, 13},
    {"far return to the kernel", far_return, LABEL_fault_exception, 13},
    {"virtual 8086 by popf", virtual_8086, LABEL_fault_exception, 13},
    {"null ss", stack_none, LABEL_fault_exception, 13},
    {"lidt", table_load, LABEL_fault_exception, 13},
    {"invlpg", invalidate, LABEL_fault_exception, 13},
    {"clts", clear_switched, LABEL_fault_exception, 13},
    {"x87 division by zero", float_divide, LABEL_fault_exception, 16},
};

static void run_kind(struct actor *self) {
    kinds[self->argument].run();
}

TEST(kinds, "each kind of fault arrives with its label, address and badge; an error ends the task") {
    victim_begin();
    for (uint32_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        test_case(kinds[i].name);
        struct actor *victim = victim_make(run_kind);
        actor_start(victim, i);
        struct received received;
        victim_fault(&received, kinds[i].label, kinds[i].word);
        CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), OK);
        CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), E_TOKEN);
        world_settle();
        victim_is_dead(victim);
        actor_end(victim);
    }
    victim_end();
}

TEST(no_port, "without a fault port, or once it is gone, a fault ends the task") {
    victim_begin();
    struct actor *victim = task_make(POOL, 10, run_kind);
    CHECK_EQUAL(task_death_event(victim->task, WORLD_EVENT, VICTIM_DEATH), OK);
    actor_start(victim, 0);
    world_settle();
    victim_is_dead(victim);
    actor_end(victim);
    handle_t other = port_make(SLOT_TEST, VICTIM_RANK);
    victim = victim_make(run_kind);
    CHECK_EQUAL(task_fault_port(victim->task, other, VICTIM_BADGE), OK);
    actor_start(victim, 0);
    CHECK(!actor_finished(victim));
    port_end(other);  // the fault stands in its queue: it is tried again, in vain
    world_settle();
    victim_is_dead(victim);
    victim_end();
}

TEST(set_wrong, "a fault port and a death event must be handles with the right kind and rights") {
    victim_begin();
    struct actor *victim = victim_make(run_kind);
    CHECK_EQUAL(task_fault_port(victim->task, HANDLE(200), 0), E_HANDLE);
    CHECK_EQUAL(task_fault_port(victim->task, WORLD_EVENT, 0), E_TYPE);
    CHECK_EQUAL(task_death_event(victim->task, victim_port, 1), E_TYPE);
    CHECK_EQUAL(task_handle_give(TASK, victim_port, SLOT_TEST, RIGHT_ALL & ~RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(task_fault_port(victim->task, HANDLE(SLOT_TEST), 0), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    victim_end();
}

// --- execution -----------------------------------------------------------------------------------

TEST(execute, "a page mapped without the right to execute faults; with it, its code runs") {
    victim_begin();
    struct actor *victim = victim_make(run_kind);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, WINDOW, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint8_t *)(WINDOW + 8) = 0xc3;  // ret
    CHECK_EQUAL(map_one(victim->task, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    actor_start(victim, 2);
    struct received received;
    victim_fault(&received, LABEL_fault_execute, PAGE + 8);
    CHECK_EQUAL(received.word[1], PAGE + 8);
    CHECK_EQUAL(unmap_one(victim->task, PAGE, NULL), OK);
    struct map_item item = {PAGE | MAP_READ | MAP_EXECUTE, frame << 8};
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    actor_end(victim);
    CHECK_EQUAL(unmap_one(TASK, WINDOW, NULL), OK);
    frame_put(frame);
    victim_end();
}

// result[0]: the last answer of the handler, [1]: kernel entries while 1000 of them were made.
static void call_vector_80(struct actor *self) {
    struct machine_info_out before = {0}, after = {0};
    (void)!machine_info(GIVEN, &before);
    uint32_t answer = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        __asm__ volatile("int $0x80" : "=a"(answer) : "a"(i) : "memory");
    }
    (void)!machine_info(GIVEN, &after);
    self->result[0] = answer;
    self->result[1] = after.entries_low - before.entries_low;
}

TEST(vector_80, "int 0x80 enters a handler of the task itself and comes back, without the kernel") {
    static const uint8_t handler[] = {0x05, 0x34, 0x12, 0x00, 0x00, 0xcf};  // add 0x1234; iret
    victim_begin();
    struct actor *victim = victim_make(call_vector_80);
    actor_give(victim, MACHINE, 0, RIGHT_CALL, 0);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, WINDOW, MAP_READ | MAP_WRITE, frame), OK);
    for (uint32_t i = 0; i < sizeof handler; i++) {
        ((volatile uint8_t *)WINDOW)[i] = handler[i];
    }
    CHECK_EQUAL(unmap_one(TASK, WINDOW, NULL), OK);
    actor_start(victim, 0);
    struct received received;
    victim_fault(&received, LABEL_fault_execute, LAYOUT_INT80);
    struct map_item item = {LAYOUT_INT80 | MAP_READ | MAP_EXECUTE, frame << 8};
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], 999 + 0x1234);
    CHECK(victim->result[1] < 500);  // this many timer interrupts, at most, on a slow host
    actor_end(victim);
    frame_put(frame);
    victim_end();
}

// A ping of the own task with the trap flag set on the way in. result[0]: its error, [1]: flags.
static void step_into_kernel(struct actor *self) {
    uint32_t eax = HANDLE(SLOT_TASK) | OP_CALL, ebx = LABEL_task_ping, flags;
    __asm__ volatile(
        "push %%ebp\n\t"
        "mov %%esp, %%ecx\n\t"
        "mov $1f, %%edx\n\t"
        "pushf\n\t"
        "orl $0x4500, (%%esp)\n\t"  // TF, NT, DF
        "popf\n\t"
        "sysenter\n"
        "1:\n\t"
        "pop %%ebp\n\t"
        "pushf\n\t"
        "pop %%ecx\n\t"
        : "+a"(eax), "+b"(ebx), "=c"(flags)
        :
        : "edx", "esi", "edi", "memory");
    self->result[0] = TAG_TO_ERROR(eax);
    self->result[1] = flags & 0x4500;
}

TEST(step_into_kernel, "TF, NT and DF set on the way into the kernel do no harm and are gone") {
    victim_begin();
    struct actor *victim = victim_make(step_into_kernel);
    for (uint32_t i = 0; i < 100; i++) {
        actor_start(victim, 0);
        actor_wait(victim);
        CHECK_EQUAL(victim->result[0], OK);
        CHECK_EQUAL(victim->result[1], 0);
    }
    victim_end();
}

// Enters the kernel with wild return addresses.
static void return_wildly(struct actor *self) {
    static const uint32_t wild[][2] = {
        {0, 0x1000}, {0xc0100000, 0xc0100000}, {0xffffffff, 0xffffffff}, {LAYOUT_KERNEL, 0},
        {LAYOUT_START, 3}, {0x80000000, 0x80000000}};
    uint32_t eip = wild[self->argument][0], esp = wild[self->argument][1];
    __asm__ volatile("sysenter"
                     :
                     : "a"(HANDLE(SLOT_TASK) | OP_CALL), "b"(LABEL_task_ping), "c"(esp), "d"(eip)
                     : "memory");
}

TEST(return_wildly, "a call that asks to return to where nothing is becomes a fault there") {
    static const uint32_t where[] = {0, 0xc0100000, 0xffffffff, LAYOUT_KERNEL, LAYOUT_START,
                                     0x80000000};
    victim_begin();
    for (uint32_t i = 0; i < ARRAY_LENGTH(where); i++) {
        struct actor *victim = victim_make(return_wildly);
        actor_start(victim, i);
        struct received received;
        victim_fault(&received, LABEL_fault_execute, where[i]);
        CHECK_EQUAL(received.word[1], where[i]);
        CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), OK);
        victim_is_dead(victim);
        actor_end(victim);
    }
    victim_end();
}
