// SPDX-License-Identifier: MIT
// The table of all policies and the search in it. Chooses none: hosts do.
#include "policy.h"
#include <stddef.h>

#define POLICY(name, operations, parameter, text) \
    extern const struct policy_operations policy_##operations;
#include "policies.def"
#undef POLICY

#define POLICY(name, operations, parameter, text) {#name, &policy_##operations, parameter, text},
const struct policy_kind policy_kinds[POLICY_COUNT] = {
#include "policies.def"
};
#undef POLICY

static int name_same(const char *name, const char *untrusted, uint32_t limit) {
    for (uint32_t i = 0; i < limit; i++) {
        if (name[i] != untrusted[i]) {
            return 0;
        }
        if (name[i] == 0) {
            return 1;
        }
    }
    return 0;
}

const struct policy_kind *policy_find(const char *name, uint32_t limit) {
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        if (name_same(policy_kinds[i].name, name, limit)) {
            return &policy_kinds[i];
        }
    }
    return NULL;
}
