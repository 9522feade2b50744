// SPDX-License-Identifier: MIT
#include "list.h"

// A pointer to whatever is listed.
typedef void *__attribute__((may_alias)) node_t;
struct links {
    node_t next, *at;
};

static struct links *links_of(node_t node, uint32_t links) {
    return (struct links *)((char *)node + links);
}

static void point(node_t *at, node_t node, uint32_t links) {
    *at = node;
    if (node != NULL) {
        links_of(node, links)->at = at;
    }
}

void list_add(void *first, void *node, uint32_t links) {
    point(&links_of(node, links)->next, *(node_t *)first, links);
    point(first, node, links);
}

void list_remove(void *node, uint32_t links) {
    point(links_of(node, links)->at, links_of(node, links)->next, links);
}
