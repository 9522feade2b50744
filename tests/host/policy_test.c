// SPDX-License-Identifier: MIT
// The list of tests that every policy runs, through the wrapper that the pager uses.
#include "policy_host.h"

static struct host host;

// Runs the body for each policy, whose name shows in a failure.
TEST(policy_find_rejects, "names that are unknown, cut, longer, or unterminated find no policy") {
    static const char unterminated[] = {'f', 'i', 'f', 'o', 'x'};
    CHECK(policy_find("", 32) == NULL);
    CHECK(policy_find("FIFO", 32) == NULL);
    CHECK(policy_find("fif", 32) == NULL);
    CHECK(policy_find("xifo", 32) == NULL);
    CHECK(policy_find("fifo ", 32) == NULL);
    CHECK(policy_find("fifo", 0) == NULL);
    CHECK(policy_find("fifo", 4) == NULL);
    CHECK(policy_find(unterminated, sizeof(unterminated)) == NULL);
}

TEST(policy_find, "each policy is found by its name, and the fallback FIFO is there") {
    EACH_POLICY(kind) {
        CHECK(policy_find(kind->name, 32) == kind);
        CHECK(kind->text[0] != 0);
    }
    CHECK_TEXT(policy_kinds[POLICY_INDEX_fifo].name, "fifo");
}

TEST(policy_tables_complete, "no operation is missing that may not be") {
    EACH_POLICY(kind) {
        const struct policy_operations *o = kind->operations;
        CHECK(o->init != NULL && o->admit != NULL && o->victim != NULL);
        CHECK(o->drop != NULL && o->order != NULL);
        CHECK(o->ghosts <= 100);
        CHECK(o->ghosts == 0 || o->reap != NULL);
    }
}

TEST(policy_empty, "without residents there is no victim and an empty order") {
    EACH_POLICY(kind) {
        uint32_t out[4];
        host_start(&host, kind, 4);
        CHECK_EQUAL(checked_victim(&host.c, POLICY_NONE), POLICY_NONE);
        CHECK_EQUAL(kind->operations->victim(&host.c.policy, POLICY_NONE), POLICY_NONE);
        CHECK_EQUAL(checked_order(&host.c, out, 4), 0);
        CHECK_EQUAL(checked_forget(&host.c), POLICY_NONE);
        host_check(&host);
    }
}

TEST(policy_single_frame, "with one frame each change of page evicts the page before") {
    EACH_POLICY(kind) {
        host_start(&host, kind, 1);
        for (uint32_t i = 0; i < 50; i++) {
            CHECK(host_reference(&host, i % 3));
            CHECK(!host_reference(&host, i % 3));
            CHECK(i == 0 || host.victim == (i + 2) % 3);
            host_check(&host);
        }
    }
}

TEST(policy_frames_1_to_20, "tiny memories: a mixed load keeps to them, order is a permutation") {
    EACH_POLICY(kind) {
        for (uint32_t frames = 1; frames <= 20; frames++) {
            uint32_t seed = 77 + frames;
            host_start(&host, kind, frames);
            host_steps(&host, &seed, 2000);
            CHECK(host.evictions > 0);
        }
    }
}

TEST(policy_frames_change, "the number of frames may change between any two calls") {
    EACH_POLICY(kind) {
        uint32_t seed = 4711;
        host_start(&host, kind, 1);
        for (uint32_t i = 0; i < 3000; i++) {
            host_frames(&host, 1 + random_next(&seed) % HOST_FRAMES);
            host_check(&host);
            for (uint32_t n = random_next(&seed) % 4; n > 0; n--) {
                host_step(&host, &seed);
            }
        }
        host_check(&host);
    }
}

TEST(policy_order_predicts, "order is the sequence of victims when no page is used any more") {
    EACH_POLICY(kind) {
        for (uint32_t round = 1; round <= 40; round++) {
            uint32_t seed = round * 911, order[HOST_FRAMES];
            host_start(&host, kind, 1 + round % 24);
            host_steps(&host, &seed, 300);
            uint32_t count = checked_order(&host.c, order, HOST_FRAMES);
            CHECK_EQUAL(count, host.c.resident);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t answer;
                while ((answer = checked_victim(&host.c, POLICY_NONE)) & POLICY_CLEAN) {
                    host.c.policy.slot[POLICY_SLOT(answer)].dirty = 0;
                }
                CHECK_EQUAL(answer, order[i]);
            }
            CHECK_EQUAL(host.c.resident, 0);
        }
    }
}

TEST(policy_order_limit, "an order cut short is the beginning of the whole, and changes nothing") {
    EACH_POLICY(kind) {
        uint32_t seed = 99, whole[HOST_FRAMES], part[HOST_FRAMES];
        host_start(&host, kind, 30);
        host_steps(&host, &seed, 500);
        uint32_t count = checked_order(&host.c, whole, HOST_FRAMES);
        for (uint32_t limit = 0; limit <= count; limit++) {
            CHECK_EQUAL(checked_order(&host.c, part, limit), limit);
            CHECK(memcmp(part, whole, limit * sizeof(part[0])) == 0);
        }
    }
}

TEST(policy_cold_first, "a page advised cold is the next victim") {
    EACH_POLICY(kind) {
        for (uint32_t used = 0; used < 18; used++) {
            host_start(&host, kind, 9);
            for (uint32_t i = 0; i < 8 + used / 2; i++) {
                host_reference(&host, i);
                if (used % 2) {
                    host_reference(&host, i);
                }
            }
            if (host.c.resident == 9) {
                host_evict(&host, POLICY_NONE);  // leaves the hand in the middle
            }
            host_admit(&host, 100, POLICY_COLD);
            host_evict(&host, POLICY_NONE);
            CHECK_EQUAL(host.victim, 100);
            host_check(&host);
        }
    }
}

TEST(policy_drop_anywhere, "each resident can be dropped, then all others are evicted once") {
    EACH_POLICY(kind) {
        for (uint32_t gone = 0; gone < 6; gone++) {
            for (uint32_t moved = 0; moved < 6; moved++) {
                host_start(&host, kind, 6);
                for (uint32_t i = 0; i < 6 + moved; i++) {
                    host_reference(&host, i);
                    host_reference(&host, i - i % 2);
                }
                for (uint32_t page = 0, n = 0; page < HOST_PAGES; page++) {
                    if (host.slot_of[page] != POLICY_NONE && n++ == gone) {
                        host_drop(&host, page);
                    }
                }
                host_check(&host);
                CHECK_EQUAL(host.c.resident, 5);
                for (uint32_t left = 5; left > 0; left--) {
                    host_evict(&host, POLICY_NONE);
                    host_check(&host);
                }
            }
        }
    }
}

TEST(policy_drop_last, "the only page can be dropped, and its slot serves the next") {
    EACH_POLICY(kind) {
        host_start(&host, kind, 2);
        for (uint32_t i = 0; i < 200; i++) {
            host_reference(&host, i % 7);
            host_drop(&host, i % 7);
            host_check(&host);
        }
        CHECK_EQUAL(host.evictions, 0);
    }
}

TEST(policy_admit_unused, "a page comes in with ref 0, but under clock_r1 when it was waited for") {
    EACH_POLICY(kind) {
        int load_bit = kind == &policy_kinds[POLICY_INDEX_clock_r1];
        host_start(&host, kind, 8);
        for (uint32_t round = 0; round < 3; round++) {
            host_reference(&host, 1);
            host_admit(&host, 2, POLICY_READ_AHEAD);
            host_admit(&host, 3, POLICY_COLD);
            CHECK_EQUAL(host.c.policy.slot[host.slot_of[1]].ref, load_bit);
            CHECK_EQUAL(host.c.policy.slot[host.slot_of[2]].ref, 0);
            CHECK_EQUAL(host.c.policy.slot[host.slot_of[3]].ref, 0);
            host_reference(&host, 1);  // set again, before the slots serve other pages
            host_drop(&host, 1);
            host_drop(&host, 2);
            host_drop(&host, 3);
        }
    }
}

TEST(policy_never_came, "a page that never comes leaves no mark on the residents") {
    EACH_POLICY(kind) {
        host_start(&host, kind, 6);
        for (uint32_t i = 0; i < 20; i++) {
            host_reference(&host, i);
            uint32_t slot = checked_take(&host.c, POLICY_NONE);
            if (i % 2 && host.c.resident == host.frames) {
                host_evict(&host, slot);
            }
            checked_drop(&host.c, slot);
            host_check(&host);
        }
        CHECK(host.c.resident >= 5);
    }
}

TEST(policy_adopted_keeps_ref, "a host that moves its pages to other slots may keep their ref") {
    EACH_POLICY(kind) {
        host_start(&host, kind, 4);
        for (int ref = 0; ref < 2; ref++) {
            uint32_t slot = checked_take(&host.c, POLICY_NONE);
            host.c.policy.slot[slot].ref = (uint8_t)ref;
            checked_admit(&host.c, slot, POLICY_ADOPTED);
            CHECK_EQUAL(host.c.policy.slot[slot].ref, ref);
        }
        CHECK(checked_audit(&host.c));
    }
}

TEST(policy_blind, "a policy that calls itself blind chooses the same victims whatever was used") {
    EACH_POLICY(kind) {
        if (!kind->operations->blind) {
            continue;
        }
        for (uint32_t round = 1; round < 20; round++) {
            uint32_t order[2][HOST_FRAMES], count = 0;
            for (int used = 0; used < 2; used++) {
                uint32_t seed = round;
                host_start(&host, kind, 20);
                for (uint32_t i = 0; i < 500; i++) {
                    uint32_t page = random_next(&seed) % 60;
                    if (host.slot_of[page] == POLICY_NONE || used) {
                        host_reference(&host, page);
                    }
                }
                count = checked_order(&host.c, order[used], HOST_FRAMES);
            }
            CHECK(memcmp(order[0], order[1], count * sizeof(order[0][0])) == 0);
        }
    }
    CHECK(policy_kinds[POLICY_INDEX_fifo].operations->blind);
    CHECK(!policy_kinds[POLICY_INDEX_clock].operations->blind);
}

TEST(policy_keeps_dirty, "no policy changes the dirty bit of a page that stays") {
    EACH_POLICY(kind) {
        uint32_t seed = 5, dirty[HOST_PAGES] = {0};
        host_start(&host, kind, 16);
        for (uint32_t i = 0; i < 4000; i++) {
            uint32_t page = random_next(&seed) % 40;
            if (host_reference(&host, page)) {
                dirty[page] = 0;
            }
            if (random_next(&seed) % 4 == 0) {
                host.c.policy.slot[host.slot_of[page]].dirty = 1;
                dirty[page] = 1;
            }
            for (uint32_t p = 0; p < 40; p++) {
                CHECK(host.slot_of[p] == POLICY_NONE ||
                      host.c.policy.slot[host.slot_of[p]].dirty == dirty[p]);
            }
        }
    }
}

TEST(policy_tick, "a tick after a scan is taken by every policy") {
    EACH_POLICY(kind) {
        uint32_t seed = 31;
        host_start(&host, kind, 12);
        for (uint32_t i = 0; i < 100; i++) {
            host_steps(&host, &seed, 8);
            checked_tick(&host.c);
            host_check(&host);
        }
    }
}

TEST(policy_choose_rejects, "a policy with wrong, unknown, cut or doubtful parameters is refused") {
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"", "names no policy"},
        {":", "names no policy"},
        {"ar", "names no policy"},
        {"arcs:p=1", "names no policy"},
        {"arc:", "names no parameter of this policy"},
        {"arc:p", "names no parameter of this policy"},
        {"arc:q=1", "names no parameter of this policy"},
        {"arc:=1", "names no parameter of this policy"},
        {"fifo:p=1", "names no parameter of this policy"},
        {"arc:p=", "gives a parameter a value out of its bounds"},
        {"arc:p=x", "gives a parameter a value out of its bounds"},
        {"arc:p=-1", "gives a parameter a value out of its bounds"},
        {"arc:p=4294967296", "gives a parameter a value out of its bounds"},
        {"arc:p=1,2", "gives a parameter a value out of its bounds"},
        {"arc:p=1:", "names no parameter of this policy"},
        {"clock:load=2", "gives a parameter a value out of its bounds"},
    };
    struct policy_choice choice;
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_case(cases[i].text);
        CHECK_TEXT(policy_choose(&choice, cases[i].text, 64), cases[i].problem);
    }
    test_case("cut");
    static const char cut[8] = {'a', 'r', 'c', ':', 'p', '=', '1', '2'};
    for (uint32_t limit = 0; limit <= sizeof(cut); limit++) {
        CHECK(policy_choose(&choice, cut, limit) != NULL);
    }
}

TEST(policy_choose, "parameters are set by name, the others are normal; variants have their own") {
    struct policy_choice choice;
    CHECK(policy_choose(&choice, "arc:p=8", 8) == NULL);
    CHECK_TEXT(choice.kind->name, "arc");
    CHECK_EQUAL(choice.parameter[0], 8);
    CHECK(policy_choose(&choice, "s3fifo:move=1:small=20", 64) == NULL);
    CHECK_EQUAL(choice.parameter[0], 20);
    CHECK_EQUAL(choice.parameter[1], 90);
    CHECK_EQUAL(choice.parameter[2], 1);
    CHECK(policy_choose(&choice, "clock_r1", 64) == NULL);
    CHECK_EQUAL(choice.parameter[0], 1);
    CHECK(policy_choose(&choice, "clock_r1:load=0", 64) == NULL);
    CHECK_EQUAL(choice.parameter[0], 0);
    CHECK(policy_choose(&choice, "arc:p=4294967295", 64) == NULL);
    CHECK_EQUAL(choice.parameter[0], UINT32_MAX);
}
