// SPDX-License-Identifier: MIT
// Naive models of the policies that adapt, from their papers: arc, car, lirs, clockpro.
#include "policy_naive.h"

#include <string.h>

#include "test.h"

static struct pages t1, t2, b1, b2;
static uint8_t used[NAIVE_PAGES];
static uint64_t target;  // p, in 2^-32 frames
static uint32_t from;    // the list of ghosts that the page which is coming was in: 1, 2, 0: none

#define WHOLE(frames) ((uint64_t)(frames) << 32)

static void start(void) {
    t1.count = t2.count = b1.count = b2.count = 0;
    memset(used, 0, sizeof(used));
    target = 0;
    from = 0;
}

static uint64_t step(uint32_t own, uint32_t other) {
    return other > own ? WHOLE(other) / own : WHOLE(1);
}

static void adapt(void) {
    if (from == 1) {
        uint64_t raised = target + step(b1.count, b2.count);
        target = raised < WHOLE(naive_frames) ? raised : WHOLE(naive_frames);
    } else if (from == 2) {
        uint64_t less = step(b2.count, b1.count);
        target = target > less ? target - less : 0;
    }
}

static uint32_t ghost_list(uint32_t page) {
    return pages_find(&b1, page) != NAIVE_NONE ? 1 : pages_find(&b2, page) != NAIVE_NONE ? 2 : 0;
}

static void ghost_leaves(uint32_t page) {
    pages_remove(&b1, page);
    pages_remove(&b2, page);
}

// ---- arc: figure 4 of the paper, case by case -------------------------------------------------

static void arc_hit(uint32_t page) {
    pages_remove(&t1, page);
    pages_remove(&t2, page);
    pages_push(&t2, page);
}

static uint32_t arc_replace(void) {
    uint64_t size = WHOLE(t1.count);
    if (t1.count >= 1 && ((from == 2 && size == target) || size > target)) {
        pages_push(&b1, t1.at[0]);
        return pages_shift(&t1);
    }
    pages_push(&b2, t2.at[0]);
    return pages_shift(&t2);
}

static uint32_t arc_victim(uint32_t incoming) {
    from = ghost_list(incoming);
    adapt();
    if (from != 0) {
        uint32_t page = arc_replace();
        ghost_leaves(incoming);
        return page;
    }
    if (t1.count + b1.count == naive_frames) {
        if (t1.count == naive_frames) {
            return pages_shift(&t1);
        }
        pages_shift(&b1);
    } else if (t1.count + t2.count + b1.count + b2.count == 2 * naive_frames) {
        pages_shift(&b2);
    }
    return arc_replace();
}

static void arc_come(uint32_t page) {
    pages_push(from != 0 ? &t2 : &t1, page);
    from = 0;
}

TEST(naive_arc, "a million references: arc and the cases of its paper never differ") {
    naive_compare("arc", (struct naive){start, arc_hit, arc_victim, arc_come, NULL});
}

// ---- car: figure 2 of the paper; a clock's hand is at the first page ---------------------------

static void hit_used(uint32_t page) {
    used[page] = 1;
}

static uint32_t car_replace(void) {
    for (;;) {
        uint64_t least = target > WHOLE(1) ? target : WHOLE(1);
        struct pages *clock = WHOLE(t1.count) >= least || t2.count == 0 ? &t1 : &t2;
        uint32_t page = pages_shift(clock);
        if (!used[page]) {
            pages_push(clock == &t1 ? &b1 : &b2, page);
            return page;
        }
        used[page] = 0;
        pages_push(&t2, page);
    }
}

static uint32_t car_victim(uint32_t incoming) {
    from = ghost_list(incoming);
    uint32_t page = car_replace();
    if (from == 0 && t1.count + b1.count == naive_frames) {
        pages_shift(&b1);
    } else if (from == 0 && t1.count + t2.count + b1.count + b2.count == 2 * naive_frames) {
        pages_shift(&b2);
    }
    adapt();
    ghost_leaves(incoming);
    return page;
}

static void car_come(uint32_t page) {
    used[page] = 0;
    arc_come(page);
}

TEST(naive_car, "a million references: car and the figure of its paper never differ") {
    naive_compare("car", (struct naive){start, hit_used, car_victim, car_come, NULL});
}

// ---- lirs: t1 is the stack, bottom first, t2 the queue; lir[] and resident[] say the rest ------

static uint8_t lir[NAIVE_PAGES], resident[NAIVE_PAGES];

static void lirs_start(void) {
    start();
    memset(lir, 0, sizeof(lir));
    memset(resident, 0, sizeof(resident));
}

static uint32_t lir_count(void) {
    uint32_t count = 0;
    for (uint32_t page = 0; page < NAIVE_PAGES; page++) {
        count += lir[page];
    }
    return count;
}

static uint32_t lir_most(uint32_t percent) {
    uint32_t hir = naive_frames * percent / 100;
    return naive_frames - (hir > 0 ? hir : 1);
}

static void stack_prune(void) {
    while (t1.count > 0 && !lir[t1.at[0]]) {
        pages_shift(&t1);
    }
}

static void stack_top(uint32_t page) {
    pages_remove(&t1, page);
    pages_push(&t1, page);
}

static void lirs_becomes(uint32_t page) {
    lir[page] = 1;
    stack_top(page);
    while (lir_count() > lir_most(1)) {
        stack_prune();
        uint32_t bottom = pages_shift(&t1);
        lir[bottom] = 0;
        pages_push(&t2, bottom);
    }
    stack_prune();
}

static void lirs_used(uint32_t page, int missed) {
    int in_stack = pages_find(&t1, page) != NAIVE_NONE;
    pages_remove(&t2, page);
    if (lir[page]) {
        stack_top(page);
    } else if (in_stack || (missed && lir_count() < lir_most(1))) {
        lirs_becomes(page);
    } else {
        stack_top(page);
        pages_push(&t2, page);
    }
    stack_prune();
}

static void lirs_hit(uint32_t page) {
    lirs_used(page, 0);
}

static uint32_t lirs_victim(uint32_t incoming) {
    if (t2.count == 0) {
        stack_prune();
        lir[t1.at[0]] = 0;
        pages_push(&t2, pages_shift(&t1));
        stack_prune();
    }
    uint32_t page = pages_shift(&t2);
    resident[page] = 0;
    uint32_t ghosts = 0;
    for (uint32_t i = t1.count; i-- > 0;) {  // the oldest go
        uint32_t at = t1.at[i];
        if (!resident[at] && at != incoming && ++ghosts > naive_frames) {
            pages_cut(&t1, i);
        }
    }
    return page;
}

static void lirs_come(uint32_t page) {
    resident[page] = 1;
    lirs_used(page, 1);
}

TEST(naive_lirs, "a million references: lirs and a stack in an array never differ") {
    naive_compare("lirs", (struct naive){lirs_start, lirs_hit, lirs_victim, lirs_come, NULL});
}

// ---- clockpro: t1 is the clock; hands are places in it ----------------------------------------

enum { HOT, COLD, HANDS = 3 };
static uint32_t hand[HANDS];  // of hot, cold, test
static uint8_t hot[NAIVE_PAGES], test[NAIVE_PAGES];
static uint32_t cold_target;

static void clockpro_start(void) {
    lirs_start();
    memset(hand, 0, sizeof(hand));
    memset(hot, 0, sizeof(hot));
    memset(test, 0, sizeof(test));
    cold_target = 1;
}

static void clock_cut(uint32_t page) {
    uint32_t place = pages_find(&t1, page);
    pages_cut(&t1, place);
    for (uint32_t i = 0; i < HANDS; i++) {
        hand[i] -= hand[i] > place;
        hand[i] = hand[i] == t1.count ? 0 : hand[i];
    }
}

// At the head: just behind the hand of the hot pages.
static void clock_head(uint32_t page) {
    uint32_t place = hand[0];
    pages_insert(&t1, place, page);
    for (uint32_t i = 0; i < HANDS; i++) {
        hand[i] += t1.count > 1 && hand[i] >= place;
    }
}

static uint32_t clock_pass(uint32_t which) {
    uint32_t page = t1.at[hand[which]];
    hand[which] = (hand[which] + 1) % t1.count;
    return page;
}

static uint32_t count_of(int wanted_hot, int wanted_resident) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < t1.count; i++) {
        count += hot[t1.at[i]] == wanted_hot && resident[t1.at[i]] == wanted_resident;
    }
    return count;
}

static void cold_target_set(uint32_t frames) {
    uint32_t most = naive_frames > 1 ? naive_frames - 1 : 1;
    cold_target = frames < 1 ? 1 : frames > most ? most : frames;
}

static void test_over(uint32_t page) {
    if (test[page]) {
        test[page] = 0;
        cold_target_set(cold_target - 1);
        if (!resident[page]) {
            clock_cut(page);
        }
    }
}

static void hot_hand(uint32_t most) {
    while (count_of(1, 1) > most) {
        uint32_t page = clock_pass(0);
        if (!hot[page]) {
            test_over(page);
        } else if (used[page]) {
            used[page] = 0;
        } else {
            hot[page] = 0;
        }
    }
}

static void becomes_hot(uint32_t page) {
    hot[page] = 1;
    test[page] = 0;
    clock_head(page);
}

static uint32_t clockpro_victim(uint32_t incoming) {
    from = pages_find(&t1, incoming) != NAIVE_NONE;
    if (from) {
        clock_cut(incoming);
        cold_target_set(cold_target + 1);
    }
    for (;;) {
        if (count_of(0, 1) == 0) {
            hot_hand(count_of(1, 1) - 1);
        }
        uint32_t page = clock_pass(1);
        if (hot[page] || !resident[page]) {
            continue;
        }
        if (!used[page]) {
            resident[page] = 0;
            if (!test[page]) {
                clock_cut(page);
            }
            while (count_of(0, 0) > naive_frames) {
                test_over(clock_pass(2));
            }
            return page;
        }
        used[page] = 0;
        clock_cut(page);
        if (test[page]) {
            becomes_hot(page);
            cold_target_set(cold_target + 1);
            hot_hand(naive_frames - cold_target);
        } else {
            test[page] = 1;
            clock_head(page);
        }
    }
}

static void clockpro_come(uint32_t page) {
    used[page] = 0;
    resident[page] = 1;
    if (from) {
        becomes_hot(page);
        hot_hand(naive_frames - cold_target);
    } else {
        hot[page] = 0;
        test[page] = 1;
        clock_head(page);
    }
    from = 0;
}

TEST(naive_clockpro, "a million references: clockpro and a clock in an array never differ") {
    naive_compare("clockpro", (struct naive){clockpro_start, hit_used, clockpro_victim,
                                             clockpro_come, NULL});
}
