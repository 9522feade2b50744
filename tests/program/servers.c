// SPDX-License-Identifier: MIT
// Each message of abi/ipc.def to a server, with each kind of wrong argument: a clear error that
// follows from the kind, nothing that a program can see has changed, and the servers serve on. What
// is init's alone is denied. init asks the pager for a check of all its structures at the end.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../guest/contract.h"
#include "../test.h"
#include "stubs.h"

#define INIT HANDLE(SLOT_INIT)
#define PAGER HANDLE(SLOT_PAGER)
#define FIRST 0x60000000u
#define PAGES 4u

struct request {
    const struct message *message;
    tag_t tag;
    uint32_t word[TAG_WORDS_MAX];
};

struct wrong {
    uint32_t value;
    error_t error;
};

static char title[96];
static uint32_t tries;

static handle_t server_of(const struct message *message) {
    switch (LABEL_INTERFACE(message->label)) {
    case INTERFACE_init:
        return HANDLE(SLOT_INIT);
    case INTERFACE_pager:
        return HANDLE(SLOT_PAGER);
    case INTERFACE_console:
        return HANDLE(SLOT_CONSOLE);
    default:
        return HANDLE(SLOT_TRACER);
    }
}

// --- what a program can see ----------------------------------------------------------------------

struct view {
    struct init_boot_info_out machine;
    uint32_t tasks, states[PAGES + 1], contents, resident, swapped, limit, violations;
    field_name policy;
};

static void view_take(struct view *view) {
    struct init_task_info_out task;
    struct pager_stats_out stats;
    struct pager_page_state_out page;
    memset(view, 0, sizeof *view);
    CHECK_EQUAL(init_boot_info(INIT, &view->machine), OK);
    while (init_task_info(INIT, view->tasks, &task) == OK) {
        view->tasks++;
    }
    CHECK_EQUAL(pager_stats(PAGER, task.task, &stats), OK);
    view->resident = stats.resident;
    view->swapped = stats.swapped;
    view->limit = stats.limit;
    view->violations = stats.violations;
    view->policy = stats.policy;
    for (uint32_t i = 0; i <= PAGES; i++) {
        CHECK_EQUAL(pager_page_state(PAGER, FIRST + i * PAGE_SIZE, &page), OK);
        view->states[i] = page.state;
    }
    for (uint32_t i = 0; i < 2 * PAGE_SIZE / 4; i++) {
        view->contents = view->contents * 31 + ((const volatile uint32_t *)FIRST)[i];
    }
}

static void view_same(const struct view *before) {
    struct view now;
    view_take(&now);
    CHECK_EQUAL(now.violations, 0);
    CHECK_EQUAL(now.resident, before->resident);
    CHECK(memcmp(before, &now, sizeof now) == 0);
}

// --- requests ------------------------------------------------------------------------------------

static uint32_t words_of(const struct field *field) {
    return field->kind == KIND_text   ? sizeof(field_text) / 4
           : field->kind == KIND_name ? sizeof(field_name) / 4
                                      : 1;
}

static void request_good(struct request *request, const struct message *message) {
    memset(request, 0, sizeof *request);
    request->message = message;
    request->tag = TAG(message->label, message->words, message->handles, 0);
    uint32_t word = 0;
    for (const struct field *field = message->field; field->kind != KIND_end; field++) {
        request->word[word] = field->kind == KIND_page     ? FIRST
                              : field->kind == KIND_length ? PAGE_SIZE
                              : field->kind == KIND_access ? MAP_READ
                                                           : field->least;
        word += words_of(field);
    }
}

static error_t request_send(const struct request *request) {
    struct message_buffer *buffer = message_buffer();
    for (uint32_t i = 2; i < TAG_WORDS_MAX; i++) {
        buffer->word[i] = request->word[i];
    }
    for (uint32_t i = 0; i < TAG_HANDLES_MAX; i++) {
        buffer->handle[i] = HANDLE(SLOT_TASK);
    }
    struct ipc_registers r = {server_of(request->message) | OP_CALL, request->tag, 0,
                              request->word[0], request->word[1]};
    ipc_enter(&r);
    return TAG_TO_ERROR(r.eax);
}

// --- rules ---------------------------------------------------------------------------------------

static error_t pick(const struct wrong *wrong, uint32_t count, uint32_t n, uint32_t *value) {
    if (n >= count) {
        return OK;
    }
    *value = wrong[n].value;
    return wrong[n].error;
}
#define PICK(wrong, n, value) pick(wrong, ARRAY_LENGTH(wrong), n, value)

// A name that nothing has, without an end, of other than letters.
static error_t wrong_name(uint32_t least, uint32_t n, uint32_t *words) {
    static const char *const names[] = {"no-such-name", "\xff\x01%n",
                                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ""};
    if (n >= ARRAY_LENGTH(names) - (least == 0)) {
        return OK;
    }
    memset(words, 0, NAME_BYTES);
    memcpy(words, names[n], strlen(names[n]));
    return E_NOT_FOUND;
}

static error_t wrong_value(const struct field *field, uint32_t n, uint32_t *word) {
    const struct wrong number[] = {{0x80000000u, E_ARGUMENT}, {UINT32_MAX, E_ARGUMENT},
                                   {field->most + 1, E_ARGUMENT}, {field->least - 1, E_ARGUMENT}};
    const struct wrong page[] = {{FIRST + 1, E_ADDRESS}, {FIRST + 2048, E_ADDRESS},
                                 {FIRST + 4095, E_ADDRESS}, {LAYOUT_KERNEL, E_ADDRESS},
                                 {LAYOUT_KERNEL + 0x100000, E_ADDRESS}, {0xfffff000u, E_ADDRESS},
                                 {0, E_ADDRESS}, {PAGE_SIZE, E_ADDRESS}};
    const struct wrong length[] = {{0, E_ARGUMENT}, {LAYOUT_KERNEL, E_ADDRESS},
                                   {0xfffff000u, E_ADDRESS}, {UINT32_MAX, E_ADDRESS},
                                   {0 - FIRST, E_ADDRESS}, {0 - FIRST + PAGE_SIZE, E_ADDRESS}};
    const struct wrong access[] = {{MAP_RIGHTS + 1, E_ARGUMENT}, {0x80000000u, E_ARGUMENT},
                                   {UINT32_MAX, E_ARGUMENT}, {MAP_WRITE | MAP_EXECUTE, E_WX},
                                   {MAP_RIGHTS, E_WX}};
    switch (field->kind) {
    case KIND_number:
    case KIND_text:
        return pick(number, field->least == 0 ? 3 : 4, n, word);
    case KIND_page:
        return pick(page, field->least == 0 ? 6 : 8, n, word);
    case KIND_length:
        return PICK(length, n, word);
    case KIND_access:
        return PICK(access, n, word);
    case KIND_name:
        return wrong_name(field->least, n, word);
    default:
        return OK;
    }
}

// What init alone may ask, and what cannot be had in this run, is refused before anything else.
static error_t refusal_of(const struct message *message) {
    struct request request;
    request_good(&request, message);
    bool of_init = message->label >= LABEL_pager_module_add && message->label <= LABEL_pager_check;
    return of_init || message->label == LABEL_tracer_control ? request_send(&request) : OK;
}

static void refused(const struct request *request, error_t expected, error_t first) {
    error_t error = request_send(request);
    tries++;
    if (first == OK || error != first) {
        CHECK_EQUAL(error, expected);
    }
}

static void each_field(const struct message *message) {
    error_t first = refusal_of(message);
    uint32_t word = 0;
    for (const struct field *field = message->field; field->kind != KIND_end; field++) {
        for (uint32_t n = 0;; n++) {
            struct request request;
            request_good(&request, message);
            error_t error = wrong_value(field, n, &request.word[word]);
            if (error == OK) {
                break;
            }
            snprintf(title, sizeof title, "%s %s %#x", message->name, field->name,
                     (unsigned)request.word[word]);
            test_case(title);
            refused(&request, error, first);
        }
        word += words_of(field);
    }
}

// A handle that nobody asked for finds no slot, or a server that refuses it.
static void each_tag(const struct message *message) {
    uint32_t label = message->label, words = message->words, handles = message->handles;
    const struct wrong wrong[] = {
        {TAG(label, words + 1, handles, 0), E_LENGTH}, {TAG(label, words == 0 ? 2 : words - 1,
                                                           handles, 0), E_LENGTH},
        {TAG(label, TAG_WORDS_MAX, handles, 0), E_LENGTH}, {TAG(label, 127, handles, 0), E_LENGTH},
        {TAG(label, words, 7, 0), E_LENGTH}, {TAG(label, words, 0, 1), E_LENGTH},
        {TAG(label, words, 0, 31), E_LENGTH}, {TAG(label, words, 0, 0) | 0x80000000u, E_LENGTH},
        {TAG(label | 0xff, words, 0, 0), E_MESSAGE}, {TAG(label & 0xff, words, 0, 0), E_MESSAGE},
        {TAG(label ^ 0x0100, 64, 0, 0), E_MESSAGE}, {TAG(LABEL_task_ping, 0, 0, 0), E_MESSAGE},
        {TAG(LABEL_fault_read, 2, 0, 0), E_LENGTH}, {TAG(LABEL_EVENT, 0, 0, 0), E_LENGTH},
        {TAG_ERROR(E_IO), E_LENGTH}};
    struct request request;
    for (uint32_t n = 0; n < ARRAY_LENGTH(wrong); n++) {
        request_good(&request, message);
        request.tag = wrong[n].value;
        snprintf(title, sizeof title, "%s with tag %#x", message->name, (unsigned)request.tag);
        test_case(title);
        error_t error = request_send(&request);
        bool no_handle = TAG_HANDLES(request.tag) > 0 && error == E_RIGHT;
        CHECK_EQUAL(no_handle ? wrong[n].error : error, wrong[n].error);
        tries++;
    }
    for (uint32_t extra = handles + 1; extra <= TAG_HANDLES_MAX; extra++) {
        request_good(&request, message);
        request.tag = TAG(label, words, extra, 0);
        error_t error = request_send(&request);
        snprintf(title, sizeof title, "%s with %u handles: %u", message->name, (unsigned)extra,
                 (unsigned)error);
        test_case(title);
        CHECK(error == E_LENGTH || error == E_SLOT || error == E_RIGHT);
        tries++;
    }
}

static void each_message(uint32_t interface, const struct view *before) {
    tries = 0;
    for (uint32_t i = 0; i < contract_count; i++) {
        if (LABEL_INTERFACE(contract[i].label) == interface) {
            each_tag(&contract[i]);
            each_field(&contract[i]);
            test_case(contract[i].name);
            if (before != NULL) {
                view_same(before);
            }
        }
    }
}

static void one_interface(uint32_t interface, uint32_t least) {
    struct pager_map_out region;
    struct view before;
    CHECK_EQUAL(pager_map(PAGER, FIRST, PAGES * PAGE_SIZE, MAP_READ | MAP_WRITE, &region), OK);
    CHECK_EQUAL(region.address, FIRST);
    for (uint32_t i = 0; i < 2 * PAGE_SIZE / 4; i++) {
        ((volatile uint32_t *)FIRST)[i] = i * 2654435761u;
    }
    view_take(&before);
    each_message(interface, NULL);  // what this needs of the program's own pages is there then
    view_take(&before);
    each_message(interface, &before);
    CHECK(tries >= least);
    CHECK_EQUAL(pager_unmap(PAGER, FIRST, PAGES * PAGE_SIZE), OK);
}

TEST(servers_refuse_init, "every wrong message to init gets its error, and changes nothing") {
    one_interface(INTERFACE_init, 150);
}

TEST(servers_refuse_pager, "every wrong message to the pager gets its error, and changes nothing") {
    one_interface(INTERFACE_pager, 300);
}

TEST(servers_refuse_console, "every wrong message to the console gets its error, and that is all") {
    one_interface(INTERFACE_console, 60);
}

TEST(servers_refuse_tracer, "every wrong message to the tracer gets its error, and that is all") {
    struct ipc_registers r = {HANDLE(SLOT_TRACER) | OP_CALL, LABEL_task_ping, 0, 0, 0};
    ipc_enter(&r);
    if (TAG_TO_ERROR(r.eax) == E_HANDLE) {
        SKIP("no trace in this run (see hostile_tracer)");
    }
    one_interface(INTERFACE_tracer, 40);
}
