// SPDX-License-Identifier: MIT
// The table of all policies and the search in it. Chooses none: hosts do.
#include "policy.h"
#include <stddef.h>

#define POLICY(name, operations, setting, text) \
    extern const struct policy_operations policy_##operations;
#include "policies.def"
#undef POLICY

#define NORMAL 0, 0
#define SET(number, value) 1 + (number), value
#define POLICY(name, operations, setting, text) {#name, &policy_##operations, setting, text},
const struct policy_kind policy_kinds[POLICY_COUNT] = {
#include "policies.def"
};
#undef POLICY

const char *policy_incomplete(const struct policy_operations *operations) {
    const struct {
        const char *name;
        int missing;
    } needed[] = {
        {"init", operations->init == NULL},
        {"admit", operations->admit == NULL},
        {"victim", operations->victim == NULL},
        {"drop", operations->drop == NULL},
        {"order", operations->order == NULL},
        {"reap", operations->reap == NULL && operations->ghosts > 0},
    };
    for (uint32_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (needed[i].missing) {
            return needed[i].name;
        }
    }
    return NULL;
}

// Is this word `name`, and does it end with `end` behind it?
static int name_same(const char *name, const char *untrusted, uint32_t limit, char end) {
    for (uint32_t i = 0; i < limit; i++) {
        if (name[i] == 0) {
            return untrusted[i] == end;
        }
        if (name[i] != untrusted[i]) {
            return 0;
        }
    }
    return 0;
}

static const struct policy_kind *kind_find(const char *name, uint32_t limit, char end) {
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        if (name_same(policy_kinds[i].name, name, limit, end)) {
            return &policy_kinds[i];
        }
    }
    return NULL;
}

const struct policy_kind *policy_find(const char *name, uint32_t limit) {
    return kind_find(name, limit, 0);
}

struct policy_choice policy_normal(const struct policy_kind *kind) {
    struct policy_choice choice = {.kind = kind};
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        choice.parameter[i] =
            kind->set == i + 1 ? kind->value : kind->operations->parameter[i].normal;
    }
    return choice;
}

static uint32_t length_to(const char *text, uint32_t limit, char end) {
    uint32_t length = 0;
    while (length < limit && text[length] != end && text[length] != 0) {
        length++;
    }
    return length;
}

// Digits up to ':' or the end. Returns their number; 0: it is no number that has 32 bits.
static uint32_t number_read(const char *text, uint32_t limit, uint32_t *number) {
    uint64_t value = 0;
    uint32_t length = 0;
    for (; length < limit && text[length] >= '0' && text[length] <= '9'; length++) {
        value = value * 10 + (uint32_t)(text[length] - '0');
        if (value > UINT32_MAX) {
            return 0;
        }
    }
    *number = (uint32_t)value;
    return length < limit && (text[length] == 0 || text[length] == ':') ? length : 0;
}

static const struct policy_parameter *parameter_find(const struct policy_operations *operations,
                                                     const char *name, uint32_t limit) {
    for (uint32_t i = 0; i < POLICY_PARAMETERS && operations->parameter[i].name != NULL; i++) {
        if (name_same(operations->parameter[i].name, name, limit, '=')) {
            return &operations->parameter[i];
        }
    }
    return NULL;
}

uint32_t policy_name_length(const char *text, uint32_t limit) {
    return length_to(text, limit, ':');
}

const char *policy_choose(struct policy_choice *choice, const char *text, uint32_t limit) {
    uint32_t at = policy_name_length(text, limit);
    const struct policy_kind *kind =
        at < limit && text[at] == ':' ? kind_find(text, limit, ':') : policy_find(text, limit);
    if (kind == NULL) {
        return "names no policy";
    }
    *choice = policy_normal(kind);
    while (text[at] == ':') {
        at++;
        const struct policy_parameter *parameter =
            parameter_find(kind->operations, text + at, limit - at);
        if (parameter == NULL) {
            return "names no parameter of this policy";
        }
        at += length_to(text + at, limit - at, '=') + 1;
        uint32_t number, digits = number_read(text + at, limit - at, &number);
        if (digits == 0 || number < parameter->least || number > parameter->most) {
            return "gives a parameter a value out of its bounds";
        }
        choice->parameter[parameter - kind->operations->parameter] = number;
        at += digits;
    }
    return NULL;
}

// ---- the reverse -----------------------------------------------------------------------------

// Adds bytes while they fit; where the text then ends. `size` and more: they did not.
static uint32_t bytes_put(char *text, uint32_t at, uint32_t size, const char *bytes) {
    for (; *bytes != 0; bytes++, at++) {
        if (at < size) {
            text[at] = *bytes;
        }
    }
    return at;
}

static uint32_t number_put(char *text, uint32_t at, uint32_t size, uint32_t number) {
    char digits[11] = {0};
    uint32_t first = 10;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return bytes_put(text, at, size, digits + first);
}

void policy_describe(const struct policy_choice *choice, char *text, uint32_t size) {
    struct policy_choice normal = policy_normal(choice->kind);
    uint32_t name = bytes_put(text, 0, size, choice->kind->name), at = name;
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        if (choice->parameter[i] != normal.parameter[i]) {
            at = bytes_put(text, at, size, ":");
            at = bytes_put(text, at, size, choice->kind->operations->parameter[i].name);
            at = bytes_put(text, at, size, "=");
            at = number_put(text, at, size, choice->parameter[i]);
        }
    }
    text[at < size ? at : name < size ? name : size - 1] = 0;
}
