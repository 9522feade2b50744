// SPDX-License-Identifier: MIT
// The block server's pure parts: its end of the ring against a pager that breaks every law, the
// merging of requests, the modelled service time.
#include "servers/block/cluster.h"
#include "servers/block/ring_end.h"
#include "servers/block/store.h"

#include <string.h>

#include "test.h"

#define PAGES 1000u

static struct block_ring ring;
static struct ring_end end;

static void ring_reset(void) {
    memset(&ring, 0, sizeof(ring));
    ring_open(&end, &ring);
}

static void submit(uint32_t tag, uint32_t operation, uint32_t disk_page, frame_t frame) {
    ring.request[ring.submitted++ % RING_LENGTH] =
        (struct ring_request){tag, operation, disk_page, frame};
}

static error_t take_one(void) {
    struct ring_request request;
    error_t error = OK;
    CHECK(ring_take(&end, PAGES, &request, &error));
    return error;
}

TEST(ring_refuses_fields, "a request with a wrong operation, page or frame is refused") {
    ring_reset();
    submit(1, 0, 0, 5);
    submit(2, 3, 0, 5);
    submit(3, RING_READ, PAGES, 5);
    submit(4, RING_WRITE, 0xffffffffu, 5);
    submit(5, RING_READ, 0, 0);
    submit(6, RING_READ, 0, 1u << 24);
    submit(7, RING_WRITE, PAGES - 1, (1u << 24) - 1);
    CHECK_EQUAL(take_one(), E_MESSAGE);
    CHECK_EQUAL(take_one(), E_MESSAGE);
    CHECK_EQUAL(take_one(), E_ARGUMENT);
    CHECK_EQUAL(take_one(), E_ARGUMENT);
    CHECK_EQUAL(take_one(), E_ADDRESS);
    CHECK_EQUAL(take_one(), E_ADDRESS);
    CHECK_EQUAL(take_one(), OK);
}

// Take and complete until nothing more comes. Returns how many were taken; *good: without error.
static uint32_t take_all(uint32_t *good) {
    struct ring_request request;
    error_t error;
    uint32_t taken = 0;
    for (*good = 0; taken < 10 * RING_LENGTH && ring_take(&end, PAGES, &request, &error); taken++) {
        *good += error == OK;
        ring_complete(&end, request.tag, error);
    }
    return taken;
}

TEST(ring_refuses_jumps, "an index that jumps leads to errors, never more than the ring holds") {
    static const uint32_t jumps[] = {RING_LENGTH + 1, 1000, 0x80000000u, 0xffffffffu};
    for (uint32_t i = 0; i < ARRAY_LENGTH(jumps); i++) {
        uint32_t good;
        ring_reset();
        submit(1, RING_READ, 1, 5);
        ring.submitted = jumps[i];
        uint32_t taken = take_all(&good);
        CHECK(taken <= RING_LENGTH);
        CHECK(good <= 1);
        CHECK_EQUAL(ring.completed, taken);
    }
}

TEST(ring_survives_collected, "a wrong count of collected completions makes no room") {
    uint32_t good;
    ring_reset();
    for (uint32_t i = 0; i < RING_LENGTH; i++) {
        submit(i, RING_READ, i, 5);
    }
    ring.collected = 1000;
    CHECK_EQUAL(take_all(&good), RING_LENGTH);
    ring.submitted += 3;
    CHECK_EQUAL(take_all(&good), 0);
    ring.collected = RING_LENGTH;
    CHECK_EQUAL(take_all(&good), 3);
}

TEST(ring_goes_round, "requests and completions keep their order across wraps of the index") {
    ring_reset();
    ring.submitted = ring.taken = ring.completed = ring.collected = 0xfffffff0u;
    ring_open(&end, &ring);
    for (uint32_t i = 0; i < 1000; i++) {
        struct ring_request request;
        error_t error;
        submit(i, RING_WRITE, i % PAGES, 9);
        CHECK(ring_take(&end, PAGES, &request, &error));
        CHECK_EQUAL(error, OK);
        CHECK_EQUAL(request.tag, i);
        ring_complete(&end, request.tag, i % 3 == 0 ? E_IO : OK);
        struct ring_completion *done = &ring.completion[ring.collected++ % RING_LENGTH];
        CHECK_EQUAL(done->tag, i);
        CHECK_EQUAL(done->error, i % 3 == 0 ? E_IO : OK);
    }
    CHECK_EQUAL(ring.taken, ring.submitted);
    CHECK_EQUAL(ring.completed, ring.collected);
}

static struct cluster_table table;

static void wait_for(uint32_t operation, uint32_t disk_page) {
    struct ring_request request = {disk_page, operation, disk_page, 5};
    CHECK(cluster_add(&table, &request));
}

// The pages of a cluster must be first, first + 1, ...
static void check_cluster(const struct cluster *cluster, uint32_t operation, uint32_t first,
                          uint32_t count) {
    CHECK_EQUAL(cluster->count, count);
    uint32_t slot = cluster->first;
    for (uint32_t i = 0; i < count; i++, slot = table.next[slot]) {
        CHECK(slot != CLUSTER_NONE);
        CHECK_EQUAL(table.request[slot].operation, operation);
        CHECK_EQUAL(table.request[slot].disk_page, first + i);
    }
    CHECK_EQUAL(slot, CLUSTER_NONE);
}

TEST(cluster_merges, "adjacent pages of one operation become one cluster, to both sides") {
    struct cluster cluster;
    cluster_init(&table);
    wait_for(RING_WRITE, 10);
    wait_for(RING_READ, 11);
    wait_for(RING_WRITE, 12);
    wait_for(RING_WRITE, 9);
    wait_for(RING_WRITE, 11);
    wait_for(RING_WRITE, 0);
    CHECK(cluster_take(&table, RING_LENGTH, &cluster));
    check_cluster(&cluster, RING_WRITE, 9, 4);
    cluster_free(&table, cluster.first);
    CHECK(cluster_take(&table, RING_LENGTH, &cluster));
    check_cluster(&cluster, RING_READ, 11, 1);
    CHECK_EQUAL(cluster_check(&table, 1), 0);
    CHECK(cluster_take(&table, RING_LENGTH, &cluster));
    check_cluster(&cluster, RING_WRITE, 0, 1);
    CHECK(!cluster_take(&table, RING_LENGTH, &cluster));
    CHECK_EQUAL(cluster_check(&table, 2), 0);
}

TEST(cluster_limit, "a cluster is no longer than asked, the rest waits") {
    struct cluster cluster;
    cluster_init(&table);
    for (uint32_t i = 0; i < RING_LENGTH; i++) {
        wait_for(RING_READ, 100 + i);
    }
    struct ring_request more = {0, RING_READ, 0, 5};
    CHECK(!cluster_add(&table, &more));
    for (uint32_t i = 0; i < RING_LENGTH; i += 16) {
        CHECK(cluster_take(&table, 16, &cluster));
        check_cluster(&cluster, RING_READ, 100 + i, 16);
        cluster_free(&table, cluster.first);
    }
    CHECK_EQUAL(cluster_check(&table, 0), 0);
}

TEST(cluster_random, "random requests all come out once, and no slot is lost") {
    uint32_t seed = 1, in = 0, out = 0;
    cluster_init(&table);
    while (out < 20000) {
        struct cluster cluster;
        seed = seed * 1664525u + 1013904223u;
        struct ring_request request = {0, 1 + (seed >> 30) % 2, (seed >> 8) % 50, 5};
        if ((seed >> 16) % 3 != 0 && cluster_add(&table, &request)) {
            in++;
        } else if (cluster_take(&table, 1 + (seed >> 20) % 20, &cluster)) {
            uint32_t first = table.request[cluster.first].disk_page;
            check_cluster(&cluster, table.request[cluster.first].operation, first, cluster.count);
            out += cluster.count;
            CHECK_EQUAL(cluster_check(&table, cluster.count), 0);
            cluster_free(&table, cluster.first);
        }
        CHECK(in - out <= RING_LENGTH);
    }
}

TEST(cluster_check_fails, "the check finds a slot that is in no list") {
    cluster_init(&table);
    table.free = table.next[table.free];
    CHECK_EQUAL(cluster_check(&table, 0), 1);
}

TEST(store_time, "the modelled time is one command and each page of it") {
    CHECK_EQUAL(store_service_ns(1), STORE_COMMAND_NS + STORE_PAGE_NS);
    CHECK_EQUAL(store_service_ns(64), STORE_COMMAND_NS + 64 * STORE_PAGE_NS);
    CHECK(store_service_ns(2) < 2 * store_service_ns(1));
}
