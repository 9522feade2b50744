// SPDX-License-Identifier: MIT
// Three pools that are split off the root or each other, take user frames, pay for an object and a
// task each, map a frame of one into a task of another, end and are reaped; in so little memory that
// all of it can fail.
#include <stdio.h>
#include <string.h>
#include "kernel/reap.h"
#include "machine.h"
#include "worlds.h"

enum { POOLS = 3, ROOT = POOLS, GONE, LOW = 19, USERS = 4, REAP_SLICES = 32 };
enum kind { SPLIT, END, REAP, TAKE, RELEASE, OBJECT, OBJECT_END, TASK, MAP };
static const char *const kind_name[] = {"split",  "end",        "reap", "take", "release",
                                        "object", "object end", "task", "map"};
static const vaddr_t page = 0x40001000u;

static struct action {
    uint8_t kind, pool, other, reserved, low;
} action[64];
static uint32_t actions;

// What each pool should be; `mapped`: 1 + whose frame its task maps, 0: no frame.
static struct {
    struct pool *pool[POOLS + 1];
    struct object *object[POOLS];
    struct task *task[POOLS];
    uint8_t parent[POOLS], reserved[POOLS], users[POOLS], mapped[POOLS];
} shadow;

static void add(enum kind kind, uint32_t pool, uint32_t other, uint32_t reserved, uint32_t low) {
    action[actions++] = (struct action){(uint8_t)kind, (uint8_t)pool, (uint8_t)other,
                                        (uint8_t)reserved, (uint8_t)low};
}

static void actions_make(void) {
    actions = 0;
    for (uint32_t pool = 0; pool < POOLS; pool++) {
        for (uint32_t other = 0; other <= POOLS; other++) {
            add(SPLIT, pool, other, 7, 3);
            add(SPLIT, pool, other, 2, 0);
        }
        for (uint32_t kind = END; kind <= TASK; kind++) {
            add((enum kind)kind, pool, 0, 0, 0);
        }
        for (uint32_t other = 0; other < POOLS; other++) {
            add(MAP, pool, other, 0, 0);
        }
    }
}

static void make(void) {
    memset(&shadow, 0, sizeof shadow);
    memset(shadow.parent, GONE, sizeof shadow.parent);
    shadow.pool[ROOT] = machine_make(LOW, 0);  // users and kernel take of the same frames
    machine_shadow(&shadow, sizeof shadow);
}

static bool is_there(uint32_t pool) {
    return pool == ROOT || shadow.parent[pool] != GONE;
}

static bool is_below(uint32_t pool, uint32_t top) {
    while (pool != top && pool < ROOT) {
        pool = shadow.parent[pool];
    }
    return pool == top;
}

static uint32_t children(uint32_t pool) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < POOLS; i++) {
        count += shadow.parent[i] == pool;
    }
    return count;
}

// Frames of the pools below are mapped by tasks that are not.
static bool is_held(uint32_t pool) {
    for (uint32_t i = 0; i < POOLS; i++) {
        uint32_t owner = shadow.mapped[i] - 1u;
        if (shadow.mapped[i] != 0 && is_below(owner, pool) && !is_below(i, pool)) {
            return true;
        }
    }
    return false;
}

static frame_t free_user(uint32_t pool) {
    for (frame_t frame = 0; frame < frames.count; frame++) {
        if (pool_owns(shadow.pool[pool], frame) && frame_entry(frame)->maps == 0) {
            return frame;
        }
    }
    return FRAME_NONE;
}

// What cannot be tried here, or has been under another name.
static bool skips(uint32_t number) {
    const struct action *a = &action[number];
    if (a->kind == SPLIT) {
        return is_there(a->pool) || !is_there(a->other) || (a->pool > 0 && !is_there(a->pool - 1u));
    }
    if (!is_there(a->pool)) {
        return true;
    }
    switch ((enum kind)a->kind) {
    case REAP:
        return is_held(a->pool);  // it would end half way
    case TAKE:
        return shadow.users[0] + shadow.users[1] + shadow.users[2] == USERS;
    case RELEASE:
        return free_user(a->pool) == FRAME_NONE;
    case OBJECT:
        return shadow.object[a->pool] != NULL;
    case OBJECT_END:
        return shadow.object[a->pool] == NULL;
    case TASK:
        return shadow.task[a->pool] != NULL;
    case MAP:
        return free_user(a->pool) == FRAME_NONE || !is_there(a->other) ||
               shadow.task[a->other] == NULL || shadow.mapped[a->other] != 0;
    default:
        return false;
    }
}

// --- the operations ------------------------------------------------------------------------------

// A big pool may hold a small one.
static uint32_t slots_of(const struct action *a) {
    return a->low > 0 ? 5 : 1;
}

static error_t split(const struct action *a) {
    struct pool *pool = pool_split(shadow.pool[a->other], a->reserved, a->low, slots_of(a));
    if (pool == NULL) {
        return E_MEMORY;
    }
    shadow.pool[a->pool] = pool;
    shadow.parent[a->pool] = a->other;
    shadow.reserved[a->pool] = a->reserved;
    return OK;
}

static error_t end(const struct action *a) {
    struct pool *parent = shadow.pool[a->pool]->parent;
    uint32_t low = shadow.pool[a->pool]->low_reserved;
    error_t error = pool_end(shadow.pool[a->pool]);
    if (error == OK) {
        frames.promised += planted == BUG_END_KEEPS_PROMISE ? low : 0;
        parent->split += planted == BUG_END_KEEPS_SPLIT ? shadow.reserved[a->pool] : 0;
        shadow.parent[a->pool] = GONE;
        shadow.reserved[a->pool] = 0;
    }
    return error;
}

static void forget(uint32_t pool, uint32_t top) {
    shadow.users[pool] = shadow.mapped[pool] = 0;
    shadow.object[pool] = NULL;
    shadow.task[pool] = NULL;
    if (pool != top) {
        shadow.parent[pool] = GONE;
        shadow.reserved[pool] = 0;
    }
}

// To its end: nothing is left of what the pool and those below it paid for.
static error_t reap(const struct action *a) {
    bool left = true, below[POOLS];
    error_t error = OK;
    for (uint32_t i = 0; i < REAP_SLICES && left && error == OK; i++) {
        error = pool_reap(shadow.pool[a->pool], &left);
    }
    for (uint32_t i = 0; i < POOLS; i++) {
        below[i] = is_there(i) && is_below(i, a->pool);
    }
    for (uint32_t i = 0; i < POOLS; i++) {
        if (below[i]) {
            forget(i, a->pool);
        }
    }
    return left && error == OK ? E_STATE : error;
}

static error_t take(const struct action *a) {
    frame_t frame = pool_take(shadow.pool[a->pool], FRAME_USER);
    shadow.users[a->pool] += frame != FRAME_NONE;
    return frame == FRAME_NONE ? E_MEMORY : OK;
}

static error_t release(const struct action *a) {
    pool_release(shadow.pool[a->pool], free_user(a->pool));
    shadow.users[a->pool]--;
    return OK;
}

static error_t object(const struct action *a) {
    shadow.object[a->pool] = object_create(OBJECT_PORTS, 40, shadow.pool[a->pool]);
    return shadow.object[a->pool] == NULL ? E_MEMORY : OK;
}

static error_t object_end(const struct action *a) {
    object_destroy(shadow.object[a->pool]);
    shadow.object[a->pool] = NULL;
    return OK;
}

static error_t task(const struct action *a) {
    shadow.task[a->pool] = task_create(shadow.pool[a->pool], 2, 0, PRIORITY_MAX);
    return shadow.task[a->pool] == NULL ? E_MEMORY : OK;
}

static error_t map(const struct action *a) {
    struct task *into = shadow.task[a->other];
    struct map_item item = {page | MAP_READ, free_user(a->pool) << 8};
    error_t error = space_map_one(&into->space, &item, shadow.pool[a->pool]);
    shadow.mapped[a->other] = error == OK ? a->pool + 1 : 0;
    return error;
}

// --- what must be --------------------------------------------------------------------------------

static error_t foretell(const struct action *a) {
    if (a->kind != END) {
        return OK;
    }
    bool owns = shadow.users[a->pool] > 0 || shadow.object[a->pool] != NULL ||
                shadow.task[a->pool] != NULL || children(a->pool) > 0;
    return owns ? E_STATE : OK;
}

// A frame more than what it needs at most: so near to the end a refusal is right.
static bool short_for(const struct action *a) {
    const struct pool *pool = shadow.pool[a->kind == SPLIT || a->kind == MAP ? a->other : a->pool];
    static const uint8_t needs[] = {[TAKE] = 1, [OBJECT] = 1, [TASK] = 3, [MAP] = 2};
    if (a->kind == SPLIT) {
        return machine_short(pool, a->reserved + 1u) || machine_short(pool, a->low + 1u) ||
               pool->objects + 1 + slots_of(a) + pool->objects_split > pool->objects_reserved;
    }
    bool slot = a->kind == OBJECT || a->kind == TASK;
    return machine_short(pool, needs[a->kind]) ||
           (slot && pool->objects + pool->objects_split == pool->objects_reserved);
}

static const char *wrong(void) {
    for (uint32_t i = 0; i < POOLS; i++) {
        if (!is_there(i)) {
            continue;
        }
        const struct pool *pool = shadow.pool[i];
        uint32_t users = 0, split = 0, objects_there = children(i) + (shadow.object[i] != NULL) +
                                                       (shadow.task[i] != NULL);
        for (frame_t frame = 0; frame < frames.count; frame++) {
            users += pool_owns(pool, frame);
        }
        for (uint32_t child = 0; child < POOLS; child++) {
            split += shadow.parent[child] == i ? shadow.reserved[child] : 0;
        }
        if (users != shadow.users[i] || split != pool->split || pool->reserved != shadow.reserved[i] ||
            pool->parent != shadow.pool[shadow.parent[i]] || pool->objects != objects_there) {
            return "a pool has what it took and split off";
        }
        if (shadow.object[i] == NULL && shadow.task[i] == NULL && children(i) == 0 &&
            pool->used != users) {
            return "a pool without objects pays for user frames only";
        }
    }
    return NULL;
}

static struct step step(uint32_t number) {
    static error_t (*const act[])(const struct action *) = {
        split, end, reap, take, release, object, object_end, task, map};
    const struct action *a = &action[number];
    error_t expected = foretell(a);
    bool excused = expected == OK && short_for(a);
    error_t error = act[a->kind](a);
    if (error != expected && !(error == E_MEMORY && excused)) {
        return (struct step){error, "the answer is the one that was foretold"};
    }
    return (struct step){error, wrong()};
}

static void describe(uint32_t number, char *text, size_t room) {
    const struct action *a = &action[number];
    snprintf(text, room, "%s(%u,%u,%u,%u)", kind_name[a->kind], a->pool, a->other, a->reserved,
             a->low);
}

// Pools are told apart by their order: names are what they are.
static uint64_t exact(void) {
    uint64_t sum = frames.promised | (uint64_t)frames.free << 16 | (uint64_t)objects.used << 32;
    for (uint32_t i = 0; i < POOLS; i++) {
        sum = mix(sum, shadow.parent[i] | (uint32_t)shadow.reserved[i] << 8 |
                           (uint32_t)shadow.users[i] << 16 | (uint32_t)shadow.mapped[i] << 24);
        sum = mix(sum, (shadow.object[i] != NULL) | (shadow.task[i] != NULL) << 1);
        if (is_there(i)) {
            const struct pool *pool = shadow.pool[i];
            sum = mix(sum, pool->used | (uint64_t)pool->low_used << 16 |
                               (uint64_t)pool->low_reserved << 32 | (uint64_t)pool->reap_next << 48);
        }
    }
    return sum;
}

const struct world *pool_world(void) {
    static struct world world = {"pools", make, 0, skips, step, describe, exact, exact};
    actions_make();
    world.operations = actions;
    return &world;
}
