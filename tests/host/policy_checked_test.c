// SPDX-License-Identifier: MIT
// Planted faults: policies that are FIFO but for one mistake, and hosts that break the protocol.
// Each must be named in one line, and no page may be lost when FIFO takes over.
#include "policy_host.h"

#include <stdio.h>

#include "sim_replay.h"

#define FIFO (policy_kinds[POLICY_INDEX_fifo].operations)
#define GOOD_CALLS 20u  // a planted policy goes wrong after so many calls

static struct host host;
static uint32_t calls;   // of the operation that goes wrong
static uint32_t pick;    // what a planted operation answers

static int due(void) {
    return ++calls > GOOD_CALLS;
}

// ---- planted operations ----------------------------------------------------------------------

static uint32_t victim_fixed(struct policy *policy, uint32_t incoming) {
    return due() ? pick : FIFO->victim(policy, incoming);
}

static uint32_t victim_incoming(struct policy *policy, uint32_t incoming) {
    return due() ? incoming : FIFO->victim(policy, incoming);
}

// Chooses the right page, but goes on thinking that it is resident.
static uint32_t victim_kept(struct policy *policy, uint32_t incoming) {
    uint32_t slot = FIFO->victim(policy, incoming);
    if (due()) {
        FIFO->admit(policy, slot, POLICY_COLD);
    }
    return slot;
}

static uint32_t victim_flagged(struct policy *policy, uint32_t incoming) {
    uint32_t slot = FIFO->victim(policy, incoming);
    return due() ? slot | pick : slot;
}

static void admit_lost(struct policy *policy, uint32_t slot, enum policy_how how) {
    if (calls++ != GOOD_CALLS) {
        FIFO->admit(policy, slot, how);
    } else {
        pick = slot;
    }
}

static void admit_adopted_lost(struct policy *policy, uint32_t slot, enum policy_how how) {
    if (how != POLICY_ADOPTED || calls++ != 2) {
        FIFO->admit(policy, slot, how);
    }
}

static void drop_ignored(struct policy *policy, uint32_t slot) {
    (void)policy;
    (void)slot;
}

static uint32_t order_double(struct policy *policy, uint32_t *out, uint32_t limit) {
    uint32_t count = FIFO->order(policy, out, limit);
    out[count - 1] = out[0];
    return count;
}

static uint32_t order_short(struct policy *policy, uint32_t *out, uint32_t limit) {
    return FIFO->order(policy, out, limit) - 1;
}

static uint32_t order_stranger(struct policy *policy, uint32_t *out, uint32_t limit) {
    uint32_t count = FIFO->order(policy, out, limit);
    out[count / 2] = pick;
    return count;
}

static uint32_t order_long(struct policy *policy, uint32_t *out, uint32_t limit) {
    (void)FIFO->order(policy, out, limit);
    return limit + 1;
}

// One resident twice at the end: as many entries as fit, one too many.
static uint32_t order_extra(struct policy *policy, uint32_t *out, uint32_t limit) {
    uint32_t count = FIFO->order(policy, out, limit);
    if (count < limit) {
        out[count++] = out[0];
    }
    return count;
}

#define PLANT(field, function)                                                              \
    static const struct policy_operations operations_##function = {                         \
        .init = plant_init, .admit = plant_admit, .victim = plant_victim,                   \
        .drop = plant_drop, .order = plant_order, .field = function};                       \
    static const struct policy_kind function##_kind = {#function, &operations_##function, 0, 0, ""};

static void plant_init(struct policy *policy) {
    FIFO->init(policy);
}
static void plant_admit(struct policy *policy, uint32_t slot, enum policy_how how) {
    FIFO->admit(policy, slot, how);
}
static uint32_t plant_victim(struct policy *policy, uint32_t incoming) {
    return FIFO->victim(policy, incoming);
}
static void plant_drop(struct policy *policy, uint32_t slot) {
    FIFO->drop(policy, slot);
}
static uint32_t plant_order(struct policy *policy, uint32_t *out, uint32_t limit) {
    return FIFO->order(policy, out, limit);
}

// The planted operation comes after the sound one in the list of initializers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
PLANT(victim, victim_fixed)
PLANT(victim, victim_incoming)
PLANT(victim, victim_kept)
PLANT(victim, victim_flagged)
PLANT(admit, admit_lost)
PLANT(admit, admit_adopted_lost)
PLANT(drop, drop_ignored)
PLANT(order, order_double)
PLANT(order, order_short)
PLANT(order, order_stranger)
PLANT(order, order_long)
PLANT(order, order_extra)
#pragma GCC diagnostic pop

// ---- what must happen ------------------------------------------------------------------------

static void plant(const struct policy_kind *kind, uint32_t answer) {
    test_case(kind->name);
    calls = 0;
    pick = answer;
    host_start(&host, kind, 8);
}

// The next fault is recorded, and its line is the one expected but for the slot's number.
static void check_line(const char *start, const char *end) {
    char line[160];
    CHECK(checked_fault_take(&host.c, line, sizeof(line)));
    CHECK(strlen(line) >= strlen(start) + strlen(end));
    if (strncmp(line, start, strlen(start)) != 0 ||
        strcmp(line + strlen(line) - strlen(end), end) != 0) {
        test_fail(__FILE__, __LINE__, line);
    }
    CHECK(!checked_fault_take(&host.c, line, sizeof(line)));
}

// FIFO is in charge, knows all residents in order of arrival, and goes on under load.
static void check_fifo_goes_on(void) {
    uint32_t faults = host.c.faults, order[HOST_FRAMES], seed = 8;
    CHECK(host.c.kind == &policy_kinds[POLICY_INDEX_fifo]);
    CHECK(checked_audit(&host.c));
    CHECK_EQUAL(host_resident(&host), host.c.resident);
    CHECK_EQUAL(checked_order(&host.c, order, HOST_FRAMES), host.c.resident);
    for (uint32_t i = 0, at = host.c.oldest; i < host.c.resident; i++) {
        CHECK_EQUAL(order[i], at);
        at = host.c.record[at].newer;
    }
    for (uint32_t i = 0; i < 500; i++) {
        host_step(&host, &seed);
        CHECK(checked_audit(&host.c));
        CHECK_EQUAL(host_resident(&host), host.c.resident);
    }
    CHECK_EQUAL(host.c.faults, faults);
}

// Misses on ever new pages until the policy is caught.
static void run_until_caught(void) {
    for (uint32_t page = 0; host.c.faults == 0; page++) {
        CHECK(page < HOST_PAGES);
        host_reference(&host, page);
    }
    CHECK(host.c.resident == 8);
    CHECK_EQUAL(host.c.faults, 1);
    // FIFO's choice, made in the same call: pages came in the order of their numbers.
    CHECK_EQUAL(host.victim, host.page_of[host.c.newest] - 8);
    host_check_truth(&host);
}

static void check_caught(const char *start, const char *end) {
    check_line(start, end);
    check_fifo_goes_on();
}

TEST(checked_victim_free, "a victim whose slot is free is caught, FIFO goes on") {
    plant(&victim_fixed_kind, HOST_SLOTS - 1);
    run_until_caught();
    check_caught("policy victim_fixed: victim: slot 135 ", "is not resident; going on under fifo");
}

TEST(checked_victim_beyond, "a victim beyond all slots is caught") {
    plant(&victim_fixed_kind, HOST_SLOTS);
    run_until_caught();
    check_caught("policy victim_fixed: victim: slot 136 ", "does not exist; going on under fifo");
}

TEST(checked_victim_huge, "a victim with a wild number is caught") {
    plant(&victim_fixed_kind, 0x3fffffff);
    run_until_caught();
    check_caught("policy victim_fixed: victim: slot 1073741823 ",
                 "does not exist; going on under fifo");
}

TEST(checked_victim_none, "no victim though pages are resident is caught") {
    plant(&victim_fixed_kind, POLICY_NONE);
    run_until_caught();
    check_caught("policy victim_fixed: victim: slot 0 ",
                 "is no victim though pages are resident; going on under fifo");
}

TEST(checked_victim_incoming, "the page of the fault in hand as victim is caught") {
    plant(&victim_incoming_kind, 0);
    run_until_caught();
    check_caught("policy victim_incoming: victim: slot ", "is not resident; going on under fifo");
}

TEST(checked_victim_twice, "a page evicted twice is caught the second time") {
    plant(&victim_kept_kind, 0);
    host_frames(&host, 8);
    for (uint32_t page = 0; page < 40 && host.c.faults == 0; page++) {
        host_reference(&host, page);
        // The free slot must not be taken again, or the lie would come true.
        if (host.c.resident == 8 && calls > GOOD_CALLS) {
            host_evict(&host, POLICY_NONE);
            host_evict(&host, POLICY_NONE);
        }
    }
    CHECK_EQUAL(host.c.faults, 1);
    check_caught("policy victim_kept: victim: slot ", "is not resident; going on under fifo");
}

TEST(checked_clean_of_clean, "asking to clean a clean page is caught") {
    plant(&victim_flagged_kind, POLICY_CLEAN);
    run_until_caught();
    check_caught("policy victim_flagged: victim: slot ",
                 "is to be cleaned first, but is clean; going on under fifo");
}

TEST(checked_ghost_undeclared, "a ghost that the table does not declare is caught") {
    plant(&victim_flagged_kind, POLICY_GHOST);
    run_until_caught();
    check_caught("policy victim_flagged: victim: slot ",
                 "is to be a ghost, but the policy has none; going on under fifo");
}

TEST(checked_flags_both, "evicting and cleaning at once is caught") {
    plant(&victim_flagged_kind, POLICY_GHOST | POLICY_CLEAN);
    run_until_caught();
    check_caught("policy victim_flagged: victim: slot ",
                 "is to be evicted and to be cleaned first; going on under fifo");
}

TEST(checked_page_lost, "a page that the policy lost is named by the audit") {
    plant(&admit_lost_kind, 0);
    for (uint32_t page = 0; calls <= GOOD_CALLS; page++) {
        host_reference(&host, page);
    }
    uint32_t lost = pick;
    CHECK(!checked_audit(&host.c));
    CHECK_EQUAL(host.c.fault.slot, lost);
    check_caught("policy admit_lost: order: slot ",
                 "is missing though resident; going on under fifo");
}

TEST(checked_drop_ignored, "a page that the policy did not drop is caught as victim") {
    plant(&drop_ignored_kind, 0);
    for (uint32_t page = 0; page < 8; page++) {
        host_reference(&host, page);
    }
    host_drop(&host, 0);
    host_evict(&host, POLICY_NONE);
    CHECK_EQUAL(host.c.faults, 1);
    check_caught("policy drop_ignored: victim: slot ", "is not resident; going on under fifo");
}

static void order_caught(const struct policy_kind *kind, uint32_t stranger, const char *start,
                         const char *end) {
    plant(kind, stranger);
    for (uint32_t page = 0; page < 12; page++) {
        host_reference(&host, page);
    }
    CHECK(!checked_audit(&host.c));
    check_caught(start, end);
    // The same at a handover: the new policy gets all residents from the wrapper's own truth.
    plant(kind, stranger);
    for (uint32_t page = 0; page < 12; page++) {
        host_reference(&host, page);
    }
    CHECK(!checked_switch(&host.c, policy_normal(&policy_kinds[POLICY_INDEX_sieve])));
    CHECK(host.c.kind == &policy_kinds[POLICY_INDEX_sieve]);
    CHECK_EQUAL(host.c.faults, 1);
    CHECK(checked_audit(&host.c));
    CHECK_EQUAL(host.c.resident, 8);
}

TEST(checked_order_double, "an order with a double is caught, at audit and handover") {
    order_caught(&order_double_kind, 0, "policy order_double: order: slot ",
                 "is listed twice; going on under fifo");
}

TEST(checked_order_missing, "an order with a page missing is caught, at audit and handover") {
    order_caught(&order_short_kind, 0, "policy order_short: order: slot ",
                 "is missing though resident; going on under fifo");
}

TEST(checked_order_stranger, "an order with a page that is not resident is caught") {
    order_caught(&order_stranger_kind, HOST_SLOTS - 1, "policy order_stranger: order: slot 135 ",
                 "is not resident; going on under fifo");
    order_caught(&order_stranger_kind, POLICY_NONE, "policy order_stranger: order: slot 0 ",
                 "does not exist; going on under fifo");
    order_caught(&order_stranger_kind, 0xffffffff, "policy order_stranger: order: slot 4294967295 ",
                 "does not exist; going on under fifo");
}

TEST(checked_order_long, "an order that says it wrote past its limit is caught") {
    order_caught(&order_long_kind, 0, "policy order_long: order: slot 0 ",
                 "is where it wrote on past its limit; going on under fifo");
}

TEST(checked_order_extra, "an order with all residents and one of them again is caught") {
    order_caught(&order_extra_kind, 0, "policy order_extra: order: slot ",
                 "is listed twice; going on under fifo");
}

TEST(checked_order_part, "a wrong order is caught when the host asks for part of it, too") {
    uint32_t out[4];
    plant(&order_double_kind, 0);
    for (uint32_t page = 0; page < 8; page++) {
        host_reference(&host, page);
    }
    CHECK_EQUAL(checked_order(&host.c, out, 4), 4);
    CHECK(out[3] != out[0]);
    check_caught("policy order_double: order: slot ", "is listed twice; going on under fifo");
}

TEST(checked_adoption_lost, "a policy that loses a page at the handover is replaced by FIFO") {
    plant(&policy_kinds[POLICY_INDEX_clock], 0);
    for (uint32_t page = 0; page < 12; page++) {
        host_reference(&host, page);
    }
    CHECK(!checked_switch(&host.c, policy_normal(&admit_adopted_lost_kind)));
    check_caught("policy admit_adopted_lost: admit: slot ",
                 "is missing though resident; going on under fifo");
}

// ---- hosts that break the protocol -----------------------------------------------------------

static void check_host_line(uint32_t slot, const char *end) {
    CHECK_EQUAL(host.c.fault.slot, slot);
    check_line("policy host: ", end);
}

TEST(checked_host_rejects, "calls of the host against the protocol have no effect and are named") {
    plant(&policy_kinds[POLICY_INDEX_sieve], 0);
    checked_admit(&host.c, 5, POLICY_USED);
    check_host_line(5, "was not taken; going on under sieve");
    checked_admit(&host.c, POLICY_NONE, POLICY_USED);
    check_host_line(0, "was not taken; going on under sieve");
    checked_admit(&host.c, 0xffffffff, POLICY_USED);
    check_host_line(0xffffffff, "was not taken; going on under sieve");
    checked_drop(&host.c, 5);
    check_host_line(5, "belongs to no page; going on under sieve");
    checked_drop(&host.c, HOST_SLOTS);
    check_host_line(HOST_SLOTS, "belongs to no page; going on under sieve");
    uint32_t slot = checked_take(&host.c, 7);
    check_host_line(7, "is no ghost; going on under sieve");
    checked_admit(&host.c, slot, POLICY_USED);
    checked_admit(&host.c, slot, POLICY_USED);
    check_host_line(slot, "was not taken; going on under sieve");
    CHECK_EQUAL(checked_victim(&host.c, slot), slot);
    check_host_line(slot, "was not taken; going on under sieve");
    CHECK(checked_audit(&host.c));
    CHECK_EQUAL(host.c.resident, 0);
}

TEST(checked_slots_run_out, "when all slots are in use taking gives none, and a drop frees one") {
    static uint32_t memory[4 * 10];
    struct checked c;
    CHECK(checked_bytes(4) <= sizeof(memory));
    checked_init(&c, policy_normal(&policy_kinds[POLICY_INDEX_clock]), memory, 4, 3);
    CHECK_EQUAL(checked_take(&c, POLICY_NONE), 1);
    CHECK_EQUAL(checked_take(&c, POLICY_NONE), 2);
    CHECK_EQUAL(checked_take(&c, POLICY_NONE), 3);
    CHECK_EQUAL(checked_take(&c, POLICY_NONE), POLICY_NONE);
    checked_drop(&c, 2);
    CHECK_EQUAL(checked_take(&c, POLICY_NONE), 2);
    CHECK_EQUAL(c.faults, 0);
}

// A table with each operation but one.
static const struct policy_kind *without(const char *operation) {
    static struct policy_operations operations;
    static struct policy_kind kind = {"hollow", &operations, 0, 0, "for tests"};
    operations = *policy_kinds[POLICY_INDEX_arc].operations;
    const struct {
        const char *name;
        void *place;
    } places[] = {{"init", &operations.init}, {"admit", &operations.admit}, {"victim", &operations.victim},
                  {"drop", &operations.drop}, {"order", &operations.order}, {"reap", &operations.reap}};
    for (uint32_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(places[i].name, operation) == 0) {
            memset(places[i].place, 0, sizeof operations.init);
        }
    }
    return &kind;
}

TEST(checked_incomplete, "a policy that lacks an operation is not put in charge, at the start or later") {
    static const char *const names[] = {"init", "admit", "victim", "drop", "order", "reap"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        char line[160], wanted[160];
        snprintf(wanted, sizeof wanted,
                 "policy hollow: %s: the policy has no such operation; going on under fifo", names[i]);
        const struct policy_kind *kind = without(names[i]);
        plant(kind, 0);
        CHECK(checked_fault_take(&host.c, line, sizeof line));
        CHECK_TEXT(line, wanted);
        CHECK(host.c.kind == &policy_kinds[POLICY_INDEX_fifo]);
        CHECK(!checked_switch(&host.c, policy_normal(kind)));
        CHECK(checked_fault_take(&host.c, line, sizeof line));
        CHECK_TEXT(line, wanted);
        struct sim_result result;
        CHECK(!sim_fast(NULL, policy_normal(kind), 8, NULL, NULL, &result));
    }
    CHECK(policy_incomplete(without("touch")->operations) == NULL);
}

TEST(checked_line_cut, "the line of a fault is cut to the room there is, and ends with 0") {
    char line[12] = "xxxxxxxxxxx";
    plant(&policy_kinds[POLICY_INDEX_fifo], 0);
    CHECK(!checked_fault_take(&host.c, line, sizeof(line)));
    checked_drop(&host.c, 3);
    CHECK(!checked_fault_take(&host.c, line, 0));
    CHECK(checked_fault_take(&host.c, line, sizeof(line)));
    CHECK_TEXT(line, "policy host");
}

TEST(checked_order_fits_slots, "with every slot resident the audit still has room to look") {
    static uint32_t memory[5 * 10];
    struct checked c;
    checked_init(&c, policy_normal(&policy_kinds[POLICY_INDEX_sieve]), memory, 5, 4);
    for (uint32_t i = 0; i < 4; i++) {
        checked_admit(&c, checked_take(&c, POLICY_NONE), POLICY_USED);
    }
    CHECK(checked_audit(&c));
    CHECK(checked_switch(&c, policy_normal(&policy_kinds[POLICY_INDEX_fifo])));
    CHECK_EQUAL(c.resident, 4);
}
