// SPDX-License-Identifier: MIT
// Starting programs: see program.h.
#include "program.h"

#include "clock.h"
#include "ended.h"
#include "load.h"
#include "names.h"
#include "report.h"
#include "server.h"

static struct program programs[PROGRAMS_MAX];
static uint32_t next_number = TASK_PROGRAM;
static uint32_t pool;

#define POOL_LOW 4u         // promised to the pool itself, for the objects of those split off it
#define OBJECTS_EACH 16u    // that a program's pool may pay for
#define DESCENDANTS_MAX 8u  // of any program but the first, so that it cannot take all places

void programs_open(void) {
    pool = slot_need();
    uint32_t objects = manifest.program_frames / manifest.program_each * (OBJECTS_EACH + 1);
    must(pool_create(HANDLE(SLOT_POOL), pool, manifest.program_frames, POOL_LOW, objects),
         "set memory for programs' page tables aside: give the machine more (-m 16)");
}

struct program *program_find(uint32_t number) {
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        if (programs[i].number == number && number != 0) {
            return &programs[i];
        }
    }
    return NULL;
}

struct program *program_at(uint32_t index) {
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        if (programs[i].number != 0 && index-- == 0) {
            return &programs[i];
        }
    }
    return NULL;
}

int program_is_owner(uint32_t number) {
    return number == TASK_PROGRAM;
}

// Parents are programs that live (programs_inherit), so every chain of them ends.
int program_descends(uint32_t number, uint32_t elder) {
    while (number != 0 && number != elder) {
        const struct program *program = program_find(number);
        number = program == NULL ? 0 : program->parent;
    }
    return number != 0;
}

void programs_inherit(const struct program *ended) {
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        if (programs[i].number != 0 && programs[i].parent == ended->number) {
            programs[i].parent = ended->parent;
        }
    }
}

static uint32_t descendants_count(uint32_t elder) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        count += programs[i].number != 0 && program_descends(programs[i].parent, elder);
    }
    return count;
}

// May there be one more below this program?
static int may_spawn(uint32_t parent) {
    while (parent != 0 && !program_is_owner(parent)) {
        const struct program *program = program_find(parent);
        if (program == NULL || descendants_count(parent) >= DESCENDANTS_MAX) {
            return 0;
        }
        parent = program->parent;
    }
    return 1;
}

// A free place with a number that no program has.
static struct program *place_take(uint32_t parent) {
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        if (programs[i].number == 0) {
            while (program_find(next_number) != NULL) {
                next_number = next_number == UINT16_MAX ? TASK_PROGRAM : next_number + 1;
            }
            programs[i] = (struct program){.number = next_number, .parent = parent};
            next_number = next_number == UINT16_MAX ? TASK_PROGRAM : next_number + 1;
            return &programs[i];
        }
    }
    return NULL;
}

static error_t objects_create(struct program *program) {
    program->pool = slot_take();
    program->task = slot_take();
    program->thread = slot_take();
    if (program->pool == 0 || program->task == 0 || program->thread == 0) {
        return E_LIMIT;
    }
    struct manifest_cpu cpu = manifest_program_cpu(&manifest, program->name);
    error_t error = pool_create(HANDLE(pool), program->pool, manifest.program_each,
                                manifest.program_each, OBJECTS_EACH);
    if (error == OK) {
        error = pool_task_create(HANDLE(program->pool), program->task, manifest.program_rank,
                                 cpu.ceiling, program->number);
    }
    if (error == OK) {
        error = task_share(HANDLE(program->task), cpu.share);
    }
    if (error == OK) {
        error = task_thread_create(HANDLE(program->task), program->thread, LAYOUT_BUFFER,
                                   cpu.ceiling);
    }
    if (error == OK) {
        error = load_clock(HANDLE(program->task));
    }
    return error;
}

// What a program may do: call four servers in its own name, and look at itself.
static error_t handles_give(const struct program *program) {
    const uint32_t gift[][3] = {{program->task, SLOT_TASK, 0},
                                {program->thread, SLOT_THREAD, 0},
                                {SLOT_PORT, SLOT_INIT, program->number},
                                {servers[TASK_PAGER].port, SLOT_PAGER, program->number},
                                {servers[TASK_CONSOLE].port, SLOT_CONSOLE, program->number},
                                {servers[TASK_TRACER].port, SLOT_TRACER, program->number}};
    error_t error = OK;
    for (uint32_t i = 0; i < ARRAY_LENGTH(gift) && error == OK; i++) {
        if (gift[i][0] != 0) {
            error = task_handle_give(HANDLE(program->task), HANDLE(gift[i][0]), gift[i][1],
                                     RIGHT_CALL, gift[i][2]);
        }
    }
    return error;
}

static error_t ends_connect(const struct program *program) {
    handle_t task = HANDLE(program->task);
    error_t error = task_fault_port(task, HANDLE(servers[TASK_PAGER].port), program->number);
    if (error == OK) {
        error = task_death_event(task, HANDLE(SLOT_EVENT),
                                 INIT_EVENT_DEATH((uint32_t)(program - programs)));
    }
    return error;
}

// The pager gets the right to map into the task, and nothing else of it.
static error_t admit(const struct program *program, struct pager_task_admit_out *start) {
    uint32_t slot = slot_take();
    if (slot == 0) {
        return E_LIMIT;
    }
    error_t error = task_handle_give(HANDLE(SLOT_TASK), HANDLE(program->task), slot,
                                     RIGHT_MAP | RIGHT_CALL | RIGHT_GRANT, 0);
    if (error == OK) {
        error = pager_task_admit(HANDLE(SLOT_PAGER), program->number, name_of(program->name),
                                 HANDLE(slot), start);
    }
    slot_drop(slot);
    return error;
}

static error_t run(struct program *program) {
    struct pager_task_admit_out start;
    error_t error = objects_create(program);
    if (error == OK) {
        error = handles_give(program);
    }
    if (error == OK) {
        error = ends_connect(program);
    }
    if (error == OK) {
        error = admit(program, &start);
    }
    if (error == OK) {
        trace_name(program->number, program->name);
        program->pager_before = task_cycles(server_task(TASK_PAGER));
        program->started = clock_ticks();
        error = thread_start(HANDLE(program->thread), start.entry, start.stack, 0);
    }
    return error;
}

error_t program_start(const field_text *line, uint32_t parent, uint32_t *number) {
    struct word rest = {line->bytes, MIN_OF(line->length, TEXT_BYTES)};
    struct word word = word_next(&rest, " \t\r\n");
    char name[NAME_BYTES];
    const char *wrong;
    if (!word_name(word, name)) {
        return word.length == 0 ? E_ARGUMENT : E_NOT_FOUND;
    }
    error_t error = module_status(name, &wrong);
    struct program *program = error != OK || !may_spawn(parent) ? NULL : place_take(parent);
    if (program == NULL) {
        return error != OK ? error : E_LIMIT;
    }
    __builtin_memcpy(program->name, name, sizeof name);
    text_add_bytes(&program->line, word.start,
                   (uint32_t)(rest.start + rest.length - word.start));
    *number = program->number;
    error = run(program);
    if (error != OK) {
        program_release(program);
    }
    return error;
}

// A place's bit may be an old one: the kernel knows who is dead.
void programs_died(uint32_t bits) {
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        struct task_info_out info;
        if ((bits & INIT_EVENT_DEATH(i)) && programs[i].number != 0 &&
            task_info(HANDLE(programs[i].task), &info) == OK &&
            info.state == TASK_STATE_DEAD) {
            program_end(&programs[i], info.cause == CAUSE_FAULT ? STATUS_FAULT : STATUS_KILLED,
                        info.cause);
        }
    }
}

void programs_end_all(void) {
    for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
        if (programs[i].number != 0) {
            program_release(&programs[i]);
        }
    }
}
