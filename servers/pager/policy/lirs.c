// SPDX-License-Identifier: MIT
// LIRS: most frames hold LIR pages, whose last two uses lie close together; a few hold HIR pages,
// which leave first. A stack S in order of last use holds the LIR pages and all pages used since the
// oldest of these, ghosts included: a page in S that is used again becomes LIR. A queue Q holds the
// resident HIR pages. Jiang and Zhang, LIRS: an efficient low inter-reference recency set replacement
// policy, SIGMETRICS 2002. S is limited: it gives up its oldest ghosts.
#include "list.h"

enum { LIR = 1, HIR, GHOST, BACK };  // state; BACK: a ghost that is coming, in S perhaps
enum { HIR_SHARE, GHOST_SHARE };     // parameters

struct lirs {
    struct list stack;          // S, by words 0 and 1
    struct list queue, ghosts;  // by words 2 and 3
    uint32_t lir, ghost_count;
};
POLICY_MEMORY(lirs, struct lirs)

#define STACKED(policy, at) ((policy)->slot[at].count)  // 1: the page is in S

// The records seen through their words 2 and 3.
static struct policy_slot *second(const struct policy *policy) {
    return (struct policy_slot *)(void *)(policy->slot[0].word + 2);
}

static uint32_t lir_target(const struct policy *policy) {
    uint32_t hir = policy_share(policy, policy->parameter[HIR_SHARE]);
    return policy->frames - (hir > 0 ? hir : 1);
}

static void lirs_init(struct policy *policy) {
    (void)policy;  // stack and queue are empty: all zeros
}

static void stack_remove(struct policy *policy, uint32_t slot) {
    struct lirs *l = lirs_memory(policy);
    if (STACKED(policy, slot)) {
        list_remove(&l->stack, policy->slot, slot);
        STACKED(policy, slot) = 0;
    }
}

static void stack_push(struct policy *policy, uint32_t slot) {
    struct lirs *l = lirs_memory(policy);
    stack_remove(policy, slot);
    list_add_newest(&l->stack, policy->slot, slot);
    STACKED(policy, slot) = 1;
}

// The oldest page in S shall be LIR.
static void prune(struct policy *policy) {
    struct lirs *l = lirs_memory(policy);
    while (l->stack.oldest != POLICY_NONE && policy->slot[l->stack.oldest].state != LIR) {
        stack_remove(policy, l->stack.oldest);
    }
}

// The oldest LIR pages become HIR until there are no more than `most`.
static void demote(struct policy *policy, uint32_t most) {
    struct lirs *l = lirs_memory(policy);
    for (; l->lir > most; l->lir--) {
        prune(policy);
        uint32_t slot = l->stack.oldest;
        stack_remove(policy, slot);
        policy->slot[slot].state = HIR;
        list_add_newest(&l->queue, second(policy), slot);
    }
    prune(policy);
}

static void become_lir(struct policy *policy, uint32_t slot) {
    policy->slot[slot].state = LIR;
    lirs_memory(policy)->lir++;
    stack_push(policy, slot);
    demote(policy, lir_target(policy));
}

static void ghost_remove(struct policy *policy, uint32_t slot) {
    struct lirs *l = lirs_memory(policy);
    list_remove(&l->ghosts, second(policy), slot);
    l->ghost_count--;
    policy->slot[slot].state = BACK;
}

static void lirs_drop(struct policy *policy, uint32_t slot) {
    struct lirs *l = lirs_memory(policy);
    uint8_t state = policy->slot[slot].state;
    if (state == HIR) {
        list_remove(&l->queue, second(policy), slot);
    } else if (state == GHOST) {
        ghost_remove(policy, slot);
    }
    l->lir -= state == LIR;
    stack_remove(policy, slot);
    prune(policy);
}

static void lirs_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct lirs *l = lirs_memory(policy);
    struct policy_slot *record = &policy->slot[slot];
    if (record->state == GHOST) {
        ghost_remove(policy, slot);
    }
    if (STACKED(policy, slot) || how == POLICY_ADOPTED ||
        (l->lir < lir_target(policy) && how != POLICY_COLD)) {
        become_lir(policy, slot);
        return;
    }
    record->state = HIR;
    if (how == POLICY_COLD) {
        list_add_oldest(&l->queue, second(policy), slot);
        return;
    }
    list_add_newest(&l->queue, second(policy), slot);
    if (how != POLICY_READ_AHEAD) {
        stack_push(policy, slot);
        prune(policy);
    }
}

static void lirs_touch(struct policy *policy, uint32_t slot) {
    struct lirs *l = lirs_memory(policy);
    if (policy->slot[slot].state == LIR) {
        stack_push(policy, slot);
        prune(policy);
    } else if (STACKED(policy, slot)) {
        list_remove(&l->queue, second(policy), slot);
        become_lir(policy, slot);
    } else {
        list_move_newest(&l->queue, second(policy), slot);
        stack_push(policy, slot);
        prune(policy);
    }
}

static uint32_t lirs_victim(struct policy *policy, uint32_t incoming) {
    struct lirs *l = lirs_memory(policy);
    if (policy->slot[incoming].state == GHOST) {
        ghost_remove(policy, incoming);
    }
    demote(policy, lir_target(policy));
    if (l->queue.oldest == POLICY_NONE && l->lir > 0) {
        demote(policy, l->lir - 1);
    }
    uint32_t slot = l->queue.oldest;
    if (slot == POLICY_NONE) {
        return POLICY_NONE;
    }
    list_remove(&l->queue, second(policy), slot);
    if (!STACKED(policy, slot)) {
        return slot;
    }
    policy->slot[slot].state = GHOST;
    list_add_newest(&l->ghosts, second(policy), slot);
    l->ghost_count++;
    return slot | POLICY_GHOST;
}

// Ghosts are given up when they are no longer in S, or S is too long.
static uint32_t lirs_reap(struct policy *policy, int must) {
    struct lirs *l = lirs_memory(policy);
    uint32_t slot = l->ghosts.oldest;
    int over = l->ghost_count > policy_share(policy, policy->parameter[GHOST_SHARE]);
    if (slot == POLICY_NONE || !(must || over || !STACKED(policy, slot))) {
        return POLICY_NONE;
    }
    lirs_drop(policy, slot);
    return slot;
}

static uint32_t lirs_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    const struct lirs *l = lirs_memory(policy);
    uint32_t count = list_write(&l->queue, second(policy), out, limit);
    for (uint32_t at = l->stack.oldest; at != POLICY_NONE && count < limit;
         at = LIST_NEWER(policy->slot, at)) {
        if (policy->slot[at].state == LIR) {
            out[count++] = at;
        }
    }
    return count;
}

static const struct policy_description lirs_description = {
    .list = {POLICY_LIST(struct lirs, stack, "S", NULL),
             {"Q", NULL, POLICY_WORD(struct lirs, queue), 3},
             {"ghosts", NULL, POLICY_WORD(struct lirs, ghosts), 3}},
    .state_in = POLICY_IN_STATE,
    .state = {{"LIR", "no HIR page is resident, and it is the oldest LIR page of S", LIR},
              {"HIR", "it is the oldest of Q, the resident HIR pages", HIR},
              {"ghost", NULL, GHOST},
              {"back", NULL, BACK}},
};

const struct policy_operations policy_lirs = {
    .ghosts = 100,
    .parameter = {{"hir", 1, 0, 99, "percent of the frames for HIR pages, at least one frame"},
                  {"ghosts", 100, 0, 100, "S holds so many ghosts at most, in percent of the frames"}},
    .init = lirs_init,
    .admit = lirs_admit,
    .touch = lirs_touch,
    .victim = lirs_victim,
    .drop = lirs_drop,
    .reap = lirs_reap,
    .order = lirs_order,
    .description = POLICY_DESCRIBED(lirs_description),
};
