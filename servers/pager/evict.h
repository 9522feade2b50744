// SPDX-License-Identifier: MIT
// Makes room: lets policies choose, unmaps, writes what was changed. Also what becomes of a frame when
// the block server has finished with it.
#pragma once
#include "resident.h"

// Pages of a domain on their way to the store, beside those that its limit counts: 1 / WRITING_SHARE
// of its limit, at most WRITING_MAX, at least 1.
#define WRITING_SHARE 8u
#define WRITING_MAX 16u
// Pages are written ahead of need, as policies ask, while fewer transfers than these are under way.
#define CLEANING_MAX 16u

enum room {
    ROOM_NOW,   // there is room
    ROOM_WAIT,  // there will be when a transfer ends: ask again then
    ROOM_NONE,  // nothing can be evicted: evict_excuse() says why
};

// Room for one more page under the domain's limit (its mark: incoming) and a frame for it.
enum room evict_for_page(struct domain *domain, uint32_t incoming, uint32_t page);
// All of it that can be done before a policy is told of the page: what is left then is one eviction at
// most, which does not wait but for a store in trouble.
enum room evict_beforehand(struct domain *domain);
// A frame, for whatever use; `domain` asks.
enum room evict_for_frame(struct domain *domain);
// One resident page less in this domain (incoming: a page's mark, or POLICY_NONE).
enum room evict_one(struct domain *domain, uint32_t incoming, uint32_t page);
// A limit was lowered: pages that are too many have to go.
extern int evict_surplus_due;
// Evict some of them. True: there is more to do, at once.
int evict_surplus(void);

// A transfer of this frame has ended.
void evict_finish(uint32_t slot, error_t error);

// Why ROOM_NONE, for a sentence.
const char *evict_excuse(void);
