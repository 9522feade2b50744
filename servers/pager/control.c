// SPDX-License-Identifier: MIT
#include "control.h"
#include "demand.h"
#include "evict.h"
#include "module.h"
#include "scan.h"
#include "sentence.h"

#define PLANS_MAX 16u
#define CHOICE_BYTES 128u  // of a program, a policy and all its parameters, with room to spare

// What was decided for the domains of a program: its own policy unless `kind` is NULL, its own limit
// unless that is 0. The last one, CONTROL_OTHERS, always has a policy.
static struct rule {
    struct policy_choice choice;
    uint32_t limit;
} rules[BOOT_MODULES_MAX + 1];

// Whom a decision is about: the domain of a task, or if that is 0, those of a program.
struct target {
    uint32_t task, program;
};
static struct plan {
    uint32_t fault;
    struct target target;
    struct policy_choice choice;
} plans[PLANS_MAX];
static uint32_t plan_count;
uint32_t control_next_plan, control_switches;

void control_init(void) {
    __builtin_memset(rules, 0, sizeof rules);
    rules[CONTROL_OTHERS].choice = policy_normal(&policy_kinds[POLICY_INDEX_fifo]);
    control_next_plan = UINT32_MAX;
    plan_count = control_switches = 0;
}

const struct policy_choice *control_choice(uint32_t program) {
    return &rules[rules[program].choice.kind == NULL ? CONTROL_OTHERS : program].choice;
}

uint32_t control_limit(uint32_t program) {
    uint32_t limit = rules[rules[program].limit == 0 ? CONTROL_OTHERS : program].limit;
    return limit == 0 ? LIMIT_NONE : limit;
}

// ---- whom it is about ------------------------------------------------------------------------

// 0: this is no number of a task.
static uint32_t task_number(const field_name *name) {
    uint32_t number = 0;
    for (uint32_t i = 0; i < NAME_BYTES && name->bytes[i] != 0; i++) {
        if (name->bytes[i] < '0' || name->bytes[i] > '9' || number > 100000000) {
            return 0;
        }
        number = number * 10 + (uint32_t)(name->bytes[i] - '0');
    }
    return number;
}

// A program's name goes before a task's number. False: there is neither.
static int target_find(const field_name *name, struct target *target) {
    *target = (struct target){0, CONTROL_OTHERS};
    if (name->bytes[0] == 0 || module_find(name, &target->program) == OK) {
        return 1;
    }
    target->task = task_number(name);
    return domain_find(target->task) != NULL;
}

// The others are those whose program has no rule of this kind (`ruled`).
static int applies(const struct target *target, const struct domain *domain, int ruled) {
    if (target->task != 0) {
        return domain->number == target->task;
    }
    return domain->program == target->program || (target->program == CONTROL_OTHERS && !ruled);
}

// ---- policies --------------------------------------------------------------------------------

static void domain_policy_set(struct domain *domain, const struct policy_choice *choice) {
    if (choice->kind != domain->policy.kind && domain->policy.kind->operations->blind) {
        scan_domain(domain);  // the new one shall know what was used
    }
    resident_policy_set(domain, choice);
}

// A domain to which the decision does not apply keeps what it has; that may be FIFO after a mistake.
static void policy_set(const struct target *target, const struct policy_choice *choice) {
    control_switches++;
    if (target->task == 0) {
        rules[target->program].choice = *choice;
    }
    FOR_EACH_DOMAIN(domain) {
        if (applies(target, domain, rules[domain->program].choice.kind != NULL)) {
            domain_policy_set(domain, choice->kind == NULL ? control_choice(domain->program)
                                                           : choice);
        }
    }
}

static error_t complain(error_t error, const char *text, const char *wrong) {
    struct sentence sentence = {resident_complaint, 0, sizeof resident_complaint};
    sentence_text(&sentence, text);
    sentence_text(&sentence, " ");
    sentence_text(&sentence, wrong);
    return error;
}

// Splits "DOMAINS/POLICY": returns where the policy begins, 0: nobody is named.
static uint32_t name_read(const char *text, field_name *name) {
    uint32_t length = 0;
    while (text[length] != 0 && text[length] != '/') {
        length++;
    }
    *name = (field_name){0};
    if (text[length] == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < MIN_OF(length, NAME_BYTES); i++) {
        name->bytes[i] = text[i];
    }
    return length + 1;
}

// text: with a 0 within CHOICE_BYTES. The kind is NULL where no policy is named behind the domains.
static error_t choose(const char *text, struct target *target, struct policy_choice *choice) {
    field_name name;
    uint32_t at = name_read(text, &name);
    if (at == 1 || !target_find(&name, target)) {
        return complain(E_NOT_FOUND, text, "names no program or task that there is");
    }
    choice->kind = NULL;
    if (at > 0 && text[at] == 0) {
        return OK;
    }
    const char *wrong = policy_choose(choice, text + at, CHOICE_BYTES - at);
    return wrong == NULL ? OK
                         : complain(choice->kind == NULL ? E_NOT_FOUND : E_ARGUMENT, text, wrong);
}

static error_t untrusted_choose(const field_text *untrusted, struct target *target,
                                struct policy_choice *choice) {
    char text[CHOICE_BYTES] = {0};
    if (untrusted->length > TEXT_BYTES) {
        return E_ARGUMENT;
    }
    for (uint32_t i = 0; i < MIN_OF(untrusted->length, CHOICE_BYTES - 1); i++) {
        text[i] = untrusted->bytes[i];
    }
    error_t error = choose(text, target, choice);
    return error != OK || untrusted->length < CHOICE_BYTES
               ? error : complain(E_ARGUMENT, text, "... is too long for a policy");
}

error_t control_policy_set(const field_text *text) {
    struct target target;
    struct policy_choice choice;
    error_t error = untrusted_choose(text, &target, &choice);
    if (error == OK) {
        policy_set(&target, &choice);
    }
    return error;
}

// ---- limits ----------------------------------------------------------------------------------

error_t control_limit_set(uint32_t frames, const field_name *name) {
    struct target target;
    if (frames != 0 && frames < LIMIT_MIN) {
        return E_ARGUMENT;
    }
    if (!target_find(name, &target)) {
        return E_NOT_FOUND;
    }
    if (target.task == 0) {
        rules[target.program].limit = frames;
    }
    evict_surplus_due = 1;
    FOR_EACH_DOMAIN(domain) {
        if (applies(&target, domain, rules[domain->program].limit != 0)) {
            resident_limit_set(domain, frames == 0 ? control_limit(domain->program) : frames);
        }
    }
    return OK;
}

// ---- plans -----------------------------------------------------------------------------------

static void next_find(void) {
    control_next_plan = UINT32_MAX;
    for (uint32_t i = 0; i < plan_count; i++) {
        control_next_plan = MIN_OF(control_next_plan, plans[i].fault);
    }
}

error_t control_policy_plan(uint32_t fault, const field_text *text) {
    struct target target;
    struct policy_choice choice;
    error_t error = untrusted_choose(text, &target, &choice);
    if (error != OK) {
        return error;
    }
    if (fault <= demand_faults || fault == UINT32_MAX) {
        return E_ARGUMENT;
    }
    if (plan_count == PLANS_MAX) {
        return E_LIMIT;
    }
    plans[plan_count++] = (struct plan){fault, target, choice};
    next_find();
    return OK;
}

void control_plans_run(uint32_t faults) {
    for (uint32_t i = 0; i < plan_count;) {
        if (plans[i].fault <= faults) {
            struct plan plan = plans[i];
            plans[i] = plans[--plan_count];
            policy_set(&plan.target, &plan.choice);
        } else {
            i++;
        }
    }
    next_find();
}
