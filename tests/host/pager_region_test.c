// SPDX-License-Identifier: MIT
// The pager's pure structures, each against a plain array that does the same.
#include <string.h>

#include "message.h"
#include "layout.h"
#include "region.h"
#include "sentence.h"
#include "swap.h"
#include "tests/test.h"

#define PAGES 600u  // page numbers 16 .. 615 take part
#define FIRST 16u

static struct region list[REGIONS_MAX];
static struct regions regions;
// What each page is: 0 nothing, else rights + 1; and the file page it shows.
static uint8_t page_rights[FIRST + PAGES];
static uint32_t page_file[FIRST + PAGES];
static uint32_t state;

static uint32_t draw(uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static void start(uint32_t seed) {
    regions = (struct regions){.list = list};
    memset(page_rights, 0, sizeof page_rights);
    state = seed;
}

static struct region region_make(uint32_t first, uint32_t end, uint32_t rights) {
    return (struct region){.first = first & 0xfffffu, .end = end & 0xfffffu,
                           .rights = rights & MAP_RIGHTS, .kind = REGION_ANONYMOUS};
}

static void compare(void) {
    CHECK_EQUAL(region_check(&regions), 0);
    for (uint32_t page = FIRST; page < FIRST + PAGES; page++) {
        const struct region *region = region_find(&regions, page);
        CHECK((region != NULL) == (page_rights[page] != 0));
        CHECK(region == NULL || region->rights == page_rights[page] - 1u);
        if (region != NULL && region->kind == REGION_FILE) {
            CHECK_EQUAL(region->file_page + (page - region->first), page_file[page]);
        }
    }
}

TEST(region_refuses_overlap, "a region that overlaps another is refused and changes nothing") {
    start(1);
    struct region a = region_make(100, 110, MAP_READ), b = region_make(109, 120, MAP_READ);
    struct region c = region_make(90, 101, MAP_READ), d = region_make(50, 200, MAP_READ);
    CHECK_EQUAL(region_add(&regions, &a), OK);
    CHECK_EQUAL(region_add(&regions, &b), E_MAPPED);
    CHECK_EQUAL(region_add(&regions, &c), E_MAPPED);
    CHECK_EQUAL(region_add(&regions, &d), E_MAPPED);
    CHECK_EQUAL(regions.count, 1);
}

TEST(region_protect_needs_all, "rights are changed only where every page has a region") {
    start(1);
    struct region a = region_make(100, 110, MAP_READ), b = region_make(112, 120, MAP_READ);
    struct region guard = {.first = 120, .end = 130, .kind = REGION_GUARD};
    CHECK_EQUAL(region_add(&regions, &a), OK);
    CHECK_EQUAL(region_add(&regions, &b), OK);
    CHECK_EQUAL(region_add(&regions, &guard), OK);
    CHECK_EQUAL(region_protect(&regions, 105, 115, MAP_READ | MAP_WRITE), E_UNMAPPED);
    CHECK_EQUAL(region_protect(&regions, 115, 125, MAP_READ | MAP_WRITE), E_UNMAPPED);
    CHECK_EQUAL(region_protect(&regions, 95, 105, MAP_READ | MAP_WRITE), E_UNMAPPED);
    CHECK_EQUAL(regions.count, 3);
}

TEST(region_limit, "at the limit of regions, splits are refused and joins still work") {
    start(1);
    for (uint32_t i = 0; i < REGIONS_MAX; i++) {
        struct region region = region_make(100 + i * 8, 104 + i * 8, MAP_READ);
        CHECK_EQUAL(region_add(&regions, &region), OK);
    }
    struct region more = region_make(90, 92, MAP_READ), joined = region_make(104, 108, MAP_READ);
    CHECK_EQUAL(region_add(&regions, &more), E_LIMIT);
    CHECK_EQUAL(region_remove(&regions, 101, 102), E_LIMIT);
    CHECK_EQUAL(region_protect(&regions, 101, 102, MAP_READ | MAP_WRITE), E_LIMIT);
    CHECK_EQUAL(regions.count, REGIONS_MAX);
    CHECK_EQUAL(region_add(&regions, &joined), OK);
    CHECK_EQUAL(regions.count, REGIONS_MAX - 1);
    CHECK_EQUAL(region_remove(&regions, 101, 102), OK);
    CHECK_EQUAL(region_check(&regions), 0);
}

TEST(region_random, "random adding, cutting and protecting does what an array of pages does") {
    static const uint8_t rights[] = {MAP_READ, MAP_READ | MAP_WRITE, MAP_READ | MAP_EXECUTE};
    for (uint32_t seed = 1; seed <= 20; seed++) {
        start(seed);
        for (uint32_t step = 0; step < 300; step++) {
            uint32_t first = FIRST + draw(PAGES - 40), end = first + 1 + draw(40);
            uint32_t right = rights[draw(3)], choice = draw(4);
            int is_free = 1, is_whole = 1;
            for (uint32_t page = first; page < end; page++) {
                is_free &= page_rights[page] == 0;
                is_whole &= page_rights[page] != 0;
            }
            struct region region = region_make(first, end, right);
            if (draw(2)) {
                region.kind = REGION_FILE;
                region.file_page = first + 1000;
            }
            error_t error = choice < 2    ? region_add(&regions, &region)
                            : choice == 2 ? region_remove(&regions, first, end)
                                          : region_protect(&regions, first, end, right);
            error_t expected = choice < 2    ? (is_free ? OK : E_MAPPED)
                               : choice == 2 ? OK
                                             : (is_whole ? OK : E_UNMAPPED);
            CHECK_EQUAL(error, expected);
            for (uint32_t page = first; page < end && error == OK; page++) {
                page_rights[page] = choice == 2 ? 0 : (uint8_t)(right + 1);
                page_file[page] = page + 1000;
            }
            compare();
        }
    }
}

TEST(region_gap_fits, "a gap is the lowest that is long enough, and none is invented") {
    start(1);
    struct region a = region_make(100, 110, MAP_READ), b = region_make(112, 120, MAP_READ);
    CHECK_EQUAL(region_add(&regions, &a), OK);
    CHECK_EQUAL(region_add(&regions, &b), OK);
    CHECK_EQUAL(region_gap(&regions, 2, 100, 200), 110);
    CHECK_EQUAL(region_gap(&regions, 3, 100, 200), 120);
    CHECK_EQUAL(region_gap(&regions, 4, 96, 200), 96);
    CHECK_EQUAL(region_gap(&regions, 80, 100, 200), 120);
    CHECK_EQUAL(region_gap(&regions, 81, 100, 200), 0);
    CHECK_EQUAL(region_gap(&regions, 0xfffff, 100, 200), 0);
}

TEST(swap_takes_each_once, "every page of the store but the first is handed out once, then none") {
    static uint32_t bits[SWAP_WORDS(100)];
    static uint8_t seen[100];
    struct swap swap;
    memset(bits, 0, sizeof bits);
    swap_init(&swap, NULL, 0);
    CHECK_EQUAL(swap_take(&swap), SWAP_NONE);
    swap_init(&swap, bits, 100);
    for (uint32_t i = 1; i < 100; i++) {
        uint32_t page = swap_take(&swap);
        CHECK(page > 0 && page < 100 && !seen[page]);
        seen[page] = 1;
    }
    CHECK_EQUAL(swap_take(&swap), SWAP_NONE);
    swap_release(&swap, 42);
    swap_release(&swap, SWAP_NONE);
    CHECK_EQUAL(swap_check(&swap), 0);
    CHECK_EQUAL(swap_take(&swap), 42);
}

TEST(sentence_is_cut, "a line that is too long is cut and still ends with 0") {
    char text[12];
    struct sentence line = {text, 0, sizeof text};
    sentence_hex(&line, 0x0804812a);
    CHECK_TEXT(text, "0x0804812a");
    sentence_number(&line, 4000000000u);
    CHECK_TEXT(text, "0x0804812a4");
    CHECK_EQUAL(line.length, 11);
}
