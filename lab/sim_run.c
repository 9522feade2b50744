// SPDX-License-Identifier: MIT
// Records are untrusted: what does not fit (a victim that was never admitted, an unknown policy)
// ends the replay of its domain with a sentence.
#include "sim_run.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "sim_trace.h"

#define TASKS 65536u
#define PAGES (1u << 20)  // of a 32-bit space

struct decision {
    uint16_t kind, task;
    uint32_t word[3];
};

struct sim_run {
    struct decision *list;
    size_t count, capacity;
};

struct replay {
    struct sim_run_result result;
    struct checked checked;
    void *memory;
    uint32_t *page_of;  // by slot
    uint32_t *slot_of;  // by page
};

// ---- records ---------------------------------------------------------------------------------

struct sim_run *sim_run_new(void) {
    return sim_allocate(1, sizeof(struct sim_run));
}

void sim_run_free(struct sim_run *run) {
    if (run == NULL) {
        return;
    }
    free(run->list);
    free(run);
}

static int is_decision(uint32_t kind) {
    return kind == EVENT_policy || kind == EVENT_limit || kind == EVENT_admit ||
           kind == EVENT_evict || kind == EVENT_drop || kind == EVENT_accessed;
}

void sim_run_add(struct sim_run *run, const struct trace_record *record) {
    if (!is_decision(record->kind)) {
        return;
    }
    if (run->count == run->capacity) {
        size_t capacity = run->capacity == 0 ? 4096 : run->capacity * 2;
        struct decision *list = sim_allocate(capacity, sizeof(*list));
        if (run->count > 0) {
            memcpy(list, run->list, run->count * sizeof(*list));
        }
        free(run->list);
        run->list = list;
        run->capacity = capacity;
    }
    run->list[run->count++] =
        (struct decision){record->kind, record->peer,
                          {record->word[0], record->word[1], record->word[2]}};
}

// ---- one domain ------------------------------------------------------------------------------

static void problem_note(struct replay *replay, const char *problem, uint32_t page,
                         uint32_t chosen) {
    replay->result.problem = problem;
    replay->result.page = page;
    replay->result.chosen = chosen;
}

static void replay_free(struct replay *replay) {
    free(replay->memory);
    free(replay->page_of);
    free(replay->slot_of);
    replay->memory = NULL;
    replay->page_of = replay->slot_of = NULL;
}

// A domain begins, perhaps with the number of one that has ended.
static void replay_begin(struct replay *replay, const struct policy_kind *kind, uint32_t slots) {
    replay_free(replay);
    replay->memory = sim_allocate(checked_bytes(slots), 1);
    replay->page_of = sim_allocate(slots, sizeof(uint32_t));
    replay->slot_of = sim_allocate(PAGES, sizeof(uint32_t));
    checked_init(&replay->checked, policy_normal(kind), replay->memory, slots, slots);
    replay->result.kind = kind;
}

static void replay_policy(struct replay *replay, const struct decision *decision, uint32_t slots) {
    uint32_t old = decision->word[0], new = decision->word[1], resident = decision->word[2];
    if (old >= POLICY_COUNT || new >= POLICY_COUNT) {
        problem_note(replay, "the run used a policy that this build does not know", new, new);
    } else if (old == new && resident == 0) {
        replay_begin(replay, &policy_kinds[new], slots);
    } else if (replay->memory != NULL) {
        (void)checked_switch(&replay->checked, policy_normal(&policy_kinds[new]));
        replay->result.kind = &policy_kinds[new];
        replay->result.switches++;
        if (replay->checked.resident != resident) {
            problem_note(replay, "at a change of policy other numbers of pages were resident",
                         resident, replay->checked.resident);
        }
    }
}

// The run's victim is this page: is it the replay's, too?
static void replay_victim(struct replay *replay, uint32_t page) {
    uint32_t slot = POLICY_SLOT(checked_victim(&replay->checked, POLICY_NONE));
    while (checked_forget(&replay->checked) != POLICY_NONE) {
    }
    replay->result.victims++;
    uint32_t chosen = replay->page_of[slot];
    if (slot == POLICY_NONE || chosen != page) {
        problem_note(replay, "another page was the victim", page, chosen);
        return;
    }
    replay->slot_of[page] = POLICY_NONE;
}

static void replay_admit(struct replay *replay, uint32_t page, uint32_t how) {
    if (replay->slot_of[page] != POLICY_NONE) {
        // The victim could not leave (no room in the store), and stays as if it had come again.
        replay_victim(replay, page);
    }
    uint32_t slot = checked_take(&replay->checked, POLICY_NONE);
    if (slot == POLICY_NONE || how > POLICY_ADOPTED) {
        problem_note(replay, "the page cannot be admitted", page, page);
        return;
    }
    replay->result.admits++;
    replay->page_of[slot] = page;
    replay->slot_of[page] = slot;
    checked_admit(&replay->checked, slot, (enum policy_how)how);
}

static void replay_accessed(struct replay *replay, const struct decision *decision) {
    for (uint32_t n = 0; n < 64; n++) {
        uint32_t page = decision->word[0] + n;
        if ((decision->word[1 + n / 32] >> n % 32 & 1) && page < PAGES &&
            replay->slot_of[page] != POLICY_NONE) {
            checked_touch(&replay->checked, replay->slot_of[page]);
        }
    }
}

static void replay_page(struct replay *replay, const struct decision *decision) {
    uint32_t page = decision->word[0];
    if (page >= PAGES) {
        problem_note(replay, "there is no such page", page, page);
    } else if (decision->kind == EVENT_admit) {
        replay_admit(replay, page, decision->word[2]);
    } else if (replay->slot_of[page] == POLICY_NONE) {
        problem_note(replay, "the page left without ever coming: the trace has gaps", page, page);
    } else if (decision->kind == EVENT_evict) {
        replay_victim(replay, page);
    } else {
        checked_drop(&replay->checked, replay->slot_of[page]);
        replay->slot_of[page] = POLICY_NONE;
    }
}

static void replay_decision(struct replay *replay, const struct decision *decision,
                            uint32_t slots) {
    if (replay->result.problem != NULL) {
        return;
    }
    if (decision->kind == EVENT_policy) {
        replay_policy(replay, decision, slots);
    } else if (replay->memory == NULL) {
        problem_note(replay, "the trace does not begin with the domain: record from the start",
                     0, 0);
    } else if (decision->kind == EVENT_limit) {
        checked_frames_set(&replay->checked, decision->word[1]);
    } else if (decision->kind == EVENT_accessed) {
        replay_accessed(replay, decision);
    } else {
        replay_page(replay, decision);
    }
    if (replay->checked.faults > 0 && replay->result.problem == NULL) {
        problem_note(replay, "the policy was wrong and FIFO took over", 0, 0);
    }
}

// ---- all domains -----------------------------------------------------------------------------

uint32_t sim_run_replay(const struct sim_run *run,
                        void (*report)(void *context, const struct sim_run_result *result),
                        void *context) {
    uint32_t *slots = sim_allocate(TASKS, sizeof(*slots)), problems = 0;
    struct replay **replay = sim_allocate(TASKS, sizeof(*replay));
    for (size_t i = 0; i < run->count; i++) {
        slots[run->list[i].task] += run->list[i].kind == EVENT_admit;  // never too few
    }
    for (size_t i = 0; i < run->count; i++) {
        uint32_t task = run->list[i].task;
        if (replay[task] == NULL) {
            replay[task] = sim_allocate(1, sizeof(struct replay));
            replay[task]->result.task = task;
        }
        replay_decision(replay[task], &run->list[i],
                        checked_slots(slots[task] < PAGES ? slots[task] : PAGES, 2));
    }
    for (uint32_t task = 0; task < TASKS; task++) {
        if (replay[task] != NULL) {
            problems += replay[task]->result.problem != NULL;
            report(context, &replay[task]->result);
            replay_free(replay[task]);
            free(replay[task]);
        }
    }
    free(replay);
    free(slots);
    return problems;
}
