// SPDX-License-Identifier: MIT
// min and random are no policies: a pager can run neither.
#include "sim_choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_NORMAL 1u

struct sim_choice sim_choice_at(uint32_t index) {
    struct sim_choice choice = {.seed = SEED_NORMAL};
    if (index < POLICY_COUNT) {
        choice.policy = policy_normal(&policy_kinds[index]);
        snprintf(choice.name, sizeof(choice.name), "%s", policy_kinds[index].name);
        return choice;
    }
    choice.what = index == POLICY_COUNT ? SIM_MIN : SIM_RANDOM;
    strcpy(choice.name, choice.what == SIM_MIN ? "min" : "random");
    return choice;
}

const char *sim_choice_text(uint32_t index) {
    if (index < POLICY_COUNT) {
        return policy_kinds[index].text;
    }
    return index == POLICY_COUNT ? "Belady's optimum, which knows the future: a bound, no policy"
                                 : "any page, all equally likely (random:seed=N): a yardstick, no policy";
}

void sim_choice_names(char *names, size_t size) {
    names[0] = 0;
    for (uint32_t i = 0; i < SIM_CHOICES; i++) {
        size_t length = strlen(names);
        snprintf(names + length, size - length, "%s%s", i > 0 ? ", " : "", sim_choice_at(i).name);
    }
}

static const char *seed_choose(struct sim_choice *choice, const char *text) {
    static const char key[] = "seed=";
    if (strncmp(text, key, sizeof(key) - 1) != 0) {
        return "names no parameter of random, which has only seed";
    }
    char *end;
    const char *number = text + sizeof(key) - 1;
    errno = 0;
    choice->seed = strtoull(number, &end, 10);
    int digit = number[0] >= '0' && number[0] <= '9';
    return digit && *end == 0 && errno == 0 ? NULL : "gives random a seed that is no number";
}

const char *sim_choose(struct sim_choice *choice, const char *text) {
    if (strlen(text) >= sizeof(choice->name)) {
        return "is too long";
    }
    *choice = (struct sim_choice){.seed = SEED_NORMAL};
    strcpy(choice->name, text);
    if (strcmp(text, "min") == 0) {
        choice->what = SIM_MIN;
        return NULL;
    }
    if (strncmp(text, "random", 6) == 0 && (text[6] == 0 || text[6] == ':')) {
        choice->what = SIM_RANDOM;
        return text[6] == 0 ? NULL : seed_choose(choice, text + 7);
    }
    return policy_choose(&choice->policy, text, SIM_NAME_BYTES);
}

struct sim_result sim_score(const struct sim_trace *trace, const struct sim_choice *choice,
                            uint32_t frames) {
    struct sim_result result;
    if (choice->what == SIM_MIN) {
        return sim_replay_min(trace, frames);
    }
    if (choice->what == SIM_RANDOM) {
        return sim_replay_random(trace, frames, choice->seed);
    }
    if (sim_fast(trace, choice->policy, frames, NULL, NULL, &result)) {
        return result;
    }
    return sim_replay_choice(trace, choice->policy, frames, NULL, NULL);
}
