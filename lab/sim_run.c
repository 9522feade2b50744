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
#define COMING_MAX 64u    // pages of a domain that are coming in at a time, and more

struct decision {
    uint16_t kind, task;
    uint32_t word[3];
};

struct sim_run {
    struct decision *list;
    size_t count, capacity;
};

// Slots of pages, POLICY_NONE: the page has none of this kind. A page has at most one of the three.
struct replay {
    struct sim_run_result result;
    struct checked checked;
    void *memory;
    uint32_t *page_of;    // by slot
    uint32_t *slot_of;    // resident
    uint32_t *ghost_of;
    uint32_t *coming_of;  // taken, not resident yet
    uint32_t incoming;    // slot of the page that the next victim makes room for
    uint32_t frames;      // 0: the trace has not said
    uint32_t gone;        // the victim of the record just before, plus 1; 0: it had none
    uint32_t parameter[POLICY_PARAMETERS], parameters;  // for the next policy; bit n: it has n
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
    const uint32_t kinds = 1u << EVENT_policy | 1u << EVENT_parameter | 1u << EVENT_limit |
                           1u << EVENT_admit | 1u << EVENT_incoming | 1u << EVENT_evict |
                           1u << EVENT_clean | 1u << EVENT_drop | 1u << EVENT_reap |
                           1u << EVENT_accessed | 1u << EVENT_dirty | 1u << EVENT_tick |
                           1u << EVENT_swap_in;
    return kind < 32 && (kinds >> kind & 1);
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
    free(replay->ghost_of);
    free(replay->coming_of);
    replay->memory = NULL;
    replay->page_of = replay->slot_of = replay->ghost_of = replay->coming_of = NULL;
}

// ---- policies --------------------------------------------------------------------------------

static void replay_parameter(struct replay *replay, uint32_t number, uint32_t value) {
    if (number >= POLICY_PARAMETERS) {
        problem_note(replay, "the run used a parameter that this build does not know", 0, 0);
        return;
    }
    replay->parameter[number] = value;
    replay->parameters |= 1u << number;
}

static struct policy_choice choice_take(struct replay *replay, const struct policy_kind *kind) {
    struct policy_choice choice = policy_normal(kind);
    for (uint32_t i = 0; i < POLICY_PARAMETERS; i++) {
        if (replay->parameters >> i & 1) {
            choice.parameter[i] = replay->parameter[i];
        }
    }
    replay->parameters = 0;
    return choice;
}

// A domain begins, perhaps with the number of one that has ended.
static void replay_begin(struct replay *replay, const struct policy_kind *kind, uint32_t slots) {
    replay_free(replay);
    replay->memory = sim_allocate(checked_bytes(slots), 1);
    replay->page_of = sim_allocate(slots, sizeof(uint32_t));
    replay->slot_of = sim_allocate(PAGES, sizeof(uint32_t));
    replay->ghost_of = sim_allocate(PAGES, sizeof(uint32_t));
    replay->coming_of = sim_allocate(PAGES, sizeof(uint32_t));
    replay->incoming = POLICY_NONE;
    checked_init(&replay->checked, choice_take(replay, kind), replay->memory, slots,
                 replay->frames != 0 ? replay->frames : slots);
    replay->result.kind = kind;
}

static void ghosts_forget(struct replay *replay, uint32_t slot) {
    for (; slot != POLICY_NONE; slot = checked_forget(&replay->checked)) {
        replay->ghost_of[replay->page_of[slot]] = POLICY_NONE;
    }
}

static void replay_switch(struct replay *replay, const struct policy_kind *kind,
                          uint32_t resident) {
    (void)checked_switch(&replay->checked, choice_take(replay, kind));
    ghosts_forget(replay, checked_forget(&replay->checked));
    replay->result.kind = kind;
    replay->result.switches++;
    if (replay->checked.resident != resident) {
        problem_note(replay, "at a change of policy other numbers of pages were resident",
                     resident, replay->checked.resident);
    }
}

static void replay_policy(struct replay *replay, const struct decision *decision, uint32_t slots) {
    uint32_t old = decision->word[0], new = decision->word[1], resident = decision->word[2];
    if (old >= POLICY_COUNT || new >= POLICY_COUNT) {
        problem_note(replay, "the run used a policy that this build does not know", new, new);
    } else if (old == new && resident == 0) {
        replay_begin(replay, &policy_kinds[new], slots);
    } else if (replay->memory != NULL) {
        replay_switch(replay, &policy_kinds[new], resident);
    }
}

static void replay_limit(struct replay *replay, const struct decision *decision) {
    replay->frames = decision->word[2] != 0 ? decision->word[2] : decision->word[1];
    if (replay->memory != NULL) {
        checked_frames_set(&replay->checked, replay->frames);
        ghosts_forget(replay, checked_forget(&replay->checked));
    }
}

// ---- pages -----------------------------------------------------------------------------------

// The slot of a page that is coming in: it has one since it was read or somebody made room for it,
// or gets it now.
static uint32_t coming_take(struct replay *replay, uint32_t page) {
    if (replay->coming_of[page] == POLICY_NONE) {
        uint32_t slot = checked_take(&replay->checked, replay->ghost_of[page]);
        replay->ghost_of[page] = POLICY_NONE;
        replay->page_of[slot] = page;
        replay->coming_of[page] = slot;
    }
    return replay->coming_of[page];
}

static uint32_t victim_ask(struct replay *replay) {
    uint32_t incoming = replay->incoming;
    replay->incoming = POLICY_NONE;
    return checked_victim(&replay->checked, incoming);
}

// The run's victim is this page: is it the replay's, too?
static void replay_victim(struct replay *replay, uint32_t page) {
    uint32_t answer = victim_ask(replay), slot = POLICY_SLOT(answer);
    uint32_t chosen = replay->page_of[slot];
    replay->result.victims++;
    if (slot == POLICY_NONE || (answer & POLICY_CLEAN) != 0 || chosen != page) {
        problem_note(replay, "another page was the victim", page, chosen);
        return;
    }
    replay->slot_of[page] = POLICY_NONE;
    replay->checked.policy.slot[slot].dirty = 0;
    if (checked_state(&replay->checked, slot) == CHECKED_GHOST) {
        replay->ghost_of[page] = slot;
    }
    ghosts_forget(replay, checked_forget(&replay->checked));
}

// The run's policy wanted this page to be written first.
static void replay_clean(struct replay *replay, uint32_t page) {
    uint32_t answer = victim_ask(replay), chosen = replay->page_of[POLICY_SLOT(answer)];
    if ((answer & POLICY_CLEAN) == 0 || chosen != page) {
        problem_note(replay, "another page was to be written first", page, chosen);
        return;
    }
    replay->checked.policy.slot[POLICY_SLOT(answer)].dirty = 0;
}

static void replay_admit(struct replay *replay, uint32_t page, uint32_t how) {
    if (replay->slot_of[page] != POLICY_NONE) {
        // The victim could not leave (no room in the store), and stays as if it had come again.
        replay_victim(replay, page);
    }
    uint32_t slot = coming_take(replay, page);
    if (slot == POLICY_NONE || how > POLICY_ADOPTED) {
        problem_note(replay, "the page cannot be admitted", page, page);
        return;
    }
    replay->result.admits++;
    replay->result.kept += replay->gone == page + 1;
    replay->coming_of[page] = POLICY_NONE;
    replay->slot_of[page] = slot;
    checked_admit(&replay->checked, slot, (enum policy_how)how);
}

// Resident, a ghost, or coming in: also one that the record has not named before, when it is no
// ghost and nobody made room for it.
static void replay_drop(struct replay *replay, uint32_t page) {
    uint32_t slot = replay->slot_of[page];
    slot = slot != POLICY_NONE ? slot : replay->ghost_of[page];
    slot = slot != POLICY_NONE ? slot : replay->coming_of[page];
    if (slot == POLICY_NONE && replay->checked.kind->operations->ghosts > 0) {
        slot = checked_take(&replay->checked, POLICY_NONE);
    }
    if (slot == POLICY_NONE) {
        problem_note(replay, "the page left without ever coming: the trace has gaps", page, page);
        return;
    }
    checked_drop(&replay->checked, slot);
    replay->slot_of[page] = replay->ghost_of[page] = replay->coming_of[page] = POLICY_NONE;
}

static void replay_bits(struct replay *replay, const struct decision *decision) {
    for (uint32_t n = 0; n < 64; n++) {
        uint32_t page = decision->word[0] + n;
        if (!(decision->word[1 + n / 32] >> n % 32 & 1) || page >= PAGES ||
            replay->slot_of[page] == POLICY_NONE) {
            continue;
        }
        if (decision->kind == EVENT_accessed) {
            checked_touch(&replay->checked, replay->slot_of[page]);
        } else {
            replay->checked.policy.slot[replay->slot_of[page]].dirty = 1;
        }
    }
}

static void replay_page(struct replay *replay, const struct decision *decision) {
    uint32_t page = decision->word[0];
    if (page >= PAGES) {
        problem_note(replay, "there is no such page", page, page);
    } else if (decision->kind == EVENT_admit) {
        replay_admit(replay, page, decision->word[2]);
    } else if (decision->kind == EVENT_drop) {
        replay_drop(replay, page);
    } else if (decision->kind == EVENT_incoming) {
        replay->incoming = coming_take(replay, page);
    } else if (decision->kind == EVENT_swap_in) {
        if (replay->ghost_of[page] != POLICY_NONE) {
            (void)coming_take(replay, page);
        }
    } else if (replay->slot_of[page] == POLICY_NONE) {
        problem_note(replay, "the page left without ever coming: the trace has gaps", page, page);
    } else if (decision->kind == EVENT_evict) {
        replay_victim(replay, page);
    } else {
        replay_clean(replay, page);
    }
}

static void replay_known(struct replay *replay, const struct decision *decision) {
    switch (decision->kind) {
    case EVENT_accessed:
    case EVENT_dirty:
        replay_bits(replay, decision);
        break;
    case EVENT_tick:
        checked_tick(&replay->checked);
        break;
    case EVENT_reap:
        ghosts_forget(replay, checked_reap(&replay->checked));
        break;
    default:
        replay_page(replay, decision);
        break;
    }
}

static void replay_decision(struct replay *replay, const struct decision *decision,
                            uint32_t slots) {
    if (replay->result.problem != NULL) {
        return;
    }
    if (decision->kind == EVENT_policy) {
        replay_policy(replay, decision, slots);
    } else if (decision->kind == EVENT_parameter) {
        replay_parameter(replay, decision->word[0], decision->word[1]);
    } else if (decision->kind == EVENT_limit) {
        replay_limit(replay, decision);
    } else if (replay->memory == NULL) {
        problem_note(replay, "the trace does not begin with the domain: record from the start",
                     0, 0);
    } else {
        replay_known(replay, decision);
    }
    if (decision->kind != EVENT_drop || decision->word[0] + 1 != replay->gone) {  // its ghost
        replay->gone = decision->kind == EVENT_evict ? decision->word[0] + 1 : 0;
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
                        checked_slots(slots[task] < PAGES ? slots[task] : PAGES, COMING_MAX));
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
