// SPDX-License-Identifier: MIT
// The end of a program: see ended.h and program.h.
#include "ended.h"

#include "clock.h"
#include "off.h"
#include "report.h"
#include "server.h"

#define WAITERS_MAX PROGRAMS_MAX  // a program has one thread here, so no more can wait
#define ENDINGS_KEPT 32u

static struct {
    token_t token;    // 0: free
    uint32_t waiter;  // task number of who waits
    uint32_t number;  // for this one
} waiters[WAITERS_MAX];

// The last endings, for those who ask late.
static struct ending endings[ENDINGS_KEPT];
static uint32_t endings_count;

static uint64_t task_billed(handle_t task) {
    struct task_info_out info;
    return task_info(task, &info) == OK ? (uint64_t)info.billed_high << 32 | info.billed_low : 0;
}

uint64_t task_cycles(handle_t task) {
    struct task_info_out info;
    return task_info(task, &info) == OK ? (uint64_t)info.cycles_high << 32 | info.cycles_low : 0;
}

// --- lines ---------------------------------------------------------------------------------------

static void field_add(field_text *line, const char *name, uint64_t number) {
    text_join(line, " ", name, "=", NULL);
    text_add_number(line, number);
}

// What a machine reads of a program: to the serial line for the first program, whose run this is;
// of others to the log, for a person sits at the serial line then.
static void print_line(const struct program *program, const field_text *line) {
    if (program_is_owner(program->number)) {
        report(line->bytes, NULL);
    } else {
        report_log(line->bytes, NULL);
    }
}

static void print_ended(const struct program *program, uint32_t status, uint32_t cause) {
    static const char *const causes[] = {
        [CAUSE_EXIT] = "exit", [CAUSE_FAULT] = "fault", [CAUSE_KILLED] = "killed"};
    field_text line;
    struct pager_death_reason_out reason;
    if (cause == CAUSE_FAULT &&
        pager_death_reason(HANDLE(SLOT_PAGER), program->number, &reason) == OK) {
        text_clear(&line);
        text_add_bytes(&line, reason.line.bytes, MIN_OF(reason.line.length, TEXT_BYTES));
        report("error: ", program->name, ": ", line.bytes, NULL);
    }
    text_clear(&line);
    text_join(&line, "ended ", program->name, NULL);
    field_add(&line, "status", status);
    text_join(&line, " cause=", cause < ARRAY_LENGTH(causes) ? causes[cause] : "?", NULL);
    print_line(program, &line);
}

// What the policy did wrong last: to the serial line, whoever's program met it.
static void print_complaint(void) {
    struct pager_death_reason_out reason;
    field_text line;
    if (pager_death_reason(HANDLE(SLOT_PAGER), 0, &reason) == OK) {
        text_clear(&line);
        text_add(&line, "warning: ");
        text_add_bytes(&line, reason.line.bytes, MIN_OF(reason.line.length, TEXT_BYTES - 16));
        report(line.bytes, NULL);
    }
}

// Time stamp ticks: in the program itself, in the pager meanwhile, from start to end, and in the
// program and in servers that worked for it.
static void print_stats(const struct program *program) {
    struct pager_stats_out stats;
    field_text line;
    uint64_t total = clock_ticks() - program->started;
    uint64_t pager = task_cycles(server_task(TASK_PAGER)) - program->pager_before;
    if (pager_stats(HANDLE(SLOT_PAGER), program->number, &stats) != OK) {
        return;
    }
    stats.policy.bytes[NAME_BYTES - 1] = 0;
    text_clear(&line);
    text_join(&line, "stats ", program->name, " policy=", stats.policy.bytes, NULL);
    field_add(&line, "limit", stats.limit);
    field_add(&line, "faults", stats.faults);
    field_add(&line, "evictions", stats.evictions);
    field_add(&line, "written", stats.written);
    field_add(&line, "read", stats.read);
    field_add(&line, "instructions", task_cycles(HANDLE(program->task)));
    field_add(&line, "pager", pager);
    field_add(&line, "total", total);
    field_add(&line, "billed", task_billed(HANDLE(program->task)));
    print_line(program, &line);
    if (stats.violations > 0) {
        print_complaint();
    }
}

// --- waiting -------------------------------------------------------------------------------------

error_t program_wait(token_t token, uint32_t waiter, uint32_t number, struct ending *ending) {
    for (uint32_t i = 0; i < MIN_OF(endings_count, ENDINGS_KEPT); i++) {
        if (endings[i].number == number) {
            *ending = endings[i];
            return program_descends(ending->parent, waiter) ? OK : E_DENIED;
        }
    }
    const struct program *program = program_find(number);
    if (program == NULL) {
        return E_NOT_FOUND;
    }
    if (!program_descends(program->parent, waiter)) {
        return E_DENIED;
    }
    for (uint32_t i = 0; i < WAITERS_MAX; i++) {
        if (waiters[i].token == 0) {
            waiters[i].token = token;
            waiters[i].waiter = waiter;
            waiters[i].number = number;
            return E_EMPTY;
        }
    }
    return E_LIMIT;
}

static void waiters_answer(const struct ending *ending) {
    uint32_t words[2] = {ending->status, ending->cause};
    endings[endings_count++ % ENDINGS_KEPT] = *ending;
    for (uint32_t i = 0; i < WAITERS_MAX; i++) {
        if (waiters[i].token != 0 && waiters[i].number == ending->number) {
            (void)!ipc_reply(waiters[i].token, TAG(LABEL_init_wait, 2, 0, 0), words);
            waiters[i].token = 0;
        }
    }
}

// --- freeing -------------------------------------------------------------------------------------

static void waiters_forget(uint32_t waiter) {
    for (uint32_t i = 0; i < WAITERS_MAX; i++) {
        if (waiters[i].waiter == waiter) {
            waiters[i].token = 0;
        }
    }
}

// All that the program was charged with: its task, and what hangs on that.
static void charges_free(const struct program *program) {
    struct task_destroy_out task = {1};
    struct pool_reap_out pool = {1};
    while (task_destroy(HANDLE(program->task), &task) == OK && task.left > 0) {
    }
    if (pool_destroy(HANDLE(program->pool)) == OK) {
        return;
    }
    // It owns something yet, or it was never made, and then this fails, too.
    while (pool_reap(HANDLE(program->pool), &pool) == OK && pool.left > 0) {
    }
    (void)!pool_destroy(HANDLE(program->pool));
}

// Who inherits a dead program's children may also ask how those ended that it has not asked for.
static void endings_inherit(const struct program *ended) {
    for (uint32_t i = 0; i < MIN_OF(endings_count, ENDINGS_KEPT); i++) {
        if (endings[i].parent == ended->number) {
            endings[i].parent = ended->parent;
        }
    }
}

void program_release(struct program *program) {
    charges_free(program);
    (void)!pager_task_retire(HANDLE(SLOT_PAGER), program->number);
    (void)!console_forget(HANDLE(SLOT_CONSOLE), program->number);
    if (servers[TASK_TRACER].plan != NULL) {
        (void)!tracer_forget(HANDLE(SLOT_TRACER), program->number);
    }
    waiters_forget(program->number);
    programs_inherit(program);
    endings_inherit(program);
    slot_drop(program->thread);
    slot_drop(program->task);
    slot_drop(program->pool);
    program->number = 0;
}

void program_end(struct program *program, uint32_t status, uint32_t cause) {
    struct ending ending = {program->number, program->parent, status, cause};
    (void)!task_kill(HANDLE(program->task), cause);
    print_ended(program, status, cause);
    print_stats(program);
    program_release(program);
    if (program_is_owner(ending.number)) {
        system_off(status);
    }
    waiters_answer(&ending);
}
