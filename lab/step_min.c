// SPDX-License-Identifier: MIT
// Belady's MIN in the step mode: the victim is the page whose next use is farthest away. Plain
// loops: there are few references. Victims are those of sim_min.c, of pages never used again the
// one that was first used last.
#include <stdlib.h>

#include "sim_trace.h"
#include "step.h"

#define NEVER UINT32_MAX

// The step, from 1, that uses the page after step number `at`.
static uint32_t next_use(const struct step_run *run, uint32_t page, uint32_t at) {
    for (uint32_t i = at; i < run->count; i++) {
        if (run->step[i].reference.page == page) {
            return i + 1;
        }
    }
    return NEVER;
}

static uint32_t first_use(const struct step_run *run, uint32_t page) {
    return next_use(run, page, 0);
}

// The frame whose page's next use is farthest after `at`.
static uint32_t farthest(const struct step_run *run, const struct step_page *frame, uint32_t at) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < run->frames; i++) {
        uint32_t use = next_use(run, frame[i].page, at), most = next_use(run, frame[best].page, at);
        if (use > most || (use == most && first_use(run, frame[i].page) >
                                              first_use(run, frame[best].page))) {
            best = i;
        }
    }
    return best;
}

static uint32_t frame_of(const struct step_run *run, const struct step_page *frame, uint32_t page) {
    uint32_t i = 0;
    while (i < run->frames && !(frame[i].there && frame[i].page == page)) {
        i++;
    }
    return i;
}

static uint32_t free_frame(const struct step_run *run, const struct step_page *frame) {
    uint32_t i = 0;
    while (i < run->frames && frame[i].there) {
        i++;
    }
    return i;
}

static void miss(const struct step_run *run, struct step *step, struct step_page *frame,
                 uint32_t at, FILE *why) {
    step->place = free_frame(run, frame);
    if (step->place < run->frames) {
        fprintf(why, "%u comes into a free frame", step->reference.page);
    } else {
        step->place = farthest(run, frame, at);
        step->evicted = true;
        step->victim = frame[step->place].page;
        uint32_t use = next_use(run, step->victim, at);
        fprintf(why, "%u leaves: ", step->victim);
        if (use == NEVER) {
            fputs("it is never used again", why);
        } else {
            fprintf(why, "its next use is farthest away, at step %u", use);
        }
        fprintf(why, "%s; %u comes into its frame",
                frame[step->place].dirty ? "; it is dirty, so it is written out" : "",
                step->reference.page);
    }
    frame[step->place] = (struct step_page){.there = true, .page = step->reference.page};
}

static void refer(struct step_run *run, struct step_page *frame, uint32_t at) {
    struct step *step = &run->step[at];
    size_t length;
    FILE *why = open_memstream(&step->why, &length);
    step->place = frame_of(run, frame, step->reference.page);
    step->hit = step->place < run->frames;
    run->faults += !step->hit;
    step->faults = run->faults;
    run->pages += first_use(run, step->reference.page) == at + 1;
    if (step->hit) {
        fputs("nothing changes but the next use", why);
    } else {
        miss(run, step, frame, at, why);
    }
    fclose(why);
    frame[step->place].dirty |= step->reference.write;
    step->frame = sim_allocate(run->frames, sizeof(*frame));
    for (uint32_t i = 0; i < run->frames; i++) {
        frame[i].numbered = frame[i].there;
        frame[i].number = next_use(run, frame[i].page, at + 1);
        step->frame[i] = frame[i];
    }
    step->next_known = free_frame(run, frame) == run->frames;
    step->next = step->next_known ? frame[farthest(run, frame, at + 1)].page : 0;
}

void step_run_min(struct step_run *run) {
    struct step_page *frame = sim_allocate(run->frames, sizeof(*frame));
    run->number = "next use";
    for (uint32_t i = 0; i < run->count; i++) {
        refer(run, frame, i);
    }
    free(frame);
}
