// SPDX-License-Identifier: MIT
// The parts of the interface that policies with a memory of evicted pages use: ghosts, `incoming`,
// reap, "clean this one first". Shown with a small policy made for it: FIFO with ghosts, in which a
// returning page goes to a second queue that is evicted only when the first is empty.
#include <stdlib.h>

#include "list.h"
#include "policy_host.h"
#include "sim_replay.h"

enum { STATE_NEW, STATE_FIRST, STATE_SECOND, STATE_GHOST, STATE_PROMOTED };

struct second {
    struct list first, second, ghosts;
};
POLICY_MEMORY(second, struct second)

static struct host host;
static int wants_clean;   // ask for dirty pages to be written first
static int reap_wrong;    // answer reap() with a resident
static int reap_refuses;  // answer reap() with nothing
static uint32_t touches, ticks;

static struct list *list_of(struct policy *policy, uint32_t slot) {
    struct second *m = second_memory(policy);
    switch (policy->slot[slot].state) {
    case STATE_FIRST:
        return &m->first;
    case STATE_SECOND:
        return &m->second;
    case STATE_GHOST:
        return &m->ghosts;
    default:
        return NULL;  // new, or already taken out of the ghosts by victim()
    }
}

static void second_init(struct policy *policy) {
    static const struct policy_slot zero;
    CHECK_EQUAL(second_memory(policy)->first.oldest, POLICY_NONE);
    for (uint32_t slot = 0; slot < policy->slots; slot++) {
        const struct policy_slot *record = &policy->slot[slot];
        CHECK(memcmp(record->word, zero.word, sizeof(zero.word)) == 0);
        CHECK(record->state == 0 && record->count == 0);
    }
}

static void second_detach(struct policy *policy, uint32_t slot) {
    struct list *list = list_of(policy, slot);
    if (list != NULL) {
        list_remove(list, policy->slot, slot);
    }
}

static void second_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    struct second *m = second_memory(policy);
    int again = policy->slot[slot].state != STATE_NEW;
    CHECK(how != POLICY_ADOPTED || !again);
    second_detach(policy, slot);
    policy->slot[slot].state = again ? STATE_SECOND : STATE_FIRST;
    list_add_newest(again ? &m->second : &m->first, policy->slot, slot);
}

static uint32_t second_victim(struct policy *policy, uint32_t incoming) {
    struct second *m = second_memory(policy);
    // As 2Q does: a ghost hit leaves the ghosts before the victim is chosen.
    if (incoming != POLICY_NONE && policy->slot[incoming].state == STATE_GHOST) {
        list_remove(&m->ghosts, policy->slot, incoming);
        policy->slot[incoming].state = STATE_PROMOTED;
    }
    uint32_t slot = m->first.oldest != POLICY_NONE ? m->first.oldest : m->second.oldest;
    if (slot == POLICY_NONE) {
        return POLICY_NONE;
    }
    if (wants_clean && policy->slot[slot].dirty) {
        return slot | POLICY_CLEAN;
    }
    second_detach(policy, slot);
    policy->slot[slot].state = STATE_GHOST;
    list_add_newest(&m->ghosts, policy->slot, slot);
    return slot | POLICY_GHOST;
}

static void second_drop(struct policy *policy, uint32_t slot) {
    second_detach(policy, slot);
    policy->slot[slot].state = STATE_NEW;
}

static uint32_t second_reap(struct policy *policy, int must) {
    struct second *m = second_memory(policy);
    if (reap_wrong) {
        return m->first.oldest;
    }
    if (!must || reap_refuses) {
        return POLICY_NONE;
    }
    uint32_t slot = m->ghosts.oldest;
    if (slot != POLICY_NONE) {
        second_drop(policy, slot);
    }
    return slot;
}

static void second_touch(struct policy *policy, uint32_t slot) {
    CHECK_EQUAL(policy->slot[slot].ref, 1);
    touches++;
}

static void second_tick(struct policy *policy) {
    (void)policy;
    ticks++;
}

static uint32_t second_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    struct second *m = second_memory(policy);
    uint32_t count = list_write(&m->first, policy->slot, out, limit);
    return count + list_write(&m->second, policy->slot, out + count, limit - count);
}

static const struct policy_operations second_operations = {
    .ghosts = 50,
    .init = second_init,
    .admit = second_admit,
    .touch = second_touch,
    .tick = second_tick,
    .victim = second_victim,
    .drop = second_drop,
    .reap = second_reap,
    .order = second_order,
};
static const struct policy_kind second_kind = {"second", &second_operations, 0, 0, "for tests"};

static void start(uint32_t frames) {
    wants_clean = reap_wrong = reap_refuses = 0;
    touches = ticks = 0;
    host_start(&host, &second_kind, frames);
}

static uint32_t ghosts_known(void) {
    uint32_t count = 0;
    for (uint32_t page = 0; page < HOST_PAGES; page++) {
        count += host.ghost_of[page] != POLICY_NONE;
    }
    return count;
}

TEST(ghost_reap_wrong, "a reaped slot that is no ghost is caught, ghosts are forgotten") {
    char line[160];
    start(4);
    for (uint32_t page = 0; page < 7; page++) {
        reap_wrong = page == 6;
        host_reference(&host, page);
    }
    CHECK(checked_fault_take(&host.c, line, sizeof(line)));
    CHECK(strstr(line, "policy second: reap: slot ") == line);
    CHECK(strstr(line, " is no ghost; going on under fifo") != NULL);
    CHECK_EQUAL(ghosts_known(), 0);
    CHECK_EQUAL(host.c.ghosts, 0);
    CHECK(checked_audit(&host.c));
    CHECK_EQUAL(host.c.resident, 4);
}

TEST(ghost_reap_refused, "a policy that gives up no ghost when it must is caught") {
    char line[160];
    start(4);
    reap_refuses = 1;
    for (uint32_t page = 0; page < 8; page++) {
        host_reference(&host, page);
    }
    CHECK_EQUAL(host.c.faults, 1);
    CHECK(checked_fault_take(&host.c, line, sizeof(line)));
    CHECK_TEXT(line,
               "policy second: reap: slot 0 is no ghost though there are some; "
               "going on under fifo");
    CHECK_EQUAL(ghosts_known(), 0);
    CHECK(checked_audit(&host.c));
}

TEST(ghost_limit, "there are never more ghosts than the table declares, frames may change") {
    uint32_t seed = 12;
    start(20);
    for (uint32_t i = 0; i < 4000; i++) {
        if (i % 50 == 0) {
            host_frames(&host, 1 + random_next(&seed) % 40);
        }
        host_step(&host, &seed);
        host_forget(&host);
        host_check(&host);
        CHECK(host.c.ghosts <= host.frames / 2);
        CHECK_EQUAL(host.c.ghosts, ghosts_known());
    }
    CHECK(host.ghost_hits > 100);
}

TEST(ghost_state_kept, "a returning page is known again and goes to the second queue") {
    start(4);
    for (uint32_t page = 0; page < 6; page++) {
        host_reference(&host, page);  // 0 and 1 are ghosts now
    }
    CHECK_EQUAL(ghosts_known(), 2);
    host.c.policy.slot[host.ghost_of[0]].ref = 1;  // its last use before it left
    CHECK(host_reference(&host, 0));
    CHECK_EQUAL(host.c.policy.slot[host.slot_of[0]].ref, 0);
    CHECK_EQUAL(host.ghost_hits, 1);
    for (uint32_t page = 10; page < 30; page++) {
        host_reference(&host, page);
    }
    CHECK(!host_reference(&host, 0));
    host_check(&host);
}

TEST(ghost_dropped, "a ghost whose page dies is forgotten: its return is new") {
    start(4);
    for (uint32_t page = 0; page < 6; page++) {
        host_reference(&host, page);
    }
    host_drop(&host, 1);
    CHECK_EQUAL(ghosts_known(), 1);
    CHECK(host_reference(&host, 1));
    CHECK_EQUAL(host.ghost_hits, 0);
    host_check(&host);
}

TEST(ghost_never_came, "an incoming page that never comes is dropped, ghost or new") {
    start(4);
    for (uint32_t page = 0; page < 6; page++) {
        host_reference(&host, page);
    }
    uint32_t ghost = checked_take(&host.c, host.ghost_of[0]);
    CHECK_EQUAL(ghost, host.ghost_of[0]);
    host_evict(&host, ghost);
    host_drop(&host, 0);
    uint32_t fresh = checked_take(&host.c, POLICY_NONE);
    host_evict(&host, fresh);
    checked_drop(&host.c, fresh);
    checked_drop(&host.c, checked_take(&host.c, POLICY_NONE));  // the policy never heard of it
    CHECK_EQUAL(host.c.ghosts, ghosts_known());
    host_check(&host);
}

TEST(ghost_reaped_while_returning, "a ghost reaped while its page comes in is admitted as new") {
    start(4);
    for (uint32_t page = 0; page < 6; page++) {
        host_reference(&host, page);
    }
    uint32_t slot = checked_take(&host.c, host.ghost_of[0]);
    CHECK(checked_state(&host.c, slot) == CHECKED_RETURNING);
    host.ghost_of[0] = POLICY_NONE;
    host_frames(&host, 1);  // no ghost may be left
    CHECK(checked_state(&host.c, slot) == CHECKED_TAKEN);
    const struct policy_slot *record = &host.c.policy.slot[slot];
    CHECK_EQUAL(record->state, STATE_NEW);
    CHECK_EQUAL(record->word[0] | record->word[1] | record->word[2] | record->word[3], 0);
    host_evict(&host, slot);
    host.slot_of[0] = slot;
    host.page_of[slot] = 0;
    checked_admit(&host.c, slot, POLICY_USED);
    CHECK_EQUAL(host.c.policy.slot[slot].state, STATE_FIRST);
    host_check(&host);
}

// p of ARC and CAR, in whole frames.
static uint32_t target_of(const struct host *h) {
    return h->c.policy.memory[h->c.kind->operations->description->number[0].at];
}

TEST(ghost_return_with_room, "a ghost that returns while there is room moves p as any other does") {
    for (int full = 0; full < 2; full++) {
        static const char *const names[] = {"arc", "car"};
        for (uint32_t i = 0; i < 2; i++) {
            test_case(names[i]);
            host_start(&host, policy_find(names[i], 8), 4);
            for (uint32_t page = 1; page <= 4; page++) {
                host_reference(&host, page);
            }
            host_reference(&host, 1);  // ARC: T1 gives up 2; CAR: 1 goes to T2 as the hand meets it
            host_reference(&host, 5);
            CHECK_EQUAL(host.victim, 2);
            CHECK(host.ghost_of[2] != POLICY_NONE);
            CHECK_EQUAL(target_of(&host), 0);
            if (!full) {
                host_drop(&host, 5);
            }
            host_reference(&host, 2);
            CHECK_EQUAL(host.evictions, 1u + (uint32_t)full);
            CHECK_EQUAL(target_of(&host), 1);
            host_check(&host);
        }
    }
}

TEST(ghost_handover, "a handover drops ghosts, also of pages that are coming in") {
    for (uint32_t i = 0; i < POLICY_COUNT; i++) {
        start(8);
        for (uint32_t page = 0; page < 12; page++) {
            host_reference(&host, page);
        }
        uint32_t returning = checked_take(&host.c, host.ghost_of[2]);
        uint32_t fresh = checked_take(&host.c, POLICY_NONE);
        host.ghost_of[2] = POLICY_NONE;
        host_evict(&host, returning);
        host_evict(&host, fresh);
        CHECK(checked_switch(&host.c, policy_normal(&policy_kinds[i])));
        host_forget(&host);
        CHECK_EQUAL(ghosts_known(), 0);
        checked_admit(&host.c, returning, POLICY_USED);
        checked_admit(&host.c, fresh, POLICY_USED);
        host.page_of[host.slot_of[2] = returning] = 2;
        host.page_of[host.slot_of[50] = fresh] = 50;
        host_check(&host);
        CHECK(checked_switch(&host.c, policy_normal(&second_kind)));
        uint32_t seed = 6 + i;
        host_steps(&host, &seed, 1000);
    }
}

TEST(ghost_touch_and_tick, "each use and each scan reaches a policy that wants to know") {
    start(4);
    for (uint32_t i = 0; i < 30; i++) {
        host_reference(&host, i % 3);
        checked_tick(&host.c);
    }
    CHECK_EQUAL(touches, 27);
    CHECK_EQUAL(ticks, 30);
}

TEST(ghost_simulated, "the simulator serves policies with ghosts and touches") {
    enum { LENGTH = 20000 };
    uint32_t seed = 5;
    uint32_t *page = sim_allocate(LENGTH, 4);
    for (uint32_t i = 0; i < LENGTH; i++) {
        page[i] = random_next(&seed) % (1 + random_next(&seed) % 100);
    }
    struct sim_trace trace;
    start(20);
    wants_clean = 1;
    sim_trace_number(&trace, page, LENGTH);
    struct sim_result result = sim_replay(&trace, &second_kind, 20, NULL, NULL);
    CHECK_TEXT(result.line, "");
    CHECK_EQUAL(result.violations, 0);
    CHECK_EQUAL(touches, LENGTH - result.misses);
    CHECK(result.misses >= sim_replay_min(&trace, 20).misses);
    sim_trace_free(&trace);
}

TEST(clean_first, "a policy may ask for dirty pages to be written before they leave") {
    uint32_t seed = 21, asked = 0;
    start(10);
    wants_clean = 1;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t page = random_next(&seed) % 40;
        uint32_t before = host.evictions;
        uint32_t resident = host.c.resident;
        int miss = host_reference(&host, page);
        CHECK(!miss || resident < 10 || host.evictions == before + 1);
        if (i % 2) {
            host.c.policy.slot[host.slot_of[page]].dirty = 1;
            asked++;
        }
    }
    CHECK(asked > 0);
    host_check(&host);
}
