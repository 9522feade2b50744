// SPDX-License-Identifier: MIT
// Requests that wait or are under way, and their merging: those for adjacent pages of the store
// become one cluster, done by one command to the device. Pure: no kernel, no device.
// Does not look for two requests on one page: the pager never has those under way together.
#pragma once
#include <stdbool.h>
#include "ring.h"

#define CLUSTER_NONE RING_LENGTH  // ends every list of slots

// Every slot is in one list: free, waiting (in order of arrival), or a cluster that was taken (in
// order of disk pages). Law: lengths of all lists add up to RING_LENGTH.
struct cluster_table {
    struct ring_request request[RING_LENGTH];
    uint8_t next[RING_LENGTH];
    uint8_t free, waiting;
    uint8_t last;  // of those waiting
};

struct cluster {
    uint32_t first;  // slot; the others follow by next[]
    uint32_t count;
};

void cluster_init(struct cluster_table *table);

// Let a request wait. False: all slots are taken (never, if only RING_LENGTH are under way).
bool cluster_add(struct cluster_table *table, const struct ring_request *request);

// Take the oldest request that waits and all that continue it to either side, `limit` (>= 1) at
// most. False: none waits.
bool cluster_take(struct cluster_table *table, uint32_t limit, struct cluster *cluster);

// Free the slots of a cluster.
void cluster_free(struct cluster_table *table, uint32_t first);

// Number of slots in no list or in two: 0. taken: slots in clusters.
uint32_t cluster_check(const struct cluster_table *table, uint32_t taken);
