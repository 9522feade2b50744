// SPDX-License-Identifier: MIT
// The kernel's heap of deadlines against a plain array.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/deadline.h"
#include "kernel_host.h"

enum { NODES = 10000 };
static struct deadline nodes[NODES];
static bool inside[NODES];  // the model
static struct deadline *first;

static void clear(void) {
    memset(nodes, 0x5a, sizeof nodes);  // what a node held before does not matter
    memset(inside, 0, sizeof inside);
    first = NULL;
}

static void add(uint32_t i, uint64_t time) {
    nodes[i].time = time;
    deadline_add(&first, &nodes[i]);
    inside[i] = true;
}

static void take(uint32_t i) {
    deadline_remove(&first, &nodes[i]);
    CHECK_EQUAL(nodes[i].rank, 0);
    memset(&nodes[i], 0x5a, sizeof nodes[i]);
    inside[i] = false;
}

static uint32_t rank(const struct deadline *node) {
    return node == NULL ? 0 : node->rank;
}

// The law of the heap below `node`; returns how many nodes there are.
static uint32_t walk(const struct deadline *node, const struct deadline *parent) {
    if (node == NULL) {
        return 0;
    }
    CHECK(node >= nodes && node < nodes + NODES && inside[node - nodes]);
    CHECK(node->parent == parent);
    CHECK(parent == NULL || node->time >= parent->time);
    CHECK_EQUAL(node->rank, rank(node->right) + 1);
    CHECK(rank(node->left) >= rank(node->right));
    return 1 + walk(node->left, node) + walk(node->right, node);
}

static uint64_t earliest(uint32_t count) {
    uint64_t time = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        time = inside[i] ? MIN_OF(time, nodes[i].time) : time;
    }
    return time;
}

// The heap holds just what the model does, and its first is the earliest.
static void same(uint32_t count) {
    uint32_t held = 0;
    for (uint32_t i = 0; i < count; i++) {
        held += inside[i];
    }
    CHECK_EQUAL(walk(first, NULL), held);
    CHECK(held == 0 ? first == NULL : first->time == earliest(count));
    CHECK((1ull << rank(first)) - 1 <= held);  // what bounds the steps
}

TEST(deadline_model, "added, removed anywhere and taken in turn, deadlines are as in a plain array") {
    static const uint64_t range[] = {3, 50, UINT64_MAX};  // of times: many the same, few, none
    uint32_t state = 1;
    for (uint32_t round = 0; round < ARRAY_LENGTH(range); round++) {
        clear();
        for (uint32_t step = 0; step < 40000; step++) {
            uint32_t i = roll(&state) % 100;
            uint64_t time = ((uint64_t)roll(&state) << 40 | roll(&state)) % range[round];
            if (roll(&state) % 4 == 0 && first != NULL) {
                CHECK_EQUAL(first->time, earliest(100));
                take((uint32_t)(first - nodes));
            } else if (inside[i]) {
                take(i);
            } else {
                add(i, time);
            }
            same(100);
        }
    }
}

TEST(deadline_many, "thousands of deadlines, set upwards, downwards and in no order, come in order") {
    uint32_t state = 7;
    for (uint32_t order = 0; order < 3; order++) {
        clear();
        for (uint32_t i = 0; i < NODES; i++) {
            add(i, order == 0 ? i : order == 1 ? NODES - i : roll(&state));
        }
        same(NODES);
        for (uint32_t i = 0; i < NODES; i += 3) {
            take(i);
        }
        same(NODES);
        uint64_t before = 0;
        for (uint32_t left = NODES - (NODES + 2) / 3; left > 0; left--) {
            CHECK(first->time >= before);
            before = first->time;
            take((uint32_t)(first - nodes));
        }
        same(NODES);
    }
}

TEST(deadline_extreme, "the least and the greatest times are times as all others") {
    static const uint64_t times[] = {UINT64_MAX, 0, 1ull << 63, 1, (1ull << 63) - 1, 0, UINT64_MAX,
                                     1ull << 32, UINT32_MAX};
    clear();
    for (uint32_t i = 0; i < ARRAY_LENGTH(times); i++) {
        add(i, times[i]);
        same(NODES);
    }
    for (uint32_t i = 0; i < ARRAY_LENGTH(times); i++) {
        CHECK_EQUAL(first->time, earliest(NODES));
        take((uint32_t)(first - nodes));
        same(NODES);
    }
}

// Set downwards they are a chain: its last one is as deep as there are nodes.
TEST(deadline_bounded, "what lies deep is removed without a walk up to the first") {
    clear();
    for (uint32_t i = 0; i < NODES; i++) {
        add(i, NODES - i);
    }
    nodes[100].rank = 77;  // whoever passed here would mend it
    take(50);
    take(0);
    CHECK_EQUAL(nodes[100].rank, 77);
    nodes[100].rank = 1;
    same(NODES);
}
