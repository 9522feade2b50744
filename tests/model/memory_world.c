// SPDX-License-Identifier: MIT
// Three tasks, each with a pool of its own, share four user frames: who owns them, who maps them
// where. Every answer of the kernel is foretold from a plain list of owners and maps.
#include <stdio.h>
#include <string.h>
#include "machine.h"
#include "kernel/window.h"
#include "worlds.h"

enum { TASKS = 3, USERS = 4, PAGES = 2, MAPS = 3, NOBODY = 0xff, NOTHING = 0xff };
enum { LOW = 22, RESERVED = 8, LOW_RESERVED = 4, TASK_NEEDS = 2 };
enum kind { ALLOC, FREE, GIVE, MAP, MAP_BOTH, MAP_WRONG, UNMAP, PROTECT, TRIM };
static const char *const kind_name[] = {"alloc", "free", "give", "map", "map both", "map wrong",
                                        "unmap", "protect", "trim"};

// Two tables of one directory.
static const vaddr_t page_at[PAGES] = {0x40001000u, 0x40200000u};

static struct action {
    uint8_t kind, task, other, frame, page, rights;
} action[512];
static uint32_t operations;

static struct task *task[TASKS];
static uint32_t first_user;

static struct {
    uint8_t owner[USERS];  // task, or NOBODY: free
    struct {
        uint8_t frame, rights;
    } map[TASKS][PAGES];
} shadow;

static void add(enum kind kind, uint32_t who, uint32_t other, uint32_t frame, uint32_t page,
                uint32_t rights) {
    action[operations++] = (struct action){(uint8_t)kind, (uint8_t)who, (uint8_t)other,
                                                 (uint8_t)frame, (uint8_t)page, (uint8_t)rights};
}

// What `who` can do to `other`, and with frame `f`.
static void add_pair(uint32_t who, uint32_t other) {
    for (uint32_t f = 0; f < USERS; f++) {
        add(GIVE, who, other, f, 0, 0);
        add(MAP, who, other, f, 0, MAP_READ);
        add(MAP, who, other, f, 1, MAP_READ | MAP_EXECUTE);
        add(MAP_BOTH, who, other, f, 0, MAP_READ);
    }
}

static void operations_make(void) {
    operations = 0;
    for (uint32_t who = 0; who < TASKS; who++) {
        add(ALLOC, who, 0, 0, 0, 0);
        add(TRIM, who, 0, 0, 0, 0);
        add(MAP_WRONG, who, who, 0, 0, MAP_READ | MAP_WRITE | MAP_EXECUTE);
        for (uint32_t f = 0; f < USERS; f++) {
            add(FREE, who, 0, f, 0, 0);
        }
        for (uint32_t page = 0; page < PAGES; page++) {
            add(UNMAP, who, 0, 0, page, 0);
        }
        add(PROTECT, who, 0, 0, 0, MAP_READ);
        add(PROTECT, who, 0, 0, 0, MAP_READ | MAP_WRITE);
        for (uint32_t other = 0; other < TASKS; other++) {
            add_pair(who, other);
        }
    }
}

static void make(void) {
    struct pool *root = machine_make(LOW, USERS);
    first_user = 2 + LOW;
    operations_make();
    memset(&shadow, NOBODY, sizeof shadow);
    for (uint32_t i = 0; i < TASKS; i++) {
        task[i] = machine_task(root, RESERVED, LOW_RESERVED);
    }
    for (uint32_t i = 0; i < TASKS; i++) {
        for (uint32_t j = 0; j < TASKS; j++) {
            handle_set(task[i], 1 + j, task[j]->pool->object, RIGHT_ALL, 0);
        }
    }
    machine_shadow(&shadow, sizeof shadow);
}

// --- what the kernel must answer -----------------------------------------------------------------

static uint32_t maps_of(uint32_t frame) {
    uint32_t maps = 0;
    for (uint32_t i = 0; i < TASKS * PAGES; i++) {
        maps += shadow.map[i / PAGES][i % PAGES].frame == frame;
    }
    return maps;
}

static bool is_free(uint32_t who, uint32_t page) {
    return shadow.map[who][page].frame == NOTHING;
}

static error_t foretell(const struct action *o) {
    bool owned = shadow.owner[o->frame] == o->task;
    switch ((enum kind)o->kind) {
    case FREE:
    case GIVE:
        return !owned ? E_OWNER : maps_of(o->frame) > 0 ? E_MAPPED : OK;
    case MAP:
        return !owned ? E_OWNER : is_free(o->other, o->page) ? OK : E_MAPPED;
    case MAP_BOTH:
        return !owned ? E_OWNER : is_free(o->other, 0) && is_free(o->other, 1) ? OK : E_MAPPED;
    case MAP_WRONG:
        return E_WX;
    case UNMAP:
    case PROTECT:
        return is_free(o->task, o->page) ? E_UNMAPPED : OK;
    case ALLOC:
    case TRIM:
        return OK;
    }
    return OK;
}

// The most kernel frames that it may take: what a refusal for want of memory is measured by.
static bool short_for(const struct action *o) {
    switch ((enum kind)o->kind) {
    case ALLOC:
        return task[o->task]->pool->used == RESERVED;
    case GIVE:
        return task[o->other]->pool->used == RESERVED;
    case MAP:
    case MAP_BOTH:
        return machine_short(task[o->other]->pool, 1 + (o->kind == MAP_BOTH) + 1);
    default:
        return false;
    }
}

// --- the operations ------------------------------------------------------------------------------

static void item_set(uint32_t at, vaddr_t page, frame_t frame) {
    machine_buffer.list[at] = (struct map_item){page, frame << 8};
}

static error_t alloc(const struct action *o) {
    struct invocation ask = machine_ask(task[o->task], task[o->task]->pool->object);
    struct pool_frames_alloc_out out;
    error_t error =
        answer_pool_frames_alloc(&ask, &(struct pool_frames_alloc_in){1, FRAMES_ANY}, &out);
    if (error == OK) {
        shadow.owner[ITEM_FRAME(machine_buffer.list[0]) - first_user] = o->task;
    }
    return error;
}

static error_t leave(const struct action *o) {
    struct pool *pool = task[o->task]->pool;
    struct invocation ask = machine_ask(task[o->task], pool->object);
    frame_t frame = first_user + o->frame;
    item_set(0, 0, frame);
    if (o->kind == GIVE) {
        struct pool_frames_give_out out;
        error_t error = answer_pool_frames_give(
            &ask, &(struct pool_frames_give_in){1, HANDLE(1 + o->other)}, &out);
        if (planted == BUG_GIVE_TO_NOBODY && error == OK) {
            task[o->other]->pool->used--;
        }
        if (planted == BUG_REFUSED_GIVE_ACTS && error == E_MAPPED) {
            frame_entry(frame)->maps ^= FRAME_PIN;
        }
        return error;
    }
    struct pool_frames_free_out out;
    error_t error = answer_pool_frames_free(&ask, &(struct pool_frames_free_in){1}, &out);
    if (planted == BUG_FREE_KEEPS_BIT && error == OK) {
        bitmap_clear(&frames.bitmap, frame);
    }
    if (planted == BUG_FREE_KEEPS_CHARGE && error == OK) {
        pool->used++;
    }
    return error;
}

static error_t map(const struct action *o) {
    struct invocation ask = machine_ask(task[o->task], task[o->other]->object);
    struct task_map_out out;
    uint32_t count = 1 + (o->kind == MAP_BOTH);
    for (uint32_t i = 0; i < count; i++) {
        item_set(i, page_at[o->page + i] | o->rights, first_user + o->frame);
    }
    error_t error = answer_task_map(&ask, &(struct task_map_in){count}, &out);
    if (planted == BUG_MAP_ENTRY_UNCOUNTED && error == OK) {
        frame_entry(window_frame(space_entry(&task[o->other]->space, page_at[o->page])))->maps--;
    }
    return error;
}

static error_t change(const struct action *o) {
    struct invocation ask = machine_ask(task[o->task], task[o->task]->object);
    struct task_unmap_out unmapped;
    struct task_protect_out protected;
    item_set(0, page_at[o->page] | o->rights, 0);
    error_t error =
        o->kind == UNMAP ? answer_task_unmap(&ask, &(struct task_unmap_in){1}, &unmapped)
                         : answer_task_protect(&ask, &(struct task_protect_in){1}, &protected);
    uint64_t *entry = space_entry(&task[o->task]->space, page_at[o->page]);
    if (planted == BUG_UNMAP_KEEPS_COUNT && o->kind == UNMAP && error == OK) {
        frame_entry(ITEM_FRAME(machine_buffer.list[0]))->maps++;
    }
    if (planted == BUG_PROTECT_KEEPS_WRITE && o->rights == MAP_READ && error == OK) {
        *entry |= ENTRY_WRITE;
    }
    return error;
}

// As tables_trim does, but for tables that the machine is too small to have.
static error_t trim(const struct action *o) {
    for (uint32_t page = 0; page < PAGES; page++) {
        (void)space_trim(&task[o->task]->space, page_at[page]);
    }
    return OK;
}

static void note(const struct action *o) {
    uint32_t who = o->kind == MAP || o->kind == MAP_BOTH ? o->other : o->task;
    switch ((enum kind)o->kind) {
    case FREE:
        shadow.owner[o->frame] = NOBODY;
        break;
    case GIVE:
        shadow.owner[o->frame] = o->other;
        break;
    case MAP_BOTH:
    case MAP:
        for (uint32_t page = o->page; page <= o->page + 0u + (o->kind == MAP_BOTH); page++) {
            shadow.map[who][page].frame = o->frame;
            shadow.map[who][page].rights = o->rights;
        }
        break;
    case UNMAP:
        shadow.map[who][o->page].frame = shadow.map[who][o->page].rights = NOTHING;
        break;
    case PROTECT:
        shadow.map[who][o->page].rights = o->rights;
        break;
    default:
        break;
    }
}

// --- what must be --------------------------------------------------------------------------------

static const char *entry_wrong(uint32_t who, uint32_t page) {
    const uint64_t *entry = space_entry(&task[who]->space, page_at[page]);
    bool present = entry != NULL && *entry & ENTRY_PRESENT;
    uint8_t rights = shadow.map[who][page].rights;
    if (present == is_free(who, page)) {
        return "what is mapped is mapped, and nothing else";
    }
    if (!present) {
        return NULL;
    }
    if (ENTRY_FRAME(*entry) != first_user + shadow.map[who][page].frame) {
        return "an entry names the frame that was asked for";
    }
    bool as_asked = !(*entry & ENTRY_WRITE) == !(rights & MAP_WRITE) &&
                    !(*entry & ENTRY_NO_EXECUTE) == !!(rights & MAP_EXECUTE) && *entry & ENTRY_USER;
    return as_asked ? NULL : "an entry has the rights that were asked for";
}

static const char *wrong(void) {
    for (uint32_t f = 0; f < USERS; f++) {
        const struct frame *entry = frame_entry(first_user + f);
        uint8_t owner = shadow.owner[f];
        if (owner == NOBODY ? entry->type != FRAME_FREE
                            : entry->type != FRAME_USER ||
                                  entry->pool != pool_number(task[owner]->pool)) {
            return "a frame is whose it should be";
        }
        if (entry->maps != maps_of(f)) {
            return "a frame is mapped as often as the list says";
        }
    }
    const char *text = NULL;
    for (uint32_t i = 0; i < TASKS * PAGES && text == NULL; i++) {
        text = entry_wrong(i / PAGES, i % PAGES);
    }
    return text;
}

// Another frame in the same place: what is tried with that one need not be tried with this.
static bool has_twin(uint32_t frame) {
    for (uint32_t f = 0; f < frame; f++) {
        if (shadow.owner[f] == shadow.owner[frame] && maps_of(f) == 0 && maps_of(frame) == 0) {
            return true;
        }
    }
    return false;
}

// Beyond what is searched: a fifth user frame, a fifth map.
static bool is_beyond(const struct action *o) {
    uint32_t maps = 0, free = 0;
    for (uint32_t f = 0; f < USERS; f++) {
        maps += maps_of(f);
        free += shadow.owner[f] == NOBODY;
    }
    return o->kind == ALLOC ? free == 0
                            : (o->kind == MAP || o->kind == MAP_BOTH) &&
                                  maps + 1 + (o->kind == MAP_BOTH) > MAPS;
}

static bool skips(uint32_t number) {
    const struct action *o = &action[number];
    return has_twin(o->frame) || (foretell(o) == OK && is_beyond(o));
}

static struct step step(uint32_t number) {
    static error_t (*const act[])(const struct action *) = {alloc, leave,  leave,  map, map,
                                                               map,   change, change, trim};
    const struct action *o = &action[number];
    error_t expected = foretell(o);
    error_t error = act[o->kind](o);
    if (error == OK && expected == OK) {
        note(o);
    }
    bool two_reasons = o->kind == MAP_BOTH && expected == E_MAPPED;  // the first page is the first
    bool excused = error == E_MEMORY && (expected == OK || two_reasons) && short_for(o);
    if (error != expected && !excused) {
        return (struct step){error, "the answer is the one that was foretold"};
    }
    return (struct step){error, wrong()};
}

static void describe(uint32_t number, char *text, size_t room) {
    const struct action *o = &action[number];
    snprintf(text, room, "%s(%u,%u,f%u,p%u,%u)", kind_name[o->kind], o->task, o->other, o->frame,
             o->page, o->rights);
}

// --- the state, whatever the names -----------------------------------------------------------------

static const uint8_t order[6][TASKS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

// A frame is what it is by its owner and its places.
static uint32_t frame_view(uint32_t frame, const uint8_t *place_of) {
    uint32_t sum = shadow.owner[frame] == NOBODY ? 0 : 1u + place_of[shadow.owner[frame]];
    for (uint32_t i = 0; i < TASKS * PAGES; i++) {
        if (shadow.map[i / PAGES][i % PAGES].frame == frame) {
            sum |= (shadow.map[i / PAGES][i % PAGES].rights & 7u)
                   << (4 + 4 * (place_of[i / PAGES] * PAGES + i % PAGES));
        }
    }
    return sum;
}

static uint64_t task_view(uint64_t sum, const struct task *one) {
    sum = mix(sum, one->pool->used | one->pool->low_used << 8);
    for (uint32_t page = 0; page < PAGES; page++) {
        sum = mix(sum, space_entry(&one->space, page_at[page]) != NULL);
    }
    return mix(sum, one->space.directory[1] != NULL);
}

static uint64_t view_in(const uint8_t *place_of) {
    uint32_t frame[USERS];
    for (uint32_t f = 0; f < USERS; f++) {
        uint32_t value = frame_view(f, place_of), at = f;
        for (; at > 0 && frame[at - 1] > value; at--) {
            frame[at] = frame[at - 1];
        }
        frame[at] = value;
    }
    uint64_t sum = frames.promised;
    for (uint32_t f = 0; f < USERS; f++) {
        sum = mix(sum, frame[f]);
    }
    for (uint32_t place = 0; place < TASKS; place++) {
        for (uint32_t i = 0; i < TASKS; i++) {
            sum = place_of[i] == place ? task_view(sum, task[i]) : sum;
        }
    }
    return sum;
}

static uint64_t exact(void) {
    return view_in(order[0]);
}

static uint64_t view(void) {
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < ARRAY_LENGTH(order); i++) {
        uint64_t sum = view_in(order[i]);
        least = MIN_OF(least, sum);
    }
    return least;
}

const struct world *memory_world(void) {
    static struct world world = {"memory", make, 0, skips, step, describe, exact, view};
    operations_make();
    world.operations = operations;
    return &world;
}
