// SPDX-License-Identifier: MIT
// init as programs see it: wrong requests give an error and change nothing; programs start, end,
// are waited for and killed, each leaves its status behind and no frame is lost.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "stubs.h"

#define INIT HANDLE(SLOT_INIT)
#define NOBODY 60000u  // a task number that no program has
#define PAGER_TASK 2u
#define BOMBS 9u  // a program may have eight descendants: servers/init/program.c
#define STATUS_FAULT 139u
#define STATUS_KILLED 137u

static uint32_t spawn(const char *line) {
    struct init_spawn_out out = {0};
    CHECK_EQUAL(init_spawn(INIT, text_of(line), &out), OK);
    return out.task;
}

static error_t spawn_error(const char *line) {
    struct init_spawn_out out;
    return init_spawn(INIT, text_of(line), &out);
}

static struct init_wait_out wait_for(uint32_t task) {
    struct init_wait_out out = {0};
    CHECK_EQUAL(init_wait(INIT, task, &out), OK);
    return out;
}

static uint32_t own_task(void) {
    struct task_info_out out = {0};
    CHECK_EQUAL(task_info(HANDLE(SLOT_TASK), &out), OK);
    return out.badge;
}

// ---- refusals --------------------------------------------------------------------------------

TEST(init_unknown, "messages that init does not know, or of another length, are refused") {
    uint32_t words[TAG_WORDS_MAX] = {0};
    CHECK_EQUAL(ipc_call(INIT, LABEL_init_args + 200, words, 1, words, 1, 0), E_MESSAGE);
    CHECK_EQUAL(ipc_call(INIT, LABEL_pager_check, words, 0, words, 1, 0), E_MESSAGE);
    CHECK_EQUAL(ipc_call(INIT, LABEL_init_kill, words, 1, words, 0, 0), E_LENGTH);
    CHECK_EQUAL(ipc_call(INIT, LABEL_init_kill, words, 3, words, 0, 0), E_LENGTH);
    CHECK_EQUAL(ipc_call(INIT, LABEL_init_spawn, words, 64, words, 1, 0), E_LENGTH);
    CHECK(ipc_call(INIT, LABEL_EVENT, words, 1, words, 0, 0) != OK);
}

TEST(init_spawn_wrong, "what names no program is not started, and the error says why") {
    CHECK_EQUAL(spawn_error(""), E_ARGUMENT);
    CHECK_EQUAL(spawn_error("   "), E_ARGUMENT);
    CHECK_EQUAL(spawn_error("nosuch"), E_NOT_FOUND);
    CHECK_EQUAL(spawn_error("a-name-much-longer-than-any-boot-module-can-have"), E_NOT_FOUND);
    CHECK_EQUAL(spawn_error("\x01\xff"), E_NOT_FOUND);
    CHECK_EQUAL(spawn_error("words"), E_FORMAT);
    CHECK_EQUAL(spawn_error("pager"), E_FORMAT);
    CHECK_EQUAL(spawn_error("manifest"), E_FORMAT);
    field_text line = text_of("hello");
    struct init_spawn_out out;
    line.length = UINT32_MAX;
    CHECK_EQUAL(init_spawn(INIT, line, &out), E_ARGUMENT);
    line.length = TEXT_BYTES;
    CHECK_EQUAL(init_spawn(INIT, line, &out), E_ARGUMENT);
}

TEST(init_wait_wrong, "nobody waits for itself, or for what never was") {
    struct init_wait_out out;
    CHECK_EQUAL(init_wait(INIT, own_task(), &out), E_ARGUMENT);
    CHECK_EQUAL(init_wait(INIT, NOBODY, &out), E_NOT_FOUND);
    CHECK_EQUAL(init_wait(INIT, PAGER_TASK, &out), E_NOT_FOUND);
    CHECK_EQUAL(init_wait(INIT, 0, &out), E_NOT_FOUND);
}

TEST(init_kill_wrong, "servers, and what never was, cannot be killed") {
    for (uint32_t task = 0; task <= 5; task++) {
        CHECK_EQUAL(init_kill(INIT, task), E_DENIED);
    }
    CHECK_EQUAL(init_kill(INIT, NOBODY), E_NOT_FOUND);
}

TEST(init_child_denied, "a child has no say over the session, its elders and its siblings") {
    static const char *const wishes[] = {"off 0", "frames 64", "policy", "check", "kill 16",
                                         "wait 16"};
    char line[64];
    for (uint32_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        snprintf(line, sizeof line, "rogue %s", wishes[i]);
        test_case(wishes[i]);
        CHECK_EQUAL(wait_for(spawn(line)).status, E_DENIED);
    }
    uint32_t sibling = spawn("memtest 16 262144");
    snprintf(line, sizeof line, "rogue kill %u", (unsigned)sibling);
    CHECK_EQUAL(wait_for(spawn(line)).status, E_DENIED);
    snprintf(line, sizeof line, "rogue wait %u", (unsigned)sibling);
    CHECK_EQUAL(wait_for(spawn(line)).status, E_DENIED);
    CHECK_EQUAL(init_kill(INIT, sibling), OK);
    CHECK_EQUAL(wait_for(spawn(line)).status, E_DENIED);  // how it ended is not said either
}

static uint32_t named(const char *name) {
    struct init_task_info_out task;
    uint32_t count = 0;
    for (uint32_t index = 0; init_task_info(INIT, index, &task) == OK; index++) {
        count += strcmp(task.name.bytes, name) == 0;
    }
    return count;
}

TEST(init_bomb, "a program that starts itself without end leaves places to others") {
    uint32_t bomb = spawn("rogue bomb"), killed = 0;
    struct init_task_info_out task;
    while (named("rogue") < BOMBS) {  // it runs beside this loop, and reaches its limit
    }
    for (uint32_t i = 0; i < 50; i++) {
        CHECK_EQUAL(wait_for(spawn("exitcode 0")).status, 0);
    }
    CHECK_EQUAL(init_kill(INIT, bomb), OK);
    for (uint32_t index = 0; init_task_info(INIT, index, &task) == OK;) {
        bool child = strcmp(task.name.bytes, "rogue") == 0;
        if (child) {
            CHECK_EQUAL(init_kill(INIT, task.task), OK);
        }
        killed += child;
        index = child ? 0 : index + 1;
    }
    CHECK_EQUAL(killed, BOMBS - 1);
    CHECK_EQUAL(wait_for(spawn("exitcode 0")).status, 0);
}

TEST(init_sparse, "a program that uses up its page tables ends by that, and no other one does") {
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(wait_for(spawn("rogue sparse 30")).status, 0);
        CHECK_EQUAL(wait_for(spawn("rogue sparse 150")).cause, CAUSE_FAULT);
    }
    CHECK_EQUAL(wait_for(spawn("memtest 64 1")).status, 0);
}

TEST(init_settings_wrong, "an unknown policy and a limit too small change nothing") {
    struct pager_stats_out before, after;
    field_text unended;
    memset(&unended, 'x', sizeof unended);
    CHECK_EQUAL(pager_stats(HANDLE(SLOT_PAGER), 0, &before), OK);
    CHECK(init_policy(INIT, text_of("best")) != OK);
    CHECK(init_policy(INIT, text_of("")) != OK);
    CHECK(init_policy(INIT, unended) != OK);
    CHECK_EQUAL(init_policy(INIT, text_of("arc:q=1")), E_ARGUMENT);
    CHECK_EQUAL(init_policy(INIT, text_of("lirs:hir=100")), E_ARGUMENT);
    CHECK_EQUAL(init_policy(INIT, text_of("lirs:hir=")), E_ARGUMENT);
    CHECK_EQUAL(init_policy(INIT, text_of("nobody/lru")), E_NOT_FOUND);
    CHECK_EQUAL(init_policy(INIT, text_of("/lru")), E_NOT_FOUND);
    CHECK_EQUAL(init_policy(INIT, text_of("4000000000/lru")), E_NOT_FOUND);
    CHECK_EQUAL(init_policy(INIT, text_of("memtest/arc:q=1")), E_ARGUMENT);
    CHECK_EQUAL(init_frames(INIT, 7, name_of("")), E_ARGUMENT);
    CHECK_EQUAL(init_frames(INIT, 7, name_of("memtest")), E_ARGUMENT);
    CHECK_EQUAL(init_frames(INIT, 64, name_of("nobody")), E_NOT_FOUND);
    CHECK_EQUAL(pager_stats(HANDLE(SLOT_PAGER), 0, &after), OK);
    CHECK_EQUAL(after.limit, before.limit);
    CHECK(memcmp(after.policy.bytes, before.policy.bytes, NAME_BYTES) == 0);
}

static struct pager_stats_out stats_of(uint32_t task) {
    struct pager_stats_out out = {0};
    CHECK_EQUAL(pager_stats(HANDLE(SLOT_PAGER), task, &out), OK);
    return out;
}

static void use(uint32_t task, const char *policy, uint32_t frames) {
    char text[TEXT_BYTES], name[NAME_BYTES];
    snprintf(name, sizeof name, "%u", (unsigned)task);
    snprintf(text, sizeof text, "%s/%s", name, policy);
    CHECK_EQUAL(init_policy(INIT, text_of(text)), OK);
    CHECK_EQUAL(init_frames(INIT, frames, name_of(name)), OK);
}

TEST(init_settings_of_one, "two runs of one program have two policies and limits, till they are told anew") {
    uint32_t one = spawn("memtest 80 6"), two = spawn("memtest 80 6");
    use(one, "arc:p=8", 40);
    use(two, "lirs", 50);
    CHECK_TEXT(stats_of(one).policy.bytes, "arc:p=8");
    CHECK_TEXT(stats_of(two).policy.bytes, "lirs");
    CHECK_EQUAL(stats_of(one).limit, 40);
    CHECK_EQUAL(stats_of(two).limit, 50);
    CHECK_TEXT(stats_of(0).policy.bytes, stats_of(own_task()).policy.bytes);
    use(two, "", 0);
    CHECK_TEXT(stats_of(two).policy.bytes, stats_of(0).policy.bytes);
    CHECK_EQUAL(stats_of(two).limit, stats_of(0).limit);
    CHECK_EQUAL(wait_for(two).status, 0);
    CHECK_EQUAL(wait_for(one).status, 0);
    CHECK_TEXT(stats_of(one).policy.bytes, "arc:p=8");  // what it had at its end
    CHECK(stats_of(one).evictions > 100);
}

TEST(init_lists_end, "the lists of tasks and modules end with an error") {
    struct init_task_info_out task;
    struct init_module_info_out module;
    CHECK_EQUAL(init_task_info(INIT, UINT32_MAX, &task), E_NOT_FOUND);
    CHECK_EQUAL(init_module_info(INIT, UINT32_MAX, &module), E_NOT_FOUND);
    CHECK_EQUAL(init_module_info(INIT, BOOT_MODULES_MAX, &module), E_NOT_FOUND);
}

TEST(init_is_not_the_pager, "what only init may ask of the pager is denied to a program") {
    handle_t pager = HANDLE(SLOT_PAGER);
    CHECK_EQUAL(pager_task_retire(pager, own_task()), E_DENIED);
    CHECK_EQUAL(pager_limit_set(pager, 100, name_of("")), E_DENIED);
    CHECK_EQUAL(pager_store_attach(pager, 100), E_DENIED);
    CHECK_EQUAL(pager_module_add(pager, 1, 1, name_of("mine")), E_DENIED);
}

// ---- what works ------------------------------------------------------------------------------

TEST(init_lists, "tasks are listed from init to this program, modules from init on") {
    struct init_task_info_out task;
    struct init_module_info_out module;
    CHECK_EQUAL(init_task_info(INIT, 0, &task), OK);
    CHECK(task.task == 1 && strcmp(task.name.bytes, "init") == 0);
    CHECK_EQUAL(init_module_info(INIT, 0, &module), OK);
    CHECK(module.length > 0 && strcmp(module.name.bytes, "init") == 0);
    uint32_t index = 1;
    while (init_task_info(INIT, index, &task) == OK && task.task != own_task()) {
        index++;
    }
    CHECK_EQUAL(task.task, own_task());
    CHECK(task.state == TASK_STATE_ALIVE && task.mapped > 0);
}

TEST(init_exit_status, "the status of a program comes back, also when asked late or twice") {
    uint32_t task = spawn("exitcode 7");
    struct init_wait_out out = wait_for(task);
    CHECK(out.status == 7 && out.cause == CAUSE_EXIT);
    out = wait_for(task);
    CHECK(out.status == 7 && out.cause == CAUSE_EXIT);
}

TEST(init_fault_status, "a program that faults is ended, and says that it was a fault") {
    struct init_wait_out out = wait_for(spawn("crash null-write"));
    CHECK(out.status == STATUS_FAULT && out.cause == CAUSE_FAULT);
}

TEST(init_kill, "a program that runs is killed, and what it had is gone from the list") {
    uint32_t task = spawn("memtest 4000 1000");
    CHECK_EQUAL(init_kill(INIT, task), OK);
    struct init_wait_out out = wait_for(task);
    CHECK(out.status == STATUS_KILLED && out.cause == CAUSE_KILLED);
    CHECK_EQUAL(init_kill(INIT, task), E_NOT_FOUND);
}

TEST(init_many, "programs start until the table is full, and all of them end") {
    uint32_t tasks[64], count = 0;
    error_t error = OK;
    while (error == OK && count < 64) {
        struct init_spawn_out out;
        error = init_spawn(INIT, text_of("memtest 16 262144"), &out);
        if (error == OK) {
            tasks[count++] = out.task;
        }
    }
    CHECK(count >= 8 && count < 64);
    CHECK(error == E_LIMIT || error == E_MEMORY);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(init_kill(INIT, tasks[i]), OK);
    }
    CHECK_EQUAL(wait_for(spawn("exitcode 0")).status, 0);
}

TEST(init_no_frame_lost, "twenty programs that end in three ways leave no frame behind") {
    struct init_boot_info_out before, after;
    (void)wait_for(spawn("memtest"));  // to its end: the pager keeps what it has taken once
    CHECK_EQUAL(init_boot_info(INIT, &before), OK);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t task = spawn(i % 3 == 0 ? "exitcode 1" : i % 3 == 1 ? "crash divide" : "memtest");
        if (i % 3 == 2) {
            CHECK_EQUAL(init_kill(INIT, task), OK);
        }
        (void)wait_for(task);
    }
    CHECK_EQUAL(init_boot_info(INIT, &after), OK);
    CHECK_EQUAL(after.frames_free, before.frames_free);
}
