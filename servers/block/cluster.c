// SPDX-License-Identifier: MIT
// Lists of slots, and the search for neighbours among those that wait. The search walks at most
// RING_LENGTH slots for each page that it finds.
#include "cluster.h"

void cluster_init(struct cluster_table *table) {
    for (uint32_t i = 0; i < RING_LENGTH; i++) {
        table->next[i] = (uint8_t)(i + 1);
    }
    table->free = 0;
    table->waiting = CLUSTER_NONE;
    table->last = CLUSTER_NONE;
}

bool cluster_add(struct cluster_table *table, const struct ring_request *request) {
    uint8_t slot = table->free;
    if (slot == CLUSTER_NONE) {
        return false;
    }
    table->free = table->next[slot];
    table->request[slot] = *request;
    table->next[slot] = CLUSTER_NONE;
    if (table->waiting == CLUSTER_NONE) {
        table->waiting = slot;
    } else {
        table->next[table->last] = slot;
    }
    table->last = slot;
    return true;
}

// Take the slot behind `before` (CLUSTER_NONE: the first) out of those that wait.
static uint8_t waiting_remove(struct cluster_table *table, uint8_t before) {
    uint8_t *link = before == CLUSTER_NONE ? &table->waiting : &table->next[before];
    uint8_t slot = *link;
    *link = table->next[slot];
    if (table->last == slot) {
        table->last = before;
    }
    table->next[slot] = CLUSTER_NONE;
    return slot;
}

// Find and remove the request for `page`; CLUSTER_NONE: it does not wait.
static uint8_t waiting_find(struct cluster_table *table, uint32_t operation, uint32_t page) {
    uint8_t before = CLUSTER_NONE;
    for (uint8_t slot = table->waiting; slot != CLUSTER_NONE; slot = table->next[slot]) {
        if (table->request[slot].disk_page == page && table->request[slot].operation == operation) {
            return waiting_remove(table, before);
        }
        before = slot;
    }
    return CLUSTER_NONE;
}

bool cluster_take(struct cluster_table *table, uint32_t limit, struct cluster *cluster) {
    if (table->waiting == CLUSTER_NONE) {
        return false;
    }
    uint8_t first = waiting_remove(table, CLUSTER_NONE), last = first, more;
    uint32_t operation = table->request[first].operation;
    cluster->count = 1;
    while (cluster->count < limit &&
           (more = waiting_find(table, operation, table->request[last].disk_page + 1)) !=
               CLUSTER_NONE) {
        table->next[last] = more;
        last = more;
        cluster->count++;
    }
    while (cluster->count < limit && table->request[first].disk_page > 0 &&
           (more = waiting_find(table, operation, table->request[first].disk_page - 1)) !=
               CLUSTER_NONE) {
        table->next[more] = first;
        first = more;
        cluster->count++;
    }
    cluster->first = first;
    return true;
}

void cluster_free(struct cluster_table *table, uint32_t first) {
    uint32_t last = first;
    while (table->next[last] != CLUSTER_NONE) {
        last = table->next[last];
    }
    table->next[last] = table->free;
    table->free = (uint8_t)first;
}

static uint32_t list_length(const struct cluster_table *table, uint8_t slot) {
    uint32_t length = 0;
    for (; slot != CLUSTER_NONE && length <= RING_LENGTH; slot = table->next[slot]) {
        length++;
    }
    return length;
}

uint32_t cluster_check(const struct cluster_table *table, uint32_t taken) {
    uint32_t length = list_length(table, table->free) + list_length(table, table->waiting) + taken;
    return length > RING_LENGTH ? length - RING_LENGTH : RING_LENGTH - length;
}
