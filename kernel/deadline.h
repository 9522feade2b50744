// SPDX-License-Identifier: MIT
// Deadlines, earliest first: a leftist heap (Crane 1972; Knuth, The Art of Computer Programming 3,
// 5.2.3), linked through nodes that lie in what has the deadline. It needs no memory, and each
// operation takes at most 3 log2(n + 1) steps, whatever was done before.
//   rank == 1 + the right child's rank <= 1 + the left child's rank (no child: 0)
//   no child is earlier than its parent
// Whoever has the same deadline comes in any order.
#pragma once
#include "types.h"

struct deadline {
    struct deadline *parent, *left, *right;
    uint32_t rank;  // nodes down the right side, this one included; 0: in no heap
    uint64_t time;
};

// *first is the earliest, NULL when there is none. The node is in no heap.
void deadline_add(struct deadline **first, struct deadline *node);
// The node is in this heap.
void deadline_remove(struct deadline **first, struct deadline *node);
