// SPDX-License-Identifier: MIT
#include "deadline.h"

static uint32_t rank(const struct deadline *node) {
    return node == NULL ? 0 : node->rank;
}

// Put all nodes of two heaps where *link, of `parent`, is. Down their right sides, which are short,
// then up again as far as ranks change: in a heap that lost a node each rank that changes on the way
// is one more than the last.
static void merge(struct deadline *parent, struct deadline **link, struct deadline *one,
                  struct deadline *other) {
    while (one != NULL && other != NULL) {
        if (other->time < one->time) {
            struct deadline *earlier = other;
            other = one;
            one = earlier;
        }
        one->rank = 0;  // not known now: it will have changed
        one->parent = parent;
        parent = *link = one;
        link = &one->right;
        one = one->right;
    }
    *link = one != NULL ? one : other;
    if (*link != NULL) {
        (*link)->parent = parent;
    }
    for (; parent != NULL; parent = parent->parent) {
        struct deadline *left = parent->left, *right = parent->right;
        if (rank(left) < rank(right)) {
            parent->left = right;
            parent->right = left;
        }
        uint32_t now = rank(parent->right) + 1;
        if (now == parent->rank) {
            break;
        }
        parent->rank = now;
    }
}

void deadline_add(struct deadline **first, struct deadline *node) {
    node->left = node->right = NULL;
    node->rank = 1;
    merge(NULL, first, *first, node);
}

void deadline_remove(struct deadline **first, struct deadline *node) {
    struct deadline *parent = node->parent;
    node->rank = 0;
    merge(parent, parent == NULL ? first : parent->left == node ? &parent->left : &parent->right,
          node->left, node->right);
}
