// SPDX-License-Identifier: MIT
// Faults as messages: what arrives at the fault port, which answers are refused, which are taken.
// No user instruction may ever stop the kernel.
#include "world.h"

enum { PORT_RANK = 25, FAULT_BADGE = 0x77, DEATH_BIT = 1u << 20, ITEMS = 16 };
#define GIVEN HANDLE(SLOT_GIVEN)
#define PAGE 0x50000000u    // where the tasks under test fault
#define WINDOW 0x60000000u  // where the test looks into frames

static handle_t port;

static struct actor *victim_make(void (*run)(struct actor *)) {
    struct actor *victim = task_make(POOL, 10, run);
    CHECK_EQUAL(task_fault_port(victim->task, port, FAULT_BADGE), OK);
    CHECK_EQUAL(task_death_event(victim->task, WORLD_EVENT, DEATH_BIT), OK);
    return victim;
}

static void begin(void) {
    world_begin();
    port = port_make(SLOT_TEST + 5, PORT_RANK);
}

static void end(void) {
    world_end();
    port_end(port);
}

static void fault_next(struct received *received, uint32_t label, uint32_t word) {
    port_next(port, received);
    CHECK_EQUAL(received->tag, TAG(label, 2, 0, 0));
    CHECK_EQUAL(received->badge, FAULT_BADGE);
    CHECK_EQUAL(received->word[0], word);
}

static void is_dead(struct actor *victim) {
    struct task_info_out info;
    CHECK_EQUAL(task_info(victim->task, &info), OK);
    CHECK_EQUAL(info.state, TASK_STATE_DEAD);
    CHECK_EQUAL(info.cause, CAUSE_FAULT);
    CHECK(!victim->done);
    struct received received;
    ipc_poll(0, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], DEATH_BIT);
}

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
    begin();
    for (uint32_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        test_case(kinds[i].name);
        struct actor *victim = victim_make(run_kind);
        actor_start(victim, i);
        struct received received;
        fault_next(&received, kinds[i].label, kinds[i].word);
        CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), OK);
        CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), E_TOKEN);
        world_settle();
        is_dead(victim);
        actor_end(victim);
    }
    end();
}

TEST(no_port, "without a fault port, or once it is gone, a fault ends the task") {
    begin();
    struct actor *victim = task_make(POOL, 10, run_kind);
    CHECK_EQUAL(task_death_event(victim->task, WORLD_EVENT, DEATH_BIT), OK);
    actor_start(victim, 0);
    world_settle();
    is_dead(victim);
    actor_end(victim);
    handle_t other = port_make(SLOT_TEST, PORT_RANK);
    victim = victim_make(run_kind);
    CHECK_EQUAL(task_fault_port(victim->task, other, FAULT_BADGE), OK);
    actor_start(victim, 0);
    CHECK(!actor_finished(victim));
    port_end(other);  // the fault stands in its queue: it is tried again, in vain
    world_settle();
    is_dead(victim);
    end();
}

TEST(set_wrong, "a fault port and a death event must be handles with the right kind and rights") {
    begin();
    struct actor *victim = victim_make(run_kind);
    CHECK_EQUAL(task_fault_port(victim->task, HANDLE(200), 0), E_HANDLE);
    CHECK_EQUAL(task_fault_port(victim->task, WORLD_EVENT, 0), E_TYPE);
    CHECK_EQUAL(task_death_event(victim->task, port, 1), E_TYPE);
    CHECK_EQUAL(task_handle_give(TASK, port, SLOT_TEST, RIGHT_ALL & ~RIGHT_CONTROL, 0), OK);
    CHECK_EQUAL(task_fault_port(victim->task, HANDLE(SLOT_TEST), 0), E_RIGHT);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_TEST), OK);
    end();
}

// --- answers that map ----------------------------------------------------------------------------

// Reads a word of each of `argument` pages into result[0] (their sum).
static void read_pages(struct actor *self) {
    for (uint32_t i = 0; i < self->argument; i++) {
        self->result[0] += *(volatile uint32_t *)(PAGE + i * PAGE_SIZE);
    }
}

static void frame_fill(frame_t frame, uint32_t word) {
    CHECK_EQUAL(map_one(TASK, WINDOW, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint32_t *)WINDOW = word;
    CHECK_EQUAL(unmap_one(TASK, WINDOW, NULL), OK);
}

TEST(map_one_page, "a reply with one map item lets the instruction succeed") {
    begin();
    struct actor *victim = victim_make(read_pages);
    frame_t frame = frame_get();
    frame_fill(frame, 4711);
    actor_start(victim, 1);
    struct received received;
    fault_next(&received, LABEL_fault_read, PAGE);
    struct map_item item = {PAGE | MAP_READ, frame << 8};
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], 4711);
    actor_end(victim);
    frame_put(frame);
    end();
}

TEST(map_sixteen, "a reply with sixteen items maps them all; with FRAME_ZERO it zeroes them") {
    begin();
    struct actor *victim = victim_make(read_pages);
    struct map_item items[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        frame_t frame = frame_get();
        frame_fill(frame, 1u << i);
        items[i] = (struct map_item){(PAGE + i * PAGE_SIZE) | MAP_READ | MAP_WRITE,
                                     frame << 8 | (i % 2 == 0 ? FRAME_ZERO : 0)};
    }
    actor_start(victim, ITEMS);
    struct received received, next;
    fault_next(&received, LABEL_fault_read, PAGE);
    ipc_reply_map_receive(port, received.token, items, ITEMS, &next);
    CHECK_EQUAL(next.tag, LABEL_EVENT);  // the victim is done, and no other fault came
    CHECK_EQUAL(victim->result[0], 0xaaaa);
    actor_end(victim);
    for (uint32_t i = 0; i < ITEMS; i++) {
        frame_put(ITEM_FRAME(items[i]));
    }
    end();
}

TEST(retry, "an empty reply tries the instruction again; so does the end of the pager") {
    begin();
    struct actor *victim = victim_make(read_pages);
    actor_start(victim, 1);
    struct received received, again;
    fault_next(&received, LABEL_fault_read, PAGE);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), OK);
    fault_next(&again, LABEL_fault_read, PAGE);
    CHECK(received.token != again.token);
    CHECK_EQUAL(ipc_reply(received.token, 0, NULL), E_TOKEN);
    CHECK_EQUAL(thread_suspend(victim->thread), OK);
    CHECK_EQUAL(ipc_reply(again.token, 0, NULL), E_TOKEN);
    CHECK_EQUAL(thread_resume(victim->thread), OK);
    fault_next(&again, LABEL_fault_read, PAGE);
    CHECK_EQUAL(ipc_reply(again.token, TAG_ERROR(E_DENIED), NULL), OK);
    is_dead(victim);
    end();
}

// Faults first; when it is started again, calls.
static void fault_then_call(struct actor *self) {
    if (self->argument == 0) {
        read_page();
    }
    uint32_t in = 3, out = 0;
    self->result[0] = ipc_call(GIVEN, 0x2001, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

TEST(fault_cancelled, "a thread whose fault was cancelled may be started anew, and calls as any other") {
    begin();
    struct actor *victim = victim_make(fault_then_call);
    handle_t other = port_make(SLOT_TEST, PORT_RANK);
    actor_give(victim, other, 0, RIGHT_CALL, 0);
    struct received received;
    actor_start(victim, 0);
    fault_next(&received, LABEL_fault_read, PAGE + 0x123 * 4);
    actor_start(victim, 1);
    CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), E_TOKEN);
    port_next(other, &received);
    uint32_t answer = 5;
    CHECK_EQUAL(ipc_reply(received.token, TAG(0x2001, 1, 0, 0), &answer), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], OK);
    CHECK_EQUAL(victim->result[1], 5);
    end();
    port_end(other);
}

static void silent_pager(struct actor *self) {
    struct received received;
    ipc_receive(GIVEN, &received);
    self->result[0] = received.tag;
    ipc_receive(GIVEN, &received);
}

TEST(pager_ends, "when a pager ends before it answered, the next one is asked") {
    begin();
    struct actor *pager = task_make(POOL, 20, silent_pager);
    actor_give(pager, port, 0, RIGHT_RECEIVE, 0);
    actor_start(pager, 0);
    CHECK(!actor_finished(pager));
    struct actor *victim = victim_make(read_pages);
    actor_start(victim, 1);
    world_settle();
    CHECK_EQUAL(pager->result[0], TAG(LABEL_fault_read, 2, 0, 0));
    actor_end(pager);
    struct received received;
    fault_next(&received, LABEL_fault_read, PAGE);
    CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), OK);
    is_dead(victim);
    end();
}

// Reads the page, then calls.
static void read_then_call(struct actor *self) {
    (void)*(volatile uint32_t *)PAGE;
    uint32_t in = 3, out = 0;
    self->result[0] = ipc_call(HANDLE(SLOT_GIVEN + 1), 0x2001, &in, 1, &out, 1, 0);
    self->result[1] = out;
}

TEST(retry_then_call, "after a fault that was tried again the thread's next call is a call") {
    for (uint32_t how = 0; how < 2; how++) {
        begin();
        handle_t other = port_make(SLOT_TEST, PORT_RANK), faults = port_make(SLOT_TEST + 1, PORT_RANK);
        struct actor *pager = task_make(POOL, 20, silent_pager);
        struct actor *victim = victim_make(read_then_call);
        CHECK_EQUAL(task_fault_port(victim->task, faults, 0), OK);
        actor_give(victim, other, 1, RIGHT_CALL, 0);
        actor_give(pager, faults, 0, RIGHT_RECEIVE, 0);
        if (how == 0) {  // the pager has received the fault; else it stands in the queue
            actor_start(pager, 0);
        }
        actor_start(victim, 0);
        CHECK(!actor_finished(victim));
        frame_t frame = frame_get();
        CHECK_EQUAL(map_one(victim->task, PAGE, MAP_READ, frame), OK);
        actor_end(pager);
        port_end(faults);
        struct received received;
        port_next(other, &received);
        uint32_t answer = 9;
        CHECK_EQUAL(ipc_reply(received.token, TAG(0x2001, 1, 0, 0), &answer), OK);
        actor_wait(victim);
        CHECK_EQUAL(victim->result[0], OK);
        CHECK_EQUAL(victim->result[1], 9);
        actor_end(victim);
        frame_put(frame);
        end();
        port_end(other);
    }
}

// A wrong answer: refused with `error`, nothing mapped, the faulter still waits.
static void refused(struct actor *victim, token_t token, const struct map_item *items,
                    uint32_t count, error_t error) {
    struct task_info_out before, after;
    CHECK_EQUAL(task_info(victim->task, &before), OK);
    CHECK_EQUAL(ipc_reply_map(token, items, count), error);
    struct received received;
    ipc_reply_map_receive(port, token, items, count, &received);
    CHECK_EQUAL(TAG_TO_ERROR(received.tag), error);
    CHECK_EQUAL(task_info(victim->task, &after), OK);
    CHECK_EQUAL(after.mapped, before.mapped);
    CHECK_EQUAL(after.tables, before.tables);
    CHECK(!actor_finished(victim));
}

TEST(map_wrong, "a wrong map item is refused whole, the faulter waits on, and may yet be answered") {
    begin();
    struct actor *victim = victim_make(read_pages);
    handle_t pool = pool_make(SLOT_TEST, 8);
    struct pool_frames_alloc_out out;
    CHECK_EQUAL(pool_frames_alloc(pool, 1, 0, &out), OK);
    frame_t foreign = ITEM_FRAME(message_buffer()->list[0]);
    frame_t frame = frame_get();
    actor_start(victim, 1);
    struct received received;
    fault_next(&received, LABEL_fault_read, PAGE);
    const struct {
        struct map_item item;
        error_t error;
    } wrong[] = {
        {{PAGE | MAP_READ, foreign << 8}, E_OWNER},
        {{PAGE | MAP_READ, 0x100 << 8}, E_OWNER},  // the kernel's first frame
        {{PAGE | MAP_READ, 0}, E_OWNER},
        {{PAGE | MAP_READ, 0xffffffu << 8}, E_OWNER},
        {{PAGE | MAP_READ, frame << 8 | FRAME_DIRTY}, E_ARGUMENT},
        {{PAGE | MAP_READ, frame << 8 | 0x80}, E_ARGUMENT},
        {{PAGE | MAP_WRITE, frame << 8}, E_ARGUMENT},
        {{PAGE, frame << 8}, E_ARGUMENT},
        {{PAGE | 8 | MAP_READ, frame << 8}, E_ARGUMENT},
        {{PAGE | 0x800 | MAP_READ, frame << 8}, E_ARGUMENT},
        {{PAGE | MAP_RIGHTS, frame << 8}, E_WX},
        {{LAYOUT_KERNEL | MAP_READ, frame << 8}, E_ADDRESS},
        {{0xfffff000u | MAP_READ, frame << 8}, E_ADDRESS},
        {{MAP_READ, frame << 8}, E_ADDRESS},
        {{(LAYOUT_USER_FIRST - PAGE_SIZE) | MAP_READ, frame << 8}, E_ADDRESS},
        {{0x401000u | MAP_READ, frame << 8}, E_MAPPED},
        {{LAYOUT_BUFFER | MAP_READ, frame << 8}, E_MAPPED},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct map_item items[2] = {wrong[i].item, wrong[i].item};
        refused(victim, received.token, items, 1, wrong[i].error);
        items[0] = (struct map_item){(PAGE + 8 * PAGE_SIZE) | MAP_READ, frame << 8};
        refused(victim, received.token, items, 2, wrong[i].error);
    }
    struct map_item twice[2] = {{PAGE | MAP_READ, frame << 8}, {PAGE | MAP_READ, frame << 8}};
    refused(victim, received.token, twice, 2, E_MAPPED);
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 0, 0, 17), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 0, 0, 31), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 1, 0, 0), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(raw_enter(OP_REPLY, received.token, TAG(0, 0, 1, 0), 0, 0).eax,
                TAG_ERROR(E_LENGTH));
    CHECK_EQUAL(ipc_reply_map(received.token, twice, 1), OK);
    actor_wait(victim);
    actor_end(victim);
    frame_put(frame);
    message_buffer()->list[0] = (struct map_item){0, foreign << 8};
    struct pool_frames_free_out freed;
    CHECK_EQUAL(pool_frames_free(pool, 1, &freed), OK);
    CHECK_EQUAL(pool_destroy(pool), OK);
    end();
}

TEST(map_no_memory, "a reply that needs a page table the faulter cannot pay for maps nothing") {
    begin();
    frame_t frame = frame_get();
    handle_t pool = pool_make(SLOT_TEST, 64);
    struct actor *victim = task_make(pool, 10, read_pages);
    CHECK_EQUAL(task_fault_port(victim->task, port, FAULT_BADGE), OK);
    struct pool_info_out info;
    CHECK_EQUAL(pool_info(pool, &info), OK);
    struct pool_frames_alloc_out taken;
    CHECK_EQUAL(pool_frames_alloc(pool, info.reserved - info.used, 0, &taken), OK);
    static struct map_item rest[64];
    for (uint32_t i = 0; i < taken.done; i++) {
        rest[i] = message_buffer()->list[i];
    }
    actor_start(victim, 1);
    struct received received;
    fault_next(&received, LABEL_fault_read, PAGE);
    struct map_item item = {PAGE | MAP_READ, frame << 8};
    refused(victim, received.token, &item, 1, E_MEMORY);  // no directory
    struct pool_frames_free_out freed;
    message_buffer()->list[0] = rest[0];
    CHECK_EQUAL(pool_frames_free(pool, 1, &freed), OK);
    refused(victim, received.token, &item, 1, E_MEMORY);  // directory, but no table
    message_buffer()->list[0] = rest[1];
    CHECK_EQUAL(pool_frames_free(pool, 1, &freed), OK);
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    for (uint32_t i = 2; i < taken.done; i++) {
        message_buffer()->list[0] = rest[i];
        CHECK_EQUAL(pool_frames_free(pool, 1, &freed), OK);
    }
    actor_end(victim);
    CHECK_EQUAL(pool_destroy(pool), OK);
    frame_put(frame);
    end();
}

// --- execution -----------------------------------------------------------------------------------

TEST(execute, "a page mapped without the right to execute faults; with it, its code runs") {
    begin();
    struct actor *victim = victim_make(run_kind);
    frame_t frame = frame_get();
    CHECK_EQUAL(map_one(TASK, WINDOW, MAP_READ | MAP_WRITE, frame), OK);
    *(volatile uint8_t *)(WINDOW + 8) = 0xc3;  // ret
    CHECK_EQUAL(map_one(victim->task, PAGE, MAP_READ | MAP_WRITE, frame), OK);
    actor_start(victim, 2);
    struct received received;
    fault_next(&received, LABEL_fault_execute, PAGE + 8);
    CHECK_EQUAL(received.word[1], PAGE + 8);
    CHECK_EQUAL(unmap_one(victim->task, PAGE, NULL), OK);
    struct map_item item = {PAGE | MAP_READ | MAP_EXECUTE, frame << 8};
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    actor_end(victim);
    CHECK_EQUAL(unmap_one(TASK, WINDOW, NULL), OK);
    frame_put(frame);
    end();
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
    begin();
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
    fault_next(&received, LABEL_fault_execute, LAYOUT_INT80);
    struct map_item item = {LAYOUT_INT80 | MAP_READ | MAP_EXECUTE, frame << 8};
    CHECK_EQUAL(ipc_reply_map(received.token, &item, 1), OK);
    actor_wait(victim);
    CHECK_EQUAL(victim->result[0], 999 + 0x1234);
    CHECK(victim->result[1] < 500);  // this many timer interrupts, at most, on a slow host
    actor_end(victim);
    frame_put(frame);
    end();
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
    begin();
    struct actor *victim = victim_make(step_into_kernel);
    for (uint32_t i = 0; i < 100; i++) {
        actor_start(victim, 0);
        actor_wait(victim);
        CHECK_EQUAL(victim->result[0], OK);
        CHECK_EQUAL(victim->result[1], 0);
    }
    end();
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
    begin();
    for (uint32_t i = 0; i < ARRAY_LENGTH(where); i++) {
        struct actor *victim = victim_make(return_wildly);
        actor_start(victim, i);
        struct received received;
        fault_next(&received, LABEL_fault_execute, where[i]);
        CHECK_EQUAL(received.word[1], where[i]);
        CHECK_EQUAL(ipc_reply(received.token, TAG_ERROR(E_DENIED), NULL), OK);
        is_dead(victim);
        actor_end(victim);
    }
    end();
}
