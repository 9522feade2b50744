// SPDX-License-Identifier: MIT
// All states of the small worlds keep all laws, and a planted defect does not stay hidden.
#include <stdio.h>
#include <string.h>
#include "machine.h"
#include "tests/test.h"
#include "worlds.h"

static struct found found;

static void explore(const struct world *world, uint32_t least) {
    char text[120];
    search(world, &found);
    int length = snprintf(text, sizeof text, "# %s: %u states, %u steps, depth %u\n", world->name,
                          found.states, found.steps, found.depth);
    test_print(text, (size_t)length);
    if (found.wrong[0] != 0) {
        test_fail(__FILE__, __LINE__, found.wrong);
    }
    CHECK(found.states >= least);
}

// A defect of each kind, the world that must show it, and the last word of the shortest way to it.
static const struct {
    enum bug bug;
    const char *name;
    const struct world *(*world)(void);
    const char *last;
} bugs[] = {
    {BUG_UNMAP_KEEPS_COUNT, "unmap forgets to count down", memory_world, "unmap("},
    {BUG_MAP_ENTRY_UNCOUNTED, "a page table forgets an entry", memory_world, "map("},
    {BUG_PROTECT_KEEPS_WRITE, "protect leaves an entry writable", memory_world, "protect("},
    {BUG_FREE_KEEPS_BIT, "a free frame is not in the bitmap", memory_world, "free("},
    {BUG_FREE_KEEPS_CHARGE, "a pool pays for a free frame", memory_world, "free("},
    {BUG_GIVE_TO_NOBODY, "a frame that is given is counted by nobody", memory_world, "give("},
    {BUG_REFUSED_GIVE_ACTS, "a give that is refused pins the frame", memory_world, "give("},
    {BUG_END_KEEPS_PROMISE, "a pool ends and its promise does not", pool_world, "end("},
    {BUG_END_KEEPS_SPLIT, "a pool ends and its parent stays small", pool_world, "end("},
    {BUG_DESTROY_KEEPS_GENERATION, "a handle survives its object", handle_world, "destroy("},
    {BUG_GIVE_ALL_RIGHTS, "a handle is given with more rights", handle_world, "give("},
};
_Static_assert(ARRAY_LENGTH(bugs) == BUG_COUNT - 1, "each defect is tried");

TEST(model_finds, "each planted defect is found, and the shortest way to it told") {
    for (size_t i = 0; i < ARRAY_LENGTH(bugs); i++) {
        test_case(bugs[i].name);
        planted = bugs[i].bug;
        search(bugs[i].world(), &found);
        planted = BUG_NONE;
        const char *last = strrchr(found.wrong, ' ');
        CHECK(last != NULL);
        CHECK(strncmp(last + 1, bugs[i].last, strlen(bugs[i].last)) == 0);
    }
}

TEST(model_handles, "all states of 3 tasks' handles keep the laws until no object slot is left") {
    explore(handle_world(), 10000);
}

TEST(model_memory, "all states of 4 frames, 3 tasks and their page tables keep the laws") {
    explore(memory_world(), 10000);
}

TEST(model_pools, "all states of 3 pools, their frames, objects and tasks keep the laws") {
    explore(pool_world(), 5000);
}
