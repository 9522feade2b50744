// SPDX-License-Identifier: MIT
// Three tasks with few handle slots, two object slots that objects come and go in until these are
// used up: who holds a handle of what, with which rights; and that none ever names what came later.
#include <stdio.h>
#include <string.h>
#include "kernel/port.h"
#include "machine.h"
#include "worlds.h"

enum { TASKS = 3, SLOTS = 2, OBJECTS = 2, LIVES = 2, LOW = 24, PORT_RANK = 1 };
enum kind { CREATE, GIVE, DROP, DESTROY };
static const char *const kind_name[] = {"create", "give", "drop", "destroy"};
// Few, and such that what one allows another does not.
static const uint8_t rights_of[] = {RIGHT_ALL, RIGHT_CALL | RIGHT_GRANT, RIGHT_CONTROL | RIGHT_GRANT};
static const uint8_t slots_of[TASKS] = {1, 1, 1};
static const uint8_t rank_of[TASKS] = {0, 0, PORT_RANK};

static struct action {
    uint8_t kind, task, slot, other, place, rights, badge;
} action[512];
static uint32_t actions;

static struct task *task[TASKS];

struct shadow_handle {
    uint8_t serial, rights, badge;  // which creation it names, 0: none
};
static struct {
    struct object *object[OBJECTS];
    uint8_t serial[OBJECTS];  // of what lives there, 0: nothing
    bool is_port[OBJECTS];
    uint8_t last;
    struct shadow_handle handle[TASKS][SLOTS];
} shadow;

static void give_add(uint32_t from, uint32_t slot, uint32_t to, uint32_t place) {
    for (uint32_t rights = 0; rights < ARRAY_LENGTH(rights_of); rights++) {
        for (uint32_t badge = 0; badge < 2; badge++) {
            action[actions++] =
                (struct action){GIVE, (uint8_t)from, (uint8_t)slot, (uint8_t)to, (uint8_t)place,
                                rights_of[rights], (uint8_t)badge};
        }
    }
}

static void actions_make(void) {
    actions = 0;
    for (uint8_t object = 0; object < OBJECTS; object++) {
        action[actions++] = (struct action){.kind = DESTROY, .slot = object};
    }
    for (uint8_t from = 0; from < TASKS; from++) {
        for (uint8_t slot = 0; slot < slots_of[from]; slot++) {
            action[actions++] = (struct action){.kind = DROP, .task = from, .slot = slot};
            action[actions++] = (struct action){.kind = CREATE, .task = from, .slot = slot};
            action[actions++] = (struct action){.kind = CREATE, .task = from, .slot = slot, .other = 1};
            for (uint8_t to = 0; to < TASKS; to++) {
                for (uint8_t place = 0; place < slots_of[to]; place++) {
                    give_add(from, slot, to, place);
                }
            }
        }
    }
}

static void make(void) {
    struct pool *root = machine_make(LOW, 0);
    memset(&shadow, 0, sizeof shadow);
    for (uint32_t i = 0; i < TASKS; i++) {
        task[i] = machine_task(root, 7, 0);
        task[i]->rank = rank_of[i];
    }
    struct pool *payer[] = {root, task[1]->pool, task[2]->pool};
    for (uint32_t i = 0; i < ARRAY_LENGTH(payer); i++) {
        while (objects.used + OBJECTS + 1 < objects.count &&
               object_create(OBJECT_PORTS, 8, payer[i]) != NULL) {
        }
    }
    uint32_t slot = objects.first_free;
    for (uint32_t i = 0; i < OBJECTS; i++, slot = objects.table[slot].next) {
        shadow.object[i] = &objects.table[slot];
        shadow.object[i]->key += GENERATION_RETIRED - LIVES - object_generation(shadow.object[i]);
    }
    machine_shadow(&shadow, sizeof shadow);
}

// --- what the kernel must answer -----------------------------------------------------------------

// The place of the object that a handle names; OBJECTS: it names none.
static uint32_t named(const struct shadow_handle *handle) {
    uint32_t i = 0;
    while (i < OBJECTS && (handle->serial == 0 || shadow.serial[i] != handle->serial)) {
        i++;
    }
    return i;
}

static bool may_give(const struct action *a) {
    const struct shadow_handle *from = &shadow.handle[a->task][a->slot];
    uint32_t object = named(from);
    if (object == OBJECTS || !(from->rights & RIGHT_GRANT)) {
        return false;
    }
    bool is_port = shadow.is_port[object];
    uint32_t allowed = from->rights;
    allowed |= is_port && from->rights & RIGHT_CONTROL ? RIGHT_CALL : 0;
    bool rank = !is_port || !(a->rights & RIGHT_CALL) || rank_of[a->other] < PORT_RANK;
    return !(a->rights & ~allowed) && (from->badge == 0 || from->badge == a->badge) && rank &&
           named(&shadow.handle[a->other][a->place]) == OBJECTS;
}

static bool may(const struct action *a) {
    switch ((enum kind)a->kind) {
    case GIVE:
        return may_give(a);
    case CREATE:
        return named(&shadow.handle[a->task][a->slot]) == OBJECTS && objects.first_free != 0;
    default:
        return true;
    }
}

static bool skips(uint32_t number) {
    const struct action *a = &action[number];
    return a->kind == DESTROY && shadow.serial[a->slot] == 0;
}

// --- the operations ------------------------------------------------------------------------------

static uint32_t slot_of(uint32_t slot) {
    return 1 + slot;
}

static error_t create(const struct action *a) {
    error_t error = handle_slot_check(task[a->task], slot_of(a->slot));
    struct object *object = NULL;
    if (error == OK) {
        object = object_create(a->other ? OBJECT_PORT : OBJECT_PORTS, sizeof(struct port),
                               task[0]->pool);
        error = object == NULL ? E_MEMORY : OK;
    }
    if (error != OK) {
        return error;
    }
    object->rank = PORT_RANK;
    handle_set(task[a->task], slot_of(a->slot), object, RIGHT_ALL, 0);
    uint32_t place = object == shadow.object[0] ? 0 : 1;
    shadow.serial[place] = ++shadow.last;
    shadow.is_port[place] = a->other;
    shadow.handle[a->task][a->slot] = (struct shadow_handle){shadow.last, RIGHT_ALL, 0};
    return OK;
}

static error_t give(const struct action *a) {
    struct invocation ask = machine_ask(task[a->task], task[a->other]->object);
    struct task_handle_give_in in = {HANDLE(slot_of(a->slot)), slot_of(a->place), a->rights,
                                     a->badge};
    error_t error = answer_task_handle_give(&ask, &in, NULL);
    if (error == OK) {
        shadow.handle[a->other][a->place] = (struct shadow_handle){
            shadow.handle[a->task][a->slot].serial, a->rights, a->badge};
        struct handle_entry *entry = &task[a->other]->handles[slot_of(a->place)];
        entry->rights = planted == BUG_GIVE_ALL_RIGHTS ? RIGHT_ALL : entry->rights;
    }
    return error;
}

static error_t drop(const struct action *a) {
    struct invocation ask = machine_ask(task[a->task], task[a->task]->object);
    struct task_handle_drop_in in = {slot_of(a->slot)};
    error_t error = answer_task_handle_drop(&ask, &in, NULL);
    if (error == OK) {
        shadow.handle[a->task][a->slot] = (struct shadow_handle){0};
    }
    return error;
}

static error_t destroy(const struct action *a) {
    struct object *object = shadow.object[a->slot];
    uint32_t key = object->key;
    object_destroy(object);
    if (planted == BUG_DESTROY_KEEPS_GENERATION) {
        object->key = key;
    }
    shadow.serial[a->slot] = 0;
    return OK;
}

// --- what must be --------------------------------------------------------------------------------

static const char *handle_wrong(uint32_t who, uint32_t slot) {
    const struct shadow_handle *handle = &shadow.handle[who][slot];
    uint32_t object = named(handle);
    static const uint32_t asked[] = {0, RIGHT_CALL, RIGHT_CONTROL, RIGHT_ALL};
    for (uint32_t i = 0; i < ARRAY_LENGTH(asked); i++) {
        error_t error;
        const struct handle_entry *entry =
            handle_find(task[who], HANDLE(slot_of(slot)), OBJECT_NONE, asked[i], &error);
        if (object == OBJECTS) {
            if (entry != NULL || error != E_HANDLE) {
                return "a handle of what has ended names nothing";
            }
        } else if (asked[i] & ~handle->rights) {
            if (entry != NULL || error != E_RIGHT) {
                return "a handle has no right that was not given";
            }
        } else if (entry == NULL || entry->object != shadow.object[object] ||
                   entry->badge != handle->badge) {
            return "a handle names what was given, with its badge";
        }
    }
    return NULL;
}

static struct step step(uint32_t number) {
    static error_t (*const act[])(const struct action *) = {create, give, drop, destroy};
    const struct action *a = &action[number];
    bool allowed = may(a);
    error_t error = act[a->kind](a);
    if ((error == OK) != allowed) {
        return (struct step){error, "what is granted is what may be, and all of it"};
    }
    const char *wrong = NULL;
    for (uint32_t who = 0; who < TASKS; who++) {
        for (uint32_t slot = 0; slot < slots_of[who] && wrong == NULL; slot++) {
            wrong = handle_wrong(who, slot);
        }
    }
    return (struct step){error, wrong};
}

static void describe(uint32_t number, char *text, size_t room) {
    const struct action *a = &action[number];
    snprintf(text, room, "%s(%u.%u,%u.%u,%u,%u)", kind_name[a->kind], a->task, a->slot, a->other,
             a->place, a->rights, a->badge);
}

// Whether a slot is empty or holds a stale handle makes a difference: a stale one must stay so.
static uint64_t exact(void) {
    uint64_t sum = objects.first_free;
    for (uint32_t i = 0; i < OBJECTS; i++) {
        sum = mix(sum, shadow.object[i]->key | (uint64_t)shadow.is_port[i] << 32 |
                           (uint64_t)(shadow.serial[i] != 0) << 33);
    }
    for (uint32_t i = 0; i < TASKS * SLOTS; i++) {
        const struct shadow_handle *handle = &shadow.handle[i / SLOTS][i % SLOTS];
        uint32_t object = named(handle);
        const struct handle_entry *entry = &task[i / SLOTS]->handles[slot_of(i % SLOTS)];
        sum = mix(sum, object | (uint64_t)entry->key << 8 |
                           (object == OBJECTS ? 0 : (uint64_t)handle->rights << 40 |
                                                        (uint64_t)handle->badge << 48));
    }
    return sum;
}

const struct world *handle_world(void) {
    static struct world world = {"handles", make, 0, skips, step, describe, exact, exact};
    actions_make();
    world.operations = actions;
    return &world;
}
