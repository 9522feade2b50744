// SPDX-License-Identifier: MIT
// The order in which the system comes up: see startup.h. Whatever is wrong with what the person
// gave us (boot line, modules, machine) ends here in one line.
#include "startup.h"

#include "early.h"
#include "module.h"
#include "names.h"
#include "program.h"
#include "report.h"
#include "ring.h"
#include "server.h"
#include "watch.h"

#define STORE_SECONDS 10u

struct command_line command_line;
struct manifest manifest;

static void objects_create(void) {
    must(pool_port_create(HANDLE(SLOT_POOL), SLOT_PORT, RANK_INIT), "create init's port");
    must(pool_event_create(HANDLE(SLOT_POOL), SLOT_EVENT), "create init's event");
    must(pool_timer_create(HANDLE(SLOT_POOL), SLOT_TIMER), "create init's timer");
    must(thread_event(HANDLE(SLOT_THREAD), HANDLE(SLOT_EVENT)), "bind init's event");
}

static void read_command_line(void) {
    field_text error;
    if (!command_line_parse(start_info()->command, &command_line, &error)) {
        fatal(error.bytes, NULL);
    }
}

static void read_manifest(void) {
    field_text error;
    const struct boot_module *module = module_find("manifest");
    if (module == NULL) {
        fatal("module manifest is missing: name it among the boot modules, behind init", NULL);
    }
    const char *text = module_open(module, module_pages(module));
    int good = manifest_parse(text, module->length, &manifest, &error);
    module_close(module_pages(module));
    if (!good) {
        fatal(error.bytes, NULL);
    }
}

// Before much work is done: can the program start at all?
static void check_program(void) {
    char name[NAME_BYTES];
    const char *wrong;
    struct word rest = {command_line.run.bytes, command_line.run.length};
    (void)word_name(word_next(&rest, " "), name);
    error_t error = module_status(name, &wrong);
    if (error == E_NOT_FOUND) {
        fatal("run=", name, ": there is no such program among the boot modules", NULL);
    }
    if (error != OK) {
        fatal("run=", name, ": this module is no program, or corrupt: ", wrong, NULL);
    }
}

// Programs and files become the pager's.
static void modules_hand_over(void) {
    for (uint32_t i = 0; i < start_info()->module_count; i++) {
        const struct boot_module *module = &start_info()->module[i];
        if (module_is_for_pager(module)) {
            module_give(module, HANDLE(servers[TASK_PAGER].pool));
            must(pager_module_add(HANDLE(SLOT_PAGER), module->first_frame, module->length,
                                  name_of(module->name)), "tell the pager of a module");
        }
    }
}

// The pager knows what is wrong with a policy's program or parameters.
static void policy_must(error_t error, const char *what) {
    struct pager_death_reason_out reason;
    if ((error == E_ARGUMENT || error == E_NOT_FOUND) &&
        pager_death_reason(HANDLE(SLOT_PAGER), 0, &reason) == OK) {
        field_text line;
        text_clear(&line);
        text_add_bytes(&line, reason.line.bytes, MIN_OF(reason.line.length, TEXT_BYTES));
        fatal("boot option policy: ", line.bytes, ": docs/policies.md lists them", NULL);
    }
    must(error, what);
}

static void pager_configure(void) {
    for (uint32_t i = 0; i < command_line.policy_count; i++) {
        policy_must(pager_policy_set(HANDLE(SLOT_PAGER), text_of(command_line.policy[i].text)),
                    "set the policy");
    }
    for (uint32_t i = 0; i < command_line.frames_count; i++) {
        const struct command_frames *limit = &command_line.frames[i];
        error_t error =
            pager_limit_set(HANDLE(SLOT_PAGER), limit->frames, name_of(limit->program));
        if (error == E_NOT_FOUND) {
            fatal("boot option frames: there is no program ", limit->program, NULL);
        }
        must(error, "set the frame limit");
    }
    for (uint32_t i = 0; i < command_line.at_count; i++) {
        policy_must(pager_policy_at(HANDLE(SLOT_PAGER), command_line.at[i].fault,
                                    text_of(command_line.at[i].policy.text)),
                    "plan a change of policy");
    }
}

// Wait for the block server's word, and pass the size on to the pager.
static void store_attach(void) {
    const volatile struct block_ring *ring = (const volatile struct block_ring *)LAYOUT_RING;
    const uint64_t patience = STORE_SECONDS * 1000000000ull;
    struct received received = {0};
    must(timer_set(HANDLE(SLOT_TIMER), (uint32_t)(patience & UINT32_MAX), (uint32_t)(patience >> 32),
                   HANDLE(SLOT_EVENT), INIT_EVENT_TIMEOUT), "set a timer");
    ipc_receive(0, &received);
    must(timer_cancel(HANDLE(SLOT_TIMER)), "stop a timer");
    if (ring->pages == 0) {
        fatal("the swap store cannot be used: ",
              ring->reserved[0] == 0 ? "it does not answer" : error_text(ring->reserved[0]),
              ": check the disk's image, or boot with store=ram", NULL);
    }
    must(pager_store_attach(HANDLE(SLOT_PAGER), ring->pages), "attach the swap store");
}

static void run_program(void) {
    uint32_t number;
    error_t error = program_start(&command_line.run, 0, &number);
    if (error != OK) {
        fatal("run=", command_line.run.bytes, ": cannot start it: ", error_text(error), NULL);
    }
}

// Its answer to the first request means that its ring is there.
static void tracer_await(void) {
    struct tracer_flush_out out;
    if (servers[TASK_TRACER].plan != NULL &&
        tracer_flush(HANDLE(SLOT_TRACER), &out) != OK && command_line.trace) {
        fatal("trace=on, but the trace device does not work: boot with trace=off", NULL);
    }
    trace_names();
}

void startup(void) {
    early_open();
    objects_create();
    read_command_line();
    read_manifest();
    modules_check();
    servers_plan();
    check_program();
    watch_open();
    programs_open();
    servers_create();
    servers_start();
    tracer_await();
    modules_hand_over();
    pager_configure();
    store_attach();
    run_program();
}
