// SPDX-License-Identifier: MIT
// The end in good order: see off.h.
#include "off.h"

#include "program.h"
#include "report.h"
#include "server.h"

#define STATUS_BROKEN 2u

static int machine_is_sound(void) {
    struct machine_check_out check = {0};
    error_t error = machine_check(HANDLE(SLOT_MACHINE), &check);
    if (error == OK && check.violations == 0) {
        return 1;
    }
    field_text words;
    text_clear(&words);
    text_add_number(&words, check.violations);
    text_add(&words, " laws of the frame table are broken, first at frame ");
    text_add_number(&words, check.frame);
    report("error: ", error != OK ? error_text(error) : words.bytes, NULL);
    return 0;
}

static int pager_is_sound(void) {
    struct pager_check_out check = {0};
    error_t error = pager_check(HANDLE(SLOT_PAGER), &check);
    if (error == OK && check.violations == 0) {
        return 1;
    }
    field_text words;
    text_clear(&words);
    text_add_number(&words, check.violations);
    text_add(&words, " invariants of the pager are broken");
    report("error: ", error != OK ? error_text(error) : words.bytes, NULL);
    return 0;
}

void system_off(uint32_t status) {
    programs_end_all();
    int sound = pager_is_sound();
    sound &= machine_is_sound();
    if (servers[TASK_TRACER].plan != NULL) {
        struct tracer_flush_out out;
        error_t error = tracer_flush(HANDLE(SLOT_TRACER), &out);
        if (error != OK) {
            report("error: the trace is incomplete: ", error_text(error), NULL);
        }
    }
    report_off(sound || status != 0 ? status : STATUS_BROKEN);
}
