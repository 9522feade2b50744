// SPDX-License-Identifier: MIT
// Three hostile tasks call the kernel at random, stopped and resumed at any instruction; they end
// each other, serve each other's calls and faults, and share all they have. Nothing they do may
// stop the system, break a law, or touch a task beside them that has given them nothing.
//   seed=N    the run; with counted instructions (-icount) a seed repeats it, call for call
//   calls=N   its length
//   break=N   break a law after so many calls, to show that it is found
#include "boot.h"
#include "caller.h"

enum { CALLS = 200000, POOL_FRAMES = 100, POOL_LOW = 20, SCRATCH_FRAMES = 4, VICTIM_BYTES = 8192 };
enum { PORT_RANK = 15, CALLER_RANK = 10, LINE = 9 };
enum { ENOUGH = 1000000, CALLS_A_CHECK = 256 };
enum { SLOT_POOLS = SLOT_TEST, SLOT_PORT_ = SLOT_TEST + 8, SLOT_LINE, SLOT_IO,
       SLOT_DEVICE, SLOT_NEW, SLOT_VICTIM_EVENT, SLOT_VICTIM_TIMER };
#define ROUND_BIT (1u << 29)
#define IO_PORT 0x80u  // the PC's delay port: harmless
#define SCREEN 0xb8u   // first frame of the PC's text screen: harmless, too

static struct actor *callers[CALLERS], *victim;
static frame_t scratch[SCRATCH_FRAMES], shared[CALLERS * REPORT_PAGES + 1];
static uint32_t before[CALLERS], rebuilt, broken;
static struct answers sum;

// --- the victim ----------------------------------------------------------------------------------

// Behind the callers' reports, shared with the test.
struct progress {
    volatile uint32_t rounds, wrong;
};

static struct progress *progress(void) {
    return (struct progress *)report_of(CALLERS);
}

static void victim_run(struct actor *self) {
    (void)self;
    static uint32_t data[VICTIM_BYTES / 4];
    struct received received;
    for (uint32_t round = 0;; round++) {
        for (uint32_t i = 0; i < ARRAY_LENGTH(data); i += 16) {
            data[i] = i * 2654435761u + round;
        }
        error_t error = timer_set(HANDLE(SLOT_GIVEN), 500000, 0, HANDLE(SLOT_GIVEN + 1), 1);
        ipc_receive(0, &received);
        progress()->wrong += error != OK || received.tag != LABEL_EVENT || received.word[0] != 1;
        for (uint32_t i = 0; i < ARRAY_LENGTH(data); i += 16) {
            progress()->wrong += data[i] != i * 2654435761u + round;
        }
        progress()->rounds++;
    }
}

static void victim_begin(void) {
    CHECK_EQUAL(pool_event_create(POOL, SLOT_VICTIM_EVENT), OK);
    CHECK_EQUAL(pool_timer_create(POOL, SLOT_VICTIM_TIMER), OK);
    victim = task_make_apart(POOL, CALLER_RANK, victim_run, 0);
    actor_give(victim, HANDLE(SLOT_VICTIM_TIMER), 0, RIGHT_ALL, 0);
    actor_give(victim, HANDLE(SLOT_VICTIM_EVENT), 1, RIGHT_ALL, 0);
    CHECK_EQUAL(thread_event(victim->thread, HANDLE(SLOT_VICTIM_EVENT)), OK);
}

static void victim_end(void) {
    CHECK_EQUAL(timer_destroy(HANDLE(SLOT_VICTIM_TIMER)), OK);
    CHECK_EQUAL(event_destroy(HANDLE(SLOT_VICTIM_EVENT)), OK);
    actor_end(victim);
}

// --- what callers and test share -----------------------------------------------------------------

static void shared_map(handle_t task) {
    struct task_map_out out;
    for (uint32_t i = 0; i < ARRAY_LENGTH(shared); i++) {
        message_buffer()->list[i] =
            (struct map_item){(REPORT + i * PAGE_SIZE) | MAP_READ | MAP_WRITE, shared[i] << 8};
    }
    CHECK_EQUAL(task_map(task, ARRAY_LENGTH(shared), &out), OK);
    CHECK_EQUAL(out.done, ARRAY_LENGTH(shared));
}

static void shared_begin(uint32_t seed) {
    for (uint32_t i = 0; i < ARRAY_LENGTH(shared); i++) {
        shared[i] = frame_get();
    }
    for (uint32_t i = 0; i < SCRATCH_FRAMES; i++) {
        scratch[i] = frame_get();
    }
    shared_map(TASK);
    for (uint32_t i = 0; i < CALLERS; i++) {
        report_of(i)->dice.state = seed * 2654435761u + i * 40503u + 1;
        before[i] = 0;
    }
    sum = (struct answers){0};
}

static void shared_end(void) {
    for (uint32_t i = 0; i < ARRAY_LENGTH(shared); i++) {
        CHECK_EQUAL(unmap_one(TASK, REPORT + i * PAGE_SIZE, NULL), OK);
        frame_put(shared[i]);
    }
    for (uint32_t i = 0; i < SCRATCH_FRAMES; i++) {
        frame_put(scratch[i]);
    }
}

// --- callers -------------------------------------------------------------------------------------

static void give(uint32_t i, handle_t source, uint32_t slot) {
    uint32_t rights = source == MACHINE ? RIGHT_ALL & ~(uint32_t)(RIGHT_CONTROL | RIGHT_GRANT)
                                        : RIGHT_ALL;
    CHECK_EQUAL(task_handle_drop(callers[i]->task, slot), OK);
    CHECK_EQUAL(task_handle_give(callers[i]->task, source, slot, rights, 0), OK);
}

// An event and a timer of caller i, known to the next one too.
static void give_new(uint32_t i, uint32_t type) {
    handle_t pool = HANDLE(SLOT_POOLS + i);
    CHECK_EQUAL(type == INTERFACE_event ? pool_event_create(pool, SLOT_NEW)
                                        : pool_timer_create(pool, SLOT_NEW), OK);
    give(i, HANDLE(SLOT_NEW), type);
    give((i + 1) % CALLERS, HANDLE(SLOT_NEW), type + NEIGHBOUR);
    CHECK_EQUAL(task_handle_drop(TASK, SLOT_NEW), OK);
}

static void caller_arm(uint32_t i) {
    uint32_t next = (i + 1) % CALLERS;
    give(i, HANDLE(SLOT_POOLS + i), INTERFACE_pool);
    give(i, HANDLE(SLOT_POOLS + next), INTERFACE_pool + NEIGHBOUR);
    give(i, callers[i]->task, INTERFACE_task);
    give(i, callers[next]->task, INTERFACE_task + NEIGHBOUR);
    give(i, callers[i]->thread, INTERFACE_thread);
    give(i, callers[next]->thread, INTERFACE_thread + NEIGHBOUR);
    give(i, HANDLE(SLOT_PORT_), INTERFACE_port);
    give(i, HANDLE(SLOT_PORT_), INTERFACE_port + NEIGHBOUR);
    give_new(i, INTERFACE_event);
    give_new(i, INTERFACE_timer);
    give(i, HANDLE(SLOT_LINE), INTERFACE_irq);
    give(i, HANDLE(SLOT_IO), INTERFACE_ports);
    give(i, HANDLE(SLOT_DEVICE), INTERFACE_iomem);
    give(i, MACHINE, INTERFACE_machine);
    give(i, TRACE, INTERFACE_trace);
}

// How the machine answered the test itself: its authority is too much for callers.
static void made(uint32_t label, error_t error) {
    CHECK(error == OK || error == E_SLOT);  // the one of the last round may still be there
    for (uint32_t i = 0; i < contract_count; i++) {
        sum.message[i][error] += contract[i].label == label;
    }
}

static void port_begin(void) {
    CHECK_EQUAL(pool_port_create(POOL, SLOT_PORT_, PORT_RANK), OK);
}

// Whoever waits for the port finds it gone; there is a new one.
static void port_renew(void) {
    port_end(HANDLE(SLOT_PORT_));
    port_begin();
    for (uint32_t i = 0; i < CALLERS; i++) {
        handle_t task = callers[i]->task, port = HANDLE(SLOT_PORT_);
        for (uint32_t n = 0; n < 2; n++) {
            (void)!task_handle_drop(task, INTERFACE_port + n * NEIGHBOUR);
            (void)!task_handle_give(task, port, INTERFACE_port + n * NEIGHBOUR, RIGHT_ALL, 0);
        }
        (void)!task_fault_port(task, port, i);
    }
}

static void callers_make(void) {
    made(LABEL_machine_irq_create, machine_irq_create(MACHINE, SLOT_LINE, LINE));
    made(LABEL_machine_ports_create, machine_ports_create(MACHINE, SLOT_IO, IO_PORT, 1));
    made(LABEL_machine_iomem_create, machine_iomem_create(MACHINE, SLOT_DEVICE, SCREEN, 2));
    port_begin();
    for (uint32_t i = 0; i < CALLERS; i++) {
        CHECK_EQUAL(pool_create(POOL, SLOT_POOLS + i, POOL_FRAMES, POOL_LOW, POOL_OBJECTS), OK);
        callers[i] = task_make_apart(HANDLE(SLOT_POOLS + i), CALLER_RANK, caller_run, i);
        report_of(i)->known_count = 0;
        CHECK_EQUAL(task_fault_port(callers[i]->task, HANDLE(SLOT_PORT_), i), OK);
        shared_map(callers[i]->task);
    }
    for (uint32_t i = 0; i < CALLERS; i++) {
        caller_arm(i);
        CHECK_EQUAL(actor_restart(callers[i]), OK);
    }
}

// All that they made, whoever knows of it. One may have mapped another's frames, so all go at once.
static void callers_end(void) {
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    port_end(HANDLE(SLOT_PORT_));
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < CALLERS; i++) {
            struct pool_reap_out out = {1};
            error_t error = OK;
            while (error == OK && out.left) {
                error = pool_reap(HANDLE(SLOT_POOLS + i), &out);
            }
            CHECK_EQUAL(error == E_HANDLE || (error == E_MAPPED && round == 0) ? OK : error, OK);
        }
    }
    for (uint32_t i = 0; i < CALLERS; i++) {
        error_t error = pool_destroy(HANDLE(SLOT_POOLS + i));
        CHECK(error == OK || error == E_HANDLE);
        actor_end(callers[i]);
    }
    rebuilt++;
}

// --- a round -------------------------------------------------------------------------------------

static void pause(uint32_t ns) {
    struct received received;
    CHECK_EQUAL(timer_set(WORLD_TIMER, ns, 0, WORLD_EVENT, ROUND_BIT), OK);
    do {
        ipc_receive(0, &received);
        CHECK_EQUAL(received.tag, LABEL_EVENT);
    } while (!(received.word[0] & ROUND_BIT));
}

// Answers what stands at the port, well or badly.
static void answer(struct dice *dice) {
    for (;;) {
        struct received received;
        ipc_poll(HANDLE(SLOT_PORT_), &received);
        if (TAG_IS_ERROR(received.tag)) {
            CHECK_EQUAL(TAG_TO_ERROR(received.tag), E_EMPTY);
            break;
        }
        if (received.tag == LABEL_EVENT) {
            continue;
        }
        struct map_item item = {PAGE_DOWN(received.word[0]) | MAP_READ | MAP_WRITE,
                                scratch[below(dice, SCRATCH_FRAMES)] << 8};
        if (one_in(dice, 3) || ipc_reply_map(received.token, &item, 1) != OK) {
            tag_t tag = one_in(dice, 8) ? TAG_ERROR(E_DENIED) : 0;
            (void)!ipc_reply(received.token, tag, NULL);
        }
    }
    CHECK_EQUAL(thread_priority(THREAD, MAIN_PRIORITY), OK);
}

// Whoever has waited all through a round is made to go on. False: it will never run again.
static bool caller_push(uint32_t i, struct dice *dice) {
    enum { STATE_READY = 1 };
    struct thread_registers_out registers;
    bool still = report_of(i)->calls == before[i];
    before[i] = report_of(i)->calls;
    if (thread_registers(callers[i]->thread, &registers) != OK) {
        return false;
    }
    (void)!thread_priority(callers[i]->thread, ACTOR_PRIORITY - below(dice, 3));
    if (!still || registers.state == STATE_READY) {
        return true;
    }
    if (one_in(dice, 2)) {
        return actor_restart(callers[i]) == OK;
    }
    (void)!thread_suspend(callers[i]->thread);
    return thread_resume(callers[i]->thread) == OK;
}

static uint32_t calls_total(void) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < CALLERS; i++) {
        total += report_of(i)->calls;
    }
    return total;
}

// All laws hold. (With check=N the kernel itself looks, but then it leaves its fast path alone.)
static void laws_check(void) {
    struct machine_check_out check;
    CHECK_EQUAL(machine_check(MACHINE, &check), OK);
    CHECK_EQUAL(check.violations, 0);
}

static void round_run(struct dice *dice) {
    uint32_t dead = 0;
    pause(10000 + below(dice, 200000));
    if (one_in(dice, 32)) {
        port_renew();
    } else {
        answer(dice);
    }
    for (uint32_t i = 0; i < CALLERS; i++) {
        dead += !caller_push(i, dice);
    }
    if (dead == CALLERS || (dead > 0 && one_in(dice, 6)) || one_in(dice, 400)) {
        callers_end();
        laws_check();
        callers_make();
    }
}

// --- what was seen -------------------------------------------------------------------------------

static void text_add(char *line, const char *text) {
    uint32_t length = 0;
    while (line[length] != 0) {
        length++;
    }
    while (*text != 0 && length < 190) {
        line[length++] = *text++;
    }
    line[length] = 0;
}

static void number_add(char *line, uint32_t value) {
    char digits[12], *at = digits + 11;
    *at = 0;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add(line, at);
}

static void histogram_line(const char *name, const uint32_t count[ERRORS]) {
    static const char *const errors[] = {
#define ERROR(name, number, text) [number] = #name,
#include "error.def"
#undef ERROR
    };
    char line[192] = "# ";
    text_add(line, name);
    for (uint32_t error = 0; error < ERRORS; error++) {
        if (count[error] > 0) {
            text_add(line, " ");
            text_add(line, error == ERRORS - 1 ? "others" : errors[error] + (error == 0 ? 0 : 2));
            text_add(line, " ");
            number_add(line, count[error]);
        }
    }
    uint32_t length = 0;
    while (line[length] != 0) {
        length++;
    }
    line[length++] = '\n';
    test_print(line, length);
}

static void answers_sum(void) {
    for (uint32_t i = 0; i < CALLERS; i++) {
        const uint32_t *from = (const uint32_t *)&report_of(i)->answers;
        for (uint32_t n = 0; n < sizeof(sum) / 4; n++) {
            ((uint32_t *)&sum)[n] += from[n];
        }
    }
}

// Every message has been done, every error of the kernel's seen: a run long enough sees them all.
static void answers_judge(bool long_enough) {
    static const char *const operations[] = {"call of a port", "receive", "poll", "reply",
                                             "reply and receive", "signal"};
    _Static_assert(ARRAY_LENGTH(operations) == OP_COUNT, "one for each operation");
    uint32_t seen[ERRORS] = {0};
    for (uint32_t i = 0; i < OP_COUNT; i++) {
        histogram_line(operations[i], sum.operation[i]);
        for (uint32_t error = 0; error < ERRORS; error++) {
            seen[error] += sum.operation[i][error];
        }
    }
    for (uint32_t i = 0; i < contract_count; i++) {
        histogram_line(contract[i].name, sum.message[i]);
        for (uint32_t error = 0; error < ERRORS; error++) {
            seen[error] += sum.message[i][error];
        }
        bool never = contract[i].label == LABEL_machine_restart ||
                     contract[i].label == LABEL_machine_plant;  // nobody has the right
        test_case(contract[i].name);
        CHECK(!long_enough || (sum.message[i][OK] > 0) != never);
    }
    histogram_line("all", seen);
    test_case("each error of the kernel's was seen");
    for (uint32_t error = 0; error < E_LIMIT; error++) {
        CHECK(!long_enough || seen[error] > 0);
    }
}

static void break_when_due(uint32_t due) {
    if (due != 0 && broken == 0 && calls_total() >= due) {
        broken = calls_total();
        note_number("broken after calls ", broken);
        CHECK_EQUAL(machine_plant(MACHINE, LAW_map_count, scratch[0]), OK);
    }
}

TEST(random_calls, "random calls by three hostile tasks leave the system alive and lawful") {
    uint32_t seed = option_number("seed=", 1), goal = option_number("calls=", CALLS);
    uint32_t due = option_number("break=", 0);
    struct dice dice = {seed * 747796405u + 1};
    CHECK(contract_count <= MESSAGES);
    note_number("seed ", seed);
    world_begin();
    rebuilt = broken = 0;
    shared_begin(seed);
    victim_begin();
    shared_map(victim->task);
    CHECK_EQUAL(actor_restart(victim), OK);
    callers_make();
    for (uint32_t checked = 0; calls_total() < goal;) {
        round_run(&dice);
        if (calls_total() - checked >= CALLS_A_CHECK) {
            checked = calls_total();
            laws_check();
        }
        break_when_due(due);
    }
    callers_end();
    victim_end();
    note_number("calls ", calls_total());
    note_number("worlds ", rebuilt);
    note_number("rounds of the victim ", progress()->rounds);
    CHECK_EQUAL(progress()->wrong, 0);
    CHECK(progress()->rounds > goal / 10000);
    answers_sum();
    answers_judge(goal >= ENOUGH);
    (void)!irq_destroy(HANDLE(SLOT_LINE));
    (void)!ports_destroy(HANDLE(SLOT_IO));
    (void)!iomem_destroy(HANDLE(SLOT_DEVICE));
    shared_end();
    world_end();
}
