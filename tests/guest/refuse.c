// SPDX-License-Identifier: MIT
// Each message of abi/ipc.def to a kernel object, with each kind of wrong argument: the error is
// that of the kind, nothing that can be seen has changed, and the laws hold. With good arguments
// and the right that ipc.def names it is done.
#include "attempt.h"
#include "trace.h"

static char title[96];
static uint32_t tries;
static struct picture before, now;

static void title_add(const char *text) {
    uint32_t length = 0;
    while (title[length] != 0) {
        length++;
    }
    while (*text != 0 && length < sizeof(title) - 1) {
        title[length++] = *text++;
    }
    title[length] = 0;
}

static void title_set(const struct message *message, const char *part, uint32_t value) {
    static const char digits[] = "0123456789abcdef";
    char number[] = " 0x00000000";
    for (uint32_t i = 0; i < 8; i++) {
        number[3 + i] = digits[value >> (28 - 4 * i) & 15];
    }
    title[0] = 0;
    title_add(message->name);
    title_add(" ");
    title_add(part);
    title_add(number);
    test_case(title);
}

// Try it: the error must be this one, and everything as before.
static void refused(const struct attempt *attempt, error_t expected) {
    struct machine_check_out check;
    CHECK_EQUAL(attempt_run(attempt), expected);
    tries++;
    CHECK_EQUAL(task_handle_drop(TASK, STAGE_COPY), OK);
    picture_take(&now);
    const char *part = picture_difference(&before, &now);
    if (part != NULL) {
        title_add(" changed: ");
        title_add(part);
    }
    CHECK(part == NULL);
    CHECK_EQUAL(machine_check(MACHINE, &check), OK);
    CHECK_EQUAL(check.violations, 0);
}

static void each_handle(const struct message *message) {
    struct attempt attempt;
    for (uint32_t n = 0;; n++) {
        uint32_t how;
        attempt_good(&attempt, message);
        error_t error = attempt_bad_handle(&attempt, n, &how);
        if (error == OK) {
            return;
        }
        title_set(message, "on handle", how);
        refused(&attempt, error);
    }
}

static void each_tag(const struct message *message) {
    struct attempt attempt;
    for (uint32_t n = 0;; n++) {
        uint32_t how;
        attempt_good(&attempt, message);
        error_t error = attempt_bad_tag(&attempt, n, &how);
        if (error == OK) {
            return;
        }
        title_set(message, "with tag", how);
        refused(&attempt, error);
    }
}

static void each_field(const struct message *message) {
    struct attempt attempt;
    for (uint32_t field = 0; message->field[field].kind != KIND_end; field++) {
        for (uint32_t n = 0;; n++) {
            uint32_t how;
            attempt_good(&attempt, message);
            error_t error = attempt_bad_field(&attempt, field, n, &how);
            if (error == OK) {
                break;
            }
            title_set(message, message->field[field].name, how);
            refused(&attempt, error);
        }
    }
}

// One bad item among `count`. Lists of up to 16 are done whole or not at all; of longer ones the
// part before the bad item is done.
static void each_item(const struct message *message, uint32_t count, uint32_t at) {
    struct attempt attempt;
    for (uint32_t n = 0;; n++) {
        uint32_t how;
        attempt_good(&attempt, message);
        attempt_list(&attempt, count);
        if (attempt.items == 0) {
            return;
        }
        error_t error = attempt_bad_item(&attempt, at, n, &how);
        if (error == OK) {
            return;
        }
        title_set(message, at == 0 ? "first item" : at == count - 1 ? "last item" : "middle item",
                  how);
        refused(&attempt, error);
    }
}

static void each_wrong(const struct message *message) {
    each_handle(message);
    each_tag(message);
    each_field(message);
    each_item(message, 1, 0);
    each_item(message, 3, 0);
    each_item(message, 3, 1);
    each_item(message, 3, 2);
    each_item(message, 16, 8);
    each_item(message, 16, 15);
    each_item(message, STAGE_FRAMES, 0);
}

// A record of a server's kind is taken only while somebody records that kind.
static void trace_record_wanted(void) {
    struct trace_control_out out;
    for (uint32_t i = 0; i < 2; i++) {
        message_buffer()->list[i] = (struct map_item){0, stage.own[STAGE_FRAMES - 1 - i] << 8};
    }
    CHECK_EQUAL(trace_attach(TRACE, 2, HANDLE(STAGE_EVENT), 0), OK);
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_admit, &out), OK);
}

// What is to be unpinned is pinned first.
static void frames_pinned(void) {
    struct pool_frames_pin_out out;
    for (uint32_t i = 0; i < STAGE_FRAMES; i++) {
        message_buffer()->list[i] = (struct map_item){0, stage.pooled[i] << 8};
    }
    CHECK_EQUAL(pool_frames_pin(HANDLE(STAGE_POOL), STAGE_FRAMES, &out), OK);
    CHECK_EQUAL(out.done, STAGE_FRAMES);
}

// These would end the test: a reset, and a law broken (see plants).
static bool not_to_be_done(uint32_t label) {
    return label == LABEL_machine_restart || label == LABEL_machine_plant;
}

// A caller's own task and thread need less than another's: there ipc.def's right is not enough.
static bool more_for_others(uint32_t label) {
    return label == LABEL_task_handle_drop || label == LABEL_thread_tls ||
           label == LABEL_thread_event;
}

// With nothing but the right of ipc.def, good arguments are enough.
static void done(const struct message *message) {
    struct attempt attempt;
    attempt_good(&attempt, message);
    if (message->label == LABEL_pool_destroy) {
        attempt.handle = HANDLE(STAGE_EMPTY_POOL);
    }
    CHECK_EQUAL(task_handle_give(TASK, attempt.handle, STAGE_COPY,
                                 more_for_others(message->label) ? RIGHT_CONTROL | RIGHT_CALL
                                                                 : message->right, 0), OK);
    attempt.handle = HANDLE(STAGE_COPY);
    title_set(message, "with good arguments", 0);
    CHECK_EQUAL(attempt_run(&attempt), OK);
}

static void one_message(const struct message *message) {
    struct trace_control_out old;
    stage_begin();
    if (message->label == LABEL_trace_emit) {
        trace_record_wanted();
    }
    if (message->label == LABEL_pool_frames_unpin) {
        frames_pinned();
    }
    picture_take(&before);
    now = before;
    each_wrong(message);
    if (!not_to_be_done(message->label)) {
        done(message);
    }
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    stage_end();
}

static void one_interface(uint32_t interface) {
    uint32_t count = 0;
    tries = 0;
    for (uint32_t i = 0; i < contract_count; i++) {
        if (LABEL_INTERFACE(contract[i].label) == interface) {
            one_message(&contract[i]);
            count++;
        }
    }
    note_number("wrong calls refused ", tries);
    CHECK(count > 0 && tries >= 30 * count);
}

// --- the pictures can tell -----------------------------------------------------------------------

static void seen(const char *what) {
    picture_take(&now);
    test_case(what);
    CHECK(picture_difference(&before, &now) != NULL);
    before = now;
}

TEST(change_is_seen, "each kind of change that a message could leave behind shows in a picture") {
    struct trace_control_out old;
    stage_begin();
    picture_take(&before);
    picture_take(&now);
    CHECK(picture_difference(&before, &now) == NULL);
    CHECK_EQUAL(pool_event_create(HANDLE(STAGE_POOL), STAGE_NEW), OK);
    seen("an object");
    CHECK_EQUAL(task_handle_drop(TASK, STAGE_NEW), OK);
    seen("a handle of the own task");
    CHECK_EQUAL(task_handle_drop(HANDLE(STAGE_TASK), STAGE_FOREIGN), OK);
    seen("a handle of another task");
    CHECK_EQUAL(thread_start(HANDLE(STAGE_THREAD), 4, 0, 0), OK);
    seen("registers and state of a thread");
    CHECK_EQUAL(thread_suspend(HANDLE(STAGE_THREAD)), OK);
    seen("the state of a thread");
    CHECK_EQUAL(map_one(HANDLE(STAGE_TASK), STAGE_FREE_PAGE, MAP_READ, stage.mapped), OK);
    seen("a page mapped");
    CHECK_EQUAL(unmap_one(HANDLE(STAGE_TASK), STAGE_FREE_PAGE, NULL), OK);
    seen("a page unmapped");
    CHECK_EQUAL(pool_frame_zero(HANDLE(STAGE_POOL), stage.pooled[0]), OK);
    seen("contents of a frame");
    frames_pinned();
    seen("frames pinned");
    CHECK_EQUAL(pool_create(HANDLE(STAGE_POOL), STAGE_NEW, 3, 0, 8), OK);
    seen("a pool's reservation");
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_admit, &old), OK);
    trace_record_wanted();
    seen("the trace");
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    stage_end();
}

TEST(refuse_pool, "every wrong call of a pool is refused, and changes nothing") {
    one_interface(INTERFACE_pool);
}
TEST(refuse_task, "every wrong call of a task is refused, and changes nothing") {
    one_interface(INTERFACE_task);
}
TEST(refuse_thread, "every wrong call of a thread is refused, and changes nothing") {
    one_interface(INTERFACE_thread);
}
TEST(refuse_event, "every wrong call of an event is refused, and changes nothing") {
    one_interface(INTERFACE_event);
}
TEST(refuse_timer, "every wrong call of a timer is refused, and changes nothing") {
    one_interface(INTERFACE_timer);
}
TEST(refuse_irq, "every wrong call of an interrupt line is refused, and changes nothing") {
    one_interface(INTERFACE_irq);
}
TEST(refuse_ports, "every wrong call of a range of I/O ports is refused, and changes nothing") {
    one_interface(INTERFACE_ports);
}
TEST(refuse_iomem, "every wrong call of device memory is refused, and changes nothing") {
    one_interface(INTERFACE_iomem);
}
TEST(refuse_machine, "every wrong call of the machine is refused, and changes nothing") {
    one_interface(INTERFACE_machine);
}
TEST(refuse_trace, "every wrong call of the trace is refused, and changes nothing") {
    one_interface(INTERFACE_trace);
}
