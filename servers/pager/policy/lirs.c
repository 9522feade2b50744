// SPDX-License-Identifier: MIT
// LIRS: most frames hold LIR pages, whose last two uses lie close together; a few hold HIR pages,
// which leave first. A stack S in order of last use holds the LIR pages and all pages used since the
// oldest of these, ghosts included: a page in S that is used again becomes LIR. A queue Q holds the
// resident HIR pages. Jiang and Zhang, LIRS: an efficient low inter-reference recency set replacement
// policy, SIGMETRICS 2002. S is limited: it gives up its oldest ghosts.
#include "lists.h"

enum { LIR = 1, HIR, GHOST };     // state
enum { HIR_SHARE, GHOST_SHARE };  // parameters

struct lirs {
    struct lists lists;  // of[HIR] is Q, of[GHOST] is in order of eviction; by words 0 and 1
    struct list stack;   // S, by words 2 and 3
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
    (void)policy;  // lists and stack are empty: all zeros
}

static void stack_remove(struct policy *policy, uint32_t slot) {
    if (STACKED(policy, slot)) {
        list_remove(&lirs_memory(policy)->stack, second(policy), slot);
        STACKED(policy, slot) = 0;
    }
}

// The oldest page of S shall be LIR, and the oldest LIR pages become HIR until no more than `most`
// are left.
static void prune(struct policy *policy, uint32_t most) {
    struct lirs *l = lirs_memory(policy);
    uint32_t slot;
    while ((slot = l->stack.oldest) != POLICY_NONE) {
        int lir = policy->slot[slot].state == LIR;
        if (lir && l->lists.count[LIR] <= most) {
            return;
        }
        stack_remove(policy, slot);
        if (lir) {
            lists_enter(&l->lists, policy->slot, slot, HIR);
        }
    }
}

static void stack_push(struct policy *policy, uint32_t slot, uint32_t most) {
    struct list *stack = &lirs_memory(policy)->stack;
    if (STACKED(policy, slot)) {
        list_move_newest(stack, second(policy), slot);
    } else {
        list_add_newest(stack, second(policy), slot);
        STACKED(policy, slot) = 1;
    }
    prune(policy, most);
}

static void become_lir(struct policy *policy, uint32_t slot) {
    lists_enter(&lirs_memory(policy)->lists, policy->slot, slot, LIR);
    stack_push(policy, slot, lir_target(policy));
}

static void lirs_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct lists *lists = &lirs_memory(policy)->lists;
    int room = lists->count[LIR] < lir_target(policy) && how != POLICY_COLD;
    if (STACKED(policy, slot) || how == POLICY_ADOPTED || room) {
        become_lir(policy, slot);
    } else if (how == POLICY_COLD) {
        lists_enter_oldest(lists, policy->slot, slot, HIR);
    } else {
        lists_enter(lists, policy->slot, slot, HIR);
        if (how != POLICY_READ_AHEAD) {
            stack_push(policy, slot, UINT32_MAX);
        }
    }
}

static void lirs_touch(struct policy *policy, uint32_t slot) {
    if (policy->slot[slot].state == HIR) {
        if (STACKED(policy, slot)) {
            become_lir(policy, slot);
            return;
        }
        lists_enter(&lirs_memory(policy)->lists, policy->slot, slot, HIR);
    }
    stack_push(policy, slot, UINT32_MAX);
}

// A ghost that comes back leaves its list, but not S.
static uint32_t lirs_victim(struct policy *policy, uint32_t incoming) {
    struct lists *lists = &lirs_memory(policy)->lists;
    lists_leave(lists, policy->slot, incoming);
    prune(policy, lir_target(policy));
    if (lists->count[HIR] == 0 && lists->count[LIR] > 0) {
        prune(policy, lists->count[LIR] - 1);
    }
    uint32_t slot = lists_take(lists, policy->slot, HIR);
    if (slot == POLICY_NONE || !STACKED(policy, slot)) {
        return slot;
    }
    lists_enter(lists, policy->slot, slot, GHOST);
    return slot | POLICY_GHOST;
}

static void lirs_drop(struct policy *policy, uint32_t slot) {
    lists_leave(&lirs_memory(policy)->lists, policy->slot, slot);
    stack_remove(policy, slot);
    prune(policy, UINT32_MAX);
}

// Ghosts are given up when they are no longer in S, or S is too long.
static uint32_t lirs_reap(struct policy *policy, int must) {
    const struct lists *lists = &lirs_memory(policy)->lists;
    uint32_t slot = lists->of[GHOST].oldest;
    int over = lists->count[GHOST] > policy_share(policy, policy->parameter[GHOST_SHARE]);
    if (slot == POLICY_NONE || !(must || over || !STACKED(policy, slot))) {
        return POLICY_NONE;
    }
    lirs_drop(policy, slot);
    return slot;
}

static uint32_t lirs_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    const struct lirs *l = lirs_memory(policy);
    uint32_t count = list_write(&l->lists.of[HIR], policy->slot, out, limit);
    for (uint32_t at = l->stack.oldest; at != POLICY_NONE && count < limit;
         at = LIST_NEWER(second(policy), at)) {
        if (policy->slot[at].state == LIR) {
            out[count++] = at;
        }
    }
    return count;
}

static const struct policy_description lirs_description = {
    .list = {{"S", NULL, POLICY_WORD(struct lirs, stack), 3},
             POLICY_LIST(struct lirs, lists.of[HIR], "Q", NULL),
             POLICY_LIST(struct lirs, lists.of[GHOST], "ghosts", NULL)},
    .state_in = POLICY_IN_STATE,
    .state = {{"LIR", "no HIR page is resident, and it is the oldest LIR page of S", LIR},
              {"HIR", "it is the oldest of Q, the resident HIR pages", HIR},
              {"ghost", NULL, GHOST}},
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
