// SPDX-License-Identifier: MIT
#include "control.h"
#include "demand.h"
#include "evict.h"

#define PLANS_MAX 16u

const struct policy_kind *control_policy;
uint32_t control_limit, control_next_plan;
static struct plan {
    uint32_t fault;
    const struct policy_kind *kind;
} plans[PLANS_MAX];
static uint32_t plan_count;

void control_init(void) {
    control_policy = &policy_kinds[POLICY_INDEX_fifo];
    control_limit = LIMIT_NONE;
    control_next_plan = UINT32_MAX;
    plan_count = 0;
}

static void policy_set(const struct policy_kind *kind) {
    control_policy = kind;
    FOR_EACH_DOMAIN(domain) {
        if (kind != domain->policy.kind && domain->policy.kind->operations->blind) {
            evict_scan(domain);  // the new one shall know what was used
        }
        resident_policy_set(domain, kind);
    }
}

error_t control_policy_set(const field_name *name) {
    const struct policy_kind *kind = policy_find(name->bytes, NAME_BYTES);
    if (kind == NULL) {
        return E_NOT_FOUND;
    }
    policy_set(kind);
    return OK;
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

error_t control_policy_plan(uint32_t fault, const field_name *name) {
    const struct policy_kind *kind = policy_find(name->bytes, NAME_BYTES);
    if (kind == NULL) {
        return E_NOT_FOUND;
    }
    if (fault <= demand_faults || fault == UINT32_MAX) {
        return E_ARGUMENT;
    }
    if (plan_count == PLANS_MAX) {
        return E_LIMIT;
    }
    plans[plan_count++] = (struct plan){fault, kind};
    next_find();
    return OK;
}

void control_plans_run(uint32_t faults) {
    for (uint32_t i = 0; i < plan_count;) {
        if (plans[i].fault <= faults) {
            policy_set(plans[i].kind);
            plans[i] = plans[--plan_count];
        } else {
            i++;
        }
    }
    next_find();
}
