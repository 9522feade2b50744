// SPDX-License-Identifier: MIT
#include "control.h"
#include "demand.h"
#include "evict.h"
#include "scan.h"
#include "sentence.h"

#define PLANS_MAX 16u
#define CHOICE_BYTES 96u  // of a policy and all its parameters, with room to spare

struct policy_choice control_choice;
uint32_t control_limit, control_next_plan, control_switches;
static struct plan {
    uint32_t fault;
    struct policy_choice choice;
} plans[PLANS_MAX];
static uint32_t plan_count;

void control_init(void) {
    control_choice = policy_normal(&policy_kinds[POLICY_INDEX_fifo]);
    control_limit = LIMIT_NONE;
    control_next_plan = UINT32_MAX;
    plan_count = control_switches = 0;
}

static void policy_set(const struct policy_choice *choice) {
    control_choice = *choice;
    control_switches++;
    FOR_EACH_DOMAIN(domain) {
        if (choice->kind != domain->policy.kind && domain->policy.kind->operations->blind) {
            scan_domain(domain);  // the new one shall know what was used
        }
        resident_policy_set(domain, choice);
    }
}

static error_t choose(const field_text *untrusted, struct policy_choice *choice) {
    char text[CHOICE_BYTES] = {0};
    if (untrusted->length > TEXT_BYTES) {
        return E_ARGUMENT;
    }
    uint32_t length = MIN_OF(untrusted->length, CHOICE_BYTES);
    for (uint32_t i = 0; i < MIN_OF(length, CHOICE_BYTES - 1); i++) {
        text[i] = untrusted->bytes[i];
    }
    const char *wrong = length < CHOICE_BYTES ? policy_choose(choice, text, CHOICE_BYTES)
                                              : "is too long for a policy and its parameters";
    if (wrong == NULL) {
        return OK;
    }
    struct sentence sentence = {resident_complaint, 0, sizeof resident_complaint};
    sentence_text(&sentence, text);
    sentence_text(&sentence, " ");
    sentence_text(&sentence, wrong);
    text[policy_name_length(text, CHOICE_BYTES)] = 0;
    return policy_find(text, CHOICE_BYTES) == NULL ? E_NOT_FOUND : E_ARGUMENT;
}

error_t control_policy_set(const field_text *text) {
    struct policy_choice choice;
    error_t error = choose(text, &choice);
    if (error == OK) {
        policy_set(&choice);
    }
    return error;
}

error_t control_limit_set(uint32_t frames) {
    if (frames != 0 && frames < LIMIT_MIN) {
        return E_ARGUMENT;
    }
    control_limit = frames == 0 ? LIMIT_NONE : frames;
    evict_surplus_due = 1;
    FOR_EACH_DOMAIN(domain) {
        resident_limit_set(domain, control_limit);
    }
    return OK;
}

static void next_find(void) {
    control_next_plan = UINT32_MAX;
    for (uint32_t i = 0; i < plan_count; i++) {
        control_next_plan = MIN_OF(control_next_plan, plans[i].fault);
    }
}

error_t control_policy_plan(uint32_t fault, const field_text *text) {
    struct policy_choice choice;
    error_t error = choose(text, &choice);
    if (error != OK) {
        return error;
    }
    if (fault <= demand_faults || fault == UINT32_MAX) {
        return E_ARGUMENT;
    }
    if (plan_count == PLANS_MAX) {
        return E_LIMIT;
    }
    plans[plan_count++] = (struct plan){fault, choice};
    next_find();
    return OK;
}

void control_plans_run(uint32_t faults) {
    for (uint32_t i = 0; i < plan_count;) {
        if (plans[i].fault <= faults) {
            struct policy_choice choice = plans[i].choice;
            plans[i] = plans[--plan_count];
            policy_set(&choice);
        } else {
            i++;
        }
    }
    next_find();
}
