// SPDX-License-Identifier: MIT
// Lists that anything can be taken out of without being looked for. What is listed has two links
// for each list it may stand in: the next one, and behind it what points here, as `void *`.
#pragma once
#include <stddef.h>
#include "types.h"

// The node, which is in no list by these links, becomes the first of the list that begins at `first`.
#define LIST_ADD(first, node, next) list_add(&(first), node, offsetof(__typeof__(*(node)), next))
// The node leaves the list it is in.
#define LIST_REMOVE(node, next) list_remove(node, offsetof(__typeof__(*(node)), next))

void list_add(void *first, void *node, uint32_t links);
void list_remove(void *node, uint32_t links);
