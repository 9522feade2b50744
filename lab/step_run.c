// SPDX-License-Identifier: MIT
// Runs a policy over a few references through checked.h, as sim_replay.c does, and writes down what
// can be seen after each. Faults are those that the simulator counts.
#include <stdlib.h>
#include <string.h>

#include "sim_trace.h"
#include "step_look.h"

struct host {
    struct step_run *run;
    struct step *step;      // the one being made
    struct checked checked;
    void *memory;
    struct sim_trace trace; // pages numbered from 0
    uint32_t *slot_of, *ghost_of, *name_of;    // by page
    uint32_t *page_of, *frame_of, *name_at;    // by slot; name_at: what people call its page
    bool *taken;            // by frame
    uint32_t interval, until;
    struct step_why why;
};

static void host_start(struct host *h, struct policy_choice choice) {
    uint32_t *page = sim_allocate(h->run->count, sizeof(*page));
    for (uint32_t i = 0; i < h->run->count; i++) {
        page[i] = h->run->step[i].reference.page;
    }
    sim_trace_number(&h->trace, page, h->run->count);
    h->run->pages = h->trace.footprint;
    uint32_t slots = checked_slots(h->run->frames, 1);
    h->memory = sim_allocate(checked_bytes(slots), 1);
    h->slot_of = sim_allocate(h->trace.footprint, 4);
    h->ghost_of = sim_allocate(h->trace.footprint, 4);
    h->name_of = sim_allocate(h->trace.footprint, 4);
    h->page_of = sim_allocate(slots, 4);
    h->frame_of = sim_allocate(slots, 4);
    h->name_at = sim_allocate(slots, 4);
    h->taken = sim_allocate(h->run->frames, sizeof(bool));
    h->interval = h->until = h->run->frames / 8 > 0 ? h->run->frames / 8 : 1;
    checked_init(&h->checked, choice, h->memory, slots, h->run->frames);
}

static void host_end(struct host *h) {
    void *all[] = {h->memory,  h->slot_of,  h->ghost_of, h->name_of,
                   h->page_of, h->frame_of, h->name_at,  h->taken};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        free(all[i]);
    }
    sim_trace_free(&h->trace);
}

// ---- calls, and what is said about them ------------------------------------------------------

// Not "a ghost in ghosts".
static void say_ghost_list(FILE *to, const char *place) {
    if (place != NULL && strncmp(place, "ghost", 5) != 0) {
        fprintf(to, " in %s", place);
    }
}

static void say_victim(struct host *h, const struct step_look *before,
                       const struct step_look *after, uint32_t slot, uint32_t incoming) {
    const struct step_slot *was = &before->slot[slot];
    if (before->slot[incoming].state == CHECKED_RETURNING) {
        step_say(&h->why, "%u was a ghost", before->slot[incoming].page);
        say_ghost_list(h->why.to, before->slot[incoming].place);
    }
    step_say_changes(&h->why, before, after, slot);
    step_say(&h->why, "%u leaves: %s", was->page,
             was->why != NULL ? was->why : "it is the first in the policy's order");
    if (h->run->ref_used && was->record.ref) {
        fputs(" (it was used, too: the policy came round to it)", h->why.to);
    }
    if (was->record.dirty) {
        fputs("; it is dirty, so it is written out", h->why.to);
    }
    if (after->slot[slot].state == CHECKED_GHOST) {
        fputs("; it stays as a ghost", h->why.to);
        say_ghost_list(h->why.to, after->slot[slot].place);
    }
}

static void forget_ghosts(struct host *h) {
    uint32_t slot;
    while ((slot = checked_forget(&h->checked)) != POLICY_NONE) {
        h->ghost_of[h->page_of[slot]] = POLICY_NONE;
        step_say(&h->why, "the ghost of %u is forgotten", h->name_at[slot]);
    }
}

static void tick(struct host *h) {
    if (--h->until > 0) {
        return;
    }
    h->until = h->interval;
    if (h->checked.kind->operations->tick == NULL) {
        checked_tick(&h->checked);
        return;
    }
    struct step_look before = step_look(&h->checked, h->name_at);
    checked_tick(&h->checked);
    struct step_look after = step_look(&h->checked, h->name_at);
    step_say(&h->why, "tick");
    step_say_changes(&h->why, &before, &after, POLICY_NONE);
    step_look_end(&before);
    step_look_end(&after);
}

static void evict(struct host *h, uint32_t incoming) {
    struct step_look before = step_look(&h->checked, h->name_at);
    uint32_t answer = checked_victim(&h->checked, incoming), slot = POLICY_SLOT(answer);
    struct step_look after = step_look(&h->checked, h->name_at);
    if ((answer & POLICY_CLEAN) != 0) {
        step_say_changes(&h->why, &before, &after, slot);
        step_say(&h->why, "%u would leave, but is dirty: it is written out first",
                 h->name_at[slot]);
        h->checked.policy.slot[slot].dirty = 0;
    } else {
        say_victim(h, &before, &after, slot, incoming);
        h->checked.policy.slot[slot].dirty = 0;
        h->step->evicted = true;
        h->step->victim = h->name_at[slot];
        h->taken[h->frame_of[slot]] = false;
        h->slot_of[h->page_of[slot]] = POLICY_NONE;
        if (checked_state(&h->checked, slot) == CHECKED_GHOST) {
            h->ghost_of[h->page_of[slot]] = slot;
        }
        forget_ghosts(h);
        tick(h);
    }
    step_look_end(&before);
    step_look_end(&after);
}

static void bring_in(struct host *h, uint32_t slot, uint32_t page) {
    uint32_t frame = 0;
    while (h->taken[frame]) {
        frame++;
    }
    h->taken[frame] = true;
    h->frame_of[slot] = frame;
    h->slot_of[page] = slot;
    h->ghost_of[page] = POLICY_NONE;
    struct step_look before = step_look(&h->checked, h->name_at);
    checked_admit(&h->checked, slot, POLICY_USED);
    struct step_look after = step_look(&h->checked, h->name_at);
    step_say(&h->why, "%u comes into %s", h->name_at[slot],
             h->step->evicted ? "its frame" : "a free frame");
    if (after.slot[slot].place != NULL && step_tells(&after)) {
        fprintf(h->why.to, ", %s%s", after.description->state_in == POLICY_IN_LIST ? "in " : "",
                after.slot[slot].place);
    }
    step_say_changes(&h->why, &before, &after, slot);
    step_look_end(&before);
    step_look_end(&after);
}

static void miss(struct host *h, uint32_t page) {
    uint32_t slot = checked_take(&h->checked, h->ghost_of[page]);
    h->page_of[slot] = page;
    h->name_at[slot] = h->name_of[page];
    while (h->checked.resident >= h->run->frames) {
        evict(h, slot);
    }
    bring_in(h, slot, page);
}

static void hit(struct host *h, uint32_t slot) {
    struct step_look before = step_look(&h->checked, h->name_at);
    checked_touch(&h->checked, slot);
    struct step_look after = step_look(&h->checked, h->name_at);
    bool any = step_say_use(&h->why, &before, &after, slot, h->run->ref_used);
    any |= step_say_changes(&h->why, &before, &after, slot);
    if (!any) {
        step_say(&h->why, "nothing changes");
    }
    step_look_end(&before);
    step_look_end(&after);
}

// ---- what can be seen after a reference ------------------------------------------------------

static void list_fill(struct step_list *list, const char *name, const struct step_look *look,
                      const uint32_t *slot, uint32_t count) {
    list->name = name;
    list->count = count;
    list->page = sim_allocate(count, sizeof(*list->page));
    for (uint32_t i = 0; i < count; i++) {
        list->page[i] = step_page(look, slot[i]);
    }
}

static void see_lists(struct step *step, const struct step_look *look, uint32_t *order,
                      uint32_t ordered) {
    uint32_t lists = 0, *slot = sim_allocate(look->slots, sizeof(*slot));
    for (; lists < POLICY_LISTS && look->description->list[lists].name != NULL; lists++) {
        uint32_t count = step_list_slots(look, lists, slot);
        list_fill(&step->list[lists], look->description->list[lists].name, look, slot, count);
    }
    if (lists == 0) {
        list_fill(&step->list[0], "order", look, order, ordered);
    }
    free(slot);
}

static void see(struct host *h) {
    struct step *step = h->step;
    uint32_t *order = sim_allocate(h->checked.policy.slots, sizeof(*order));
    uint32_t ordered = checked_order(&h->checked, order, h->checked.policy.slots);
    struct step_look look = step_look(&h->checked, h->name_at);
    step->frame = sim_allocate(h->run->frames, sizeof(*step->frame));
    for (uint32_t i = 1; i < look.slots; i++) {
        if (step_resident(&look.slot[i])) {
            step->frame[h->frame_of[i]] = step_page(&look, i);
        }
    }
    step->next_known = ordered > 0 && h->checked.resident == h->run->frames;
    step->next = ordered > 0 ? h->name_at[order[0]] : 0;
    see_lists(step, &look, order, ordered);
    for (uint32_t n = 0; n < POLICY_NUMBERS; n++) {
        const struct policy_number_words *number = &look.description->number[n];
        if (number->name != NULL) {
            step->number[n] = (struct step_number){number->name, look.memory[number->at],
                                    number->fraction ? look.memory[number->at + 1] : 0};
        }
    }
    step_look_end(&look);
    free(order);
}

static void refer(struct host *h, uint32_t i) {
    uint32_t page = h->trace.page[i], slot = h->slot_of[page];
    size_t length;
    struct step *step = h->step = &h->run->step[i];
    h->why = (struct step_why){open_memstream(&step->why, &length), false};
    h->name_of[page] = step->reference.page;
    step->hit = slot != POLICY_NONE;
    h->run->faults += !step->hit;
    step->faults = h->run->faults;
    if (step->hit) {
        hit(h, slot);
    } else {
        miss(h, page);
    }
    slot = h->slot_of[page];
    h->checked.policy.slot[slot].dirty |= step->reference.write;
    step->place = h->frame_of[slot];
    see(h);
    fclose(h->why.to);
}

static void run_policy(struct step_run *run, struct policy_choice choice) {
    const struct policy_operations *operations = choice.kind->operations;
    const struct policy_description *description = operations->description;
    struct host h = {.run = run};
    run->ref_used = !operations->blind && operations->touch == NULL;
    run->ghosts = operations->ghosts > 0;
    run->number = description == NULL ? NULL : description->page.name;
    for (uint32_t n = 0; n < POLICY_HANDS && description != NULL; n++) {
        run->hand[n] = description->hand[n].name;
    }
    host_start(&h, choice);
    for (uint32_t i = 0; i < run->count; i++) {
        refer(&h, i);
    }
    (void)checked_audit(&h.checked);
    run->violations = h.checked.faults;
    (void)checked_fault_take(&h.checked, run->line, sizeof(run->line));
    host_end(&h);
}

struct step_run step_run(struct policy_choice choice, const char *name, uint32_t frames,
                         const struct step_reference *list, uint32_t count) {
    struct step_run run = {.policy = name, .frames = frames, .count = count,
                           .step = sim_allocate(count, sizeof(struct step))};
    for (uint32_t i = 0; i < count; i++) {
        run.step[i].reference = list[i];
    }
    if (choice.kind == NULL) {
        step_run_min(&run);
    } else {
        run_policy(&run, choice);
    }
    return run;
}

void step_run_free(struct step_run *run) {
    for (uint32_t i = 0; i < run->count; i++) {
        free(run->step[i].frame);
        free(run->step[i].why);
        for (uint32_t n = 0; n < STEP_LISTS; n++) {
            free(run->step[i].list[n].page);
        }
    }
    free(run->step);
    *run = (struct step_run){0};
}
