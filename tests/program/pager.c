// SPDX-License-Identifier: MIT
// A program that changes its own memory at random, beside messages that mean nothing: every page
// stays what an array of pages would be, and the pager's laws hold.
#include <stdint.h>
#include <string.h>

#include "../test.h"
#include "stubs.h"

#define PAGER HANDLE(SLOT_PAGER)
#define FIRST 0x60000000u  // pages 0 to PAGES - 1 of the window that is played with
#define PAGES 200u
#define STEPS 4000u
#define MESSAGES 20000u

// What a page of the window should be: rights + 1 (0: nothing is there), and its first word.
static struct {
    uint8_t rights;
    uint32_t word;
} page[PAGES];
static uint32_t seed = 1;

static uint32_t draw(uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static uint32_t address_of(uint32_t number) {
    return FIRST + number * PAGE_SIZE;
}

static volatile uint32_t *word_of(uint32_t number) {
    return (volatile uint32_t *)address_of(number);
}

// What the pager tells a program. The walk over all its structures is init's to ask for: it does so
// as the system ends, and a broken law fails the suite then.
static void violations_none(void) {
    struct pager_stats_out out;
    CHECK_EQUAL(pager_stats(PAGER, 0, &out), OK);
    CHECK_EQUAL(out.violations, 0);
}

static int all(uint32_t first, uint32_t count, int there) {
    for (uint32_t i = first; i < first + count; i++) {
        if ((page[i].rights != 0) != there) {
            return 0;
        }
    }
    return 1;
}

static void set(uint32_t first, uint32_t count, uint32_t rights, int keep) {
    for (uint32_t i = first; i < first + count; i++) {
        page[i].rights = (uint8_t)rights;
        page[i].word = keep ? page[i].word : 0;
    }
}

static void map(uint32_t first, uint32_t count, uint32_t rights) {
    struct pager_map_out out;
    CHECK_EQUAL(pager_map(PAGER, address_of(first), count * PAGE_SIZE, rights, &out), OK);
    if (all(first, count, 0)) {
        CHECK_EQUAL(out.address, address_of(first));
        set(first, count, rights + 1, 0);
    } else {
        CHECK(out.address != address_of(first));
        CHECK_EQUAL(pager_unmap(PAGER, out.address, count * PAGE_SIZE), OK);
    }
}

static void protect(uint32_t first, uint32_t count, uint32_t rights) {
    error_t error = pager_protect(PAGER, address_of(first), count * PAGE_SIZE, rights);
    CHECK_EQUAL(error, all(first, count, 1) ? OK : E_UNMAPPED);
    if (error == OK) {
        set(first, count, rights + 1, 1);
    }
}

static void forget(uint32_t first, uint32_t count) {
    CHECK_EQUAL(pager_advise(PAGER, address_of(first), count * PAGE_SIZE, ADVICE_FREE), OK);
    for (uint32_t i = first; i < first + count; i++) {
        page[i].word = 0;
    }
}

static void use(uint32_t number) {
    if (page[number].rights == 0 || !((page[number].rights - 1u) & MAP_READ)) {
        return;
    }
    CHECK_EQUAL(*word_of(number), page[number].word);
    if ((page[number].rights - 1u) & MAP_WRITE) {
        page[number].word = seed;
        *word_of(number) = seed;
    }
}

TEST(pager_memory_random, "random map, unmap, protect, advise and use do what an array would do") {
    static const uint8_t rights[] = {0, MAP_READ, MAP_READ | MAP_WRITE, MAP_READ | MAP_WRITE};
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t first = draw(PAGES - 24), count = 1 + draw(24), choice = draw(24);
        if (choice < 2) {
            map(first, count, rights[draw(4)]);
        } else if (choice == 2) {
            CHECK_EQUAL(pager_unmap(PAGER, address_of(first), count * PAGE_SIZE), OK);
            set(first, count, 0, 0);
        } else if (choice == 3) {
            protect(first, count, rights[draw(4)]);
        } else if (choice == 4) {
            forget(first, count);
        } else {
            use(draw(PAGES));
        }
    }
    for (uint32_t number = 0; number < PAGES; number++) {
        use(number);
    }
    violations_none();
    CHECK_EQUAL(pager_unmap(PAGER, FIRST, PAGES * PAGE_SIZE), OK);
    set(0, PAGES, 0, 0);
}

TEST(pager_regions_end, "regions end at a limit, and the program lives on") {
    struct pager_map_out out;
    uint32_t count = 0;
    error_t error = OK;
    while (error == OK && count < 1000) {  // every second page: nothing can be joined
        error = pager_map(PAGER, FIRST + 2 * count * PAGE_SIZE, PAGE_SIZE, MAP_READ, &out);
        count += error == OK;
    }
    CHECK_EQUAL(error, E_LIMIT);
    CHECK(count > 200);
    CHECK_EQUAL(pager_unmap(PAGER, FIRST, 2000 * PAGE_SIZE), OK);
    CHECK_EQUAL(pager_map(PAGER, 0, PAGE_SIZE, MAP_READ, &out), OK);
    CHECK_EQUAL(pager_unmap(PAGER, out.address, PAGE_SIZE), OK);
    violations_none();
}

// A word that a hostile program would send; no address of what this program lives in.
static uint32_t nonsense(void) {
    static const uint32_t words[] = {0, 1, 7, 4095, 4096, 0x7fffffff, 0x80000000, 0xb0000000,
                                     0xbffff000, 0xc0000000, 0xfffff000, 0xffffffff};
    return draw(2) ? words[draw(sizeof words / sizeof *words)] : FIRST + (draw(1u << 24) << 4);
}

TEST(pager_nonsense, "twenty thousand messages that mean nothing change nothing that matters") {
    static uint32_t kept[4 * PAGE_SIZE / 4];
    for (uint32_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        kept[i] = i * 2654435761u;
    }
    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint32_t in[8], out[TAG_WORDS_MAX];
        for (uint32_t word = 0; word < 8; word++) {
            in[word] = nonsense();
        }
        // Word 0 of most messages is an address: low ones could be this program's own.
        in[0] = in[0] < FIRST ? in[0] | 1 : in[0];
        (void)!ipc_call(PAGER, INTERFACE_pager << 8 | draw(40), in, draw(9), out, TAG_WORDS_MAX, 0);
    }
    for (uint32_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        CHECK_EQUAL(kept[i], i * 2654435761u);
    }
    CHECK_EQUAL(pager_unmap(PAGER, FIRST, 0x20000000), OK);
    violations_none();
}
