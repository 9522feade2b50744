// SPDX-License-Identifier: MIT
// Handover between every pair of policies under random load: no page, no ref, no dirty bit lost.
#include "policy_host.h"

extern const struct policy_operations policy_nru, policy_aging, policy_mglru, policy_clockpro,
    policy_lirs;

static struct host host;
static char pair_name[64];

#define EACH_PAIR(from, to)                                                             \
    for (const struct policy_kind *from = policy_kinds; from < policy_kinds + POLICY_COUNT; \
         from++)                                                                        \
        for (const struct policy_kind *to = policy_kinds;                               \
             to < policy_kinds + POLICY_COUNT && (name_pair(from, to), 1); to++)

static void name_pair(const struct policy_kind *from, const struct policy_kind *to) {
    strcpy(pair_name, from->name);
    strcat(pair_name, " to ");
    strcat(pair_name, to->name);
    test_case(pair_name);
}

struct bits {
    uint8_t resident, ref, dirty;
};

static void bits_note(struct bits *bits) {
    for (uint32_t slot = 0; slot < HOST_SLOTS; slot++) {
        const struct policy_slot *record = &host.c.policy.slot[slot];
        int resident = slot > 0 && checked_state(&host.c, slot) == CHECKED_RESIDENT;
        bits[slot] = resident ? (struct bits){1, record->ref, record->dirty}
                              : (struct bits){0, 0, 0};
    }
}

static void switch_checked(const struct policy_kind *to) {
    struct bits before[HOST_SLOTS], after[HOST_SLOTS];
    bits_note(before);
    uint32_t resident = host.c.resident;
    CHECK(checked_switch(&host.c, policy_normal(to)));
    CHECK(host.c.kind == to);
    host_forget(&host);
    bits_note(after);
    CHECK(memcmp(before, after, sizeof(before)) == 0);
    CHECK_EQUAL(host.c.resident, resident);
    host_check(&host);
}

TEST(handover_empty, "a handover without residents, before and after the first pages") {
    EACH_PAIR(from, to) {
        host_start(&host, from, 5);
        switch_checked(to);
        host_reference(&host, 1);
        switch_checked(from);
        host_drop(&host, 1);
        switch_checked(to);
    }
}

TEST(handover_pairs, "every pair, at every moment of a random load with changing frames") {
    EACH_PAIR(from, to) {
        uint32_t seed = 1000 + (uint32_t)(from - policy_kinds) * 16 + (uint32_t)(to - from);
        host_start(&host, from, 24);
        for (uint32_t i = 0; i < 40; i++) {
            host_frames(&host, 1 + random_next(&seed) % HOST_FRAMES);
            host_steps(&host, &seed, random_next(&seed) % 200);
            switch_checked(i % 2 ? from : to);
        }
        host_steps(&host, &seed, 500);
    }
}

// Place of each page in an order.
static void places(const uint32_t *order, uint32_t count, uint32_t place[HOST_SLOTS]) {
    for (uint32_t i = 0; i < count; i++) {
        place[order[i]] = i;
    }
}

TEST(handover_order, "the new policy starts from the old one's order among pages that are alike") {
    EACH_PAIR(from, to) {
        uint32_t old[HOST_FRAMES], new[HOST_FRAMES], place[HOST_SLOTS], seed = 17;
        host_start(&host, from, 32);
        host_steps(&host, &seed, 700);
        uint32_t resident = checked_order(&host.c, old, HOST_FRAMES);
        switch_checked(to);
        CHECK_EQUAL(checked_order(&host.c, new, HOST_FRAMES), resident);
        places(new, resident, place);
        const struct policy_slot *record = host.c.policy.slot;
        for (uint32_t i = 0; i < resident; i++) {
            for (uint32_t j = 0; j < i; j++) {
                bool alike = record[old[i]].ref == record[old[j]].ref &&
                             record[old[i]].dirty == record[old[j]].dirty;
                CHECK(!alike || place[old[j]] < place[old[i]]);
            }
        }
    }
}

TEST(handover_used_last, "of pages that a handover brings, those that were used leave later") {
    EACH_POLICY(to) {
        const struct policy_operations *o = to->operations;
        if (o->blind || o->touch != NULL) {
            continue;  // it does not look, or it is told of each use
        }
        uint32_t order[HOST_FRAMES], seed = 18;
        host_start(&host, &policy_kinds[POLICY_INDEX_fifo], 32);
        host_steps(&host, &seed, 700);
        for (uint32_t page = 0; page < HOST_PAGES; page++) {
            host.c.policy.slot[host.slot_of[page]].dirty = 0;
        }
        switch_checked(to);
        uint32_t count = checked_order(&host.c, order, HOST_FRAMES), used = 0;
        for (uint32_t i = 0; i < count; i++) {
            CHECK(host.c.policy.slot[order[i]].ref || !used || to == &policy_kinds[POLICY_INDEX_wsclock]);
            used |= host.c.policy.slot[order[i]].ref;
        }
        CHECK(used);
    }
}

TEST(handover_while_coming_in, "pages on their way in during a handover are admitted after it") {
    EACH_PAIR(from, to) {
        uint32_t seed = 23;
        host_start(&host, from, 16);
        host_steps(&host, &seed, 300);
        uint32_t slot = checked_take(&host.c, POLICY_NONE);
        host_drop(&host, 200);
        while (host.c.resident >= host.frames) {
            host_evict(&host, slot);
        }
        switch_checked(to);
        host.page_of[slot] = 200;
        host.slot_of[200] = slot;
        checked_admit(&host.c, slot, POLICY_USED);
        host_steps(&host, &seed, 300);
    }
}

TEST(handover_counts_misses, "from FIFO to P when memory has just filled counts as P alone does") {
    EACH_PAIR(from, to) {
        // Without a hit before the first eviction most policies are in the same state; to these a
        // page that was just loaded is not the same as one that was there.
        const struct policy_operations *o = to->operations;
        if (to == &policy_kinds[POLICY_INDEX_clock_r1] || o == &policy_nru || o == &policy_aging ||
            o == &policy_mglru || o == &policy_clockpro || o == &policy_lirs ||
            from->operations == &policy_lirs) {
            continue;
        }
        uint32_t misses[2], bits = from == &policy_kinds[POLICY_INDEX_clock_r1];
        for (int live = 0; live < 2; live++) {
            uint32_t seed = 90125;
            host_start(&host, live ? from : to, 20);
            for (uint32_t page = 0; page < 20; page++) {
                host_reference(&host, page);
            }
            if (live) {
                CHECK(checked_switch(&host.c, policy_normal(to)));
            }
            for (uint32_t i = 0; i < 5000; i++) {
                host_reference(&host, random_next(&seed) % (1 + random_next(&seed) % 100));
            }
            misses[live] = host.misses;
        }
        CHECK(bits || misses[0] == misses[1]);
    }
}
