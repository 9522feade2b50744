// SPDX-License-Identifier: MIT
// Wired servers: see server.h. Their text, data and stack are frames of the root pool, which init
// pays; kernel objects that serve them, and what they take themselves, are charged to their pools.
#include "server.h"

#include "abi_hash.h"
#include "device.h"
#include "load.h"
#include "module.h"
#include "report.h"
#include "ring.h"
#include "watch.h"

#define LOW_FRAMES 24u        // promised to a server's kernel objects and page tables
#define LOW_FRAMES_REST 64u   // who has most memory maps most
#define OBJECTS 64u           // that its pool may pay for
#define PAGER_FRAMES_MIN 256u
#define EVENT_RIGHTS (RIGHT_SIGNAL | RIGHT_CALL | RIGHT_CONTROL)
#define POOL_RIGHTS (RIGHT_ALLOCATE | RIGHT_ACCESS | RIGHT_CONTROL | RIGHT_CALL)

struct server servers[TASK_SERVERS_END];

const char *const server_names[TASK_SERVERS_END] = {
    [TASK_INIT] = "init", [TASK_PAGER] = "pager", [TASK_BLOCK] = "block",
    [TASK_CONSOLE] = "console", [TASK_TRACER] = "tracer"};

static void plan(uint32_t number) {
    struct server *server = &servers[number];
    const char *name = server_names[number];
    server->plan = manifest_find(&manifest, name);
    server->module = module_find(name);
    if (server->plan == NULL && number != TASK_TRACER) {
        fatal("the manifest has no line for the server ", name, ": add one", NULL);
    }
    if (server->module == NULL && server->plan != NULL) {
        fatal("module ", name, " is missing: name it among the boot modules (-initrd, or module2 "
              "in GRUB's menu)", NULL);
    }
    const char *wrong = server->plan == NULL ? NULL : module_check(server->module, &server->image);
    if (wrong != NULL) {
        fatal("module ", name, " is corrupt: ", wrong, NULL);
    }
}

void servers_plan(void) {
    for (uint32_t number = TASK_PAGER; number < TASK_SERVERS_END; number++) {
        plan(number);
    }
    devices_assign();
}

// --- pools ---------------------------------------------------------------------------------------

// Frames of the root pool that the server's own memory will take.
static uint32_t frames_loaded(const struct server *server) {
    uint32_t frames = LAYOUT_WIRED_STACK / PAGE_SIZE + 1;
    for (uint32_t i = 0; i < server->image.segment_count; i++) {
        const struct image_segment *segment = &server->image.segment[i];
        frames += (image_end_page(segment) - image_first_page(segment)) / PAGE_SIZE;
    }
    return frames;
}

static uint32_t frames_free(void) {
    struct pool_info_out root;
    must(pool_info(HANDLE(SLOT_POOL), &root), "look at the root pool");
    return root.reserved - root.used - root.split;
}

// Is there memory for all that was planned, and something left for the work itself?
static void memory_check(void) {
    uint32_t need = manifest.init_frames + modules_for_pager() + PAGER_FRAMES_MIN;
    for (uint32_t number = TASK_PAGER; number < TASK_SERVERS_END; number++) {
        const struct server *server = &servers[number];
        if (server->plan != NULL) {
            need += frames_loaded(server) + server->store_frames;
            need += server->plan->frames == MANIFEST_REST ? 0 : server->plan->frames;
        }
    }
    if (need > frames_free()) {
        field_text words;
        text_clear(&words);
        text_add_number(&words, frames_free() * (PAGE_SIZE / 1024));
        text_add(&words, " KiB are free and ");
        text_add_number(&words, need * (PAGE_SIZE / 1024));
        fatal("too little memory: ", words.bytes, " needed: give the machine more (-m 24 is "
              "plenty), or a store in RAM fewer pages (store=ram:PAGES)", NULL);
    }
}

// MANIFEST_REST: all but what stays with init and what is about to be loaded.
static void pool_open(struct server *server) {
    uint32_t frames = server->plan->frames + server->store_frames;
    uint32_t low = LOW_FRAMES;
    if (server->plan->frames == MANIFEST_REST) {
        frames = frames_free() - manifest.init_frames - frames_loaded(server);
        low = LOW_FRAMES_REST;
    }
    server->pool = slot_need();
    must(pool_create(HANDLE(SLOT_POOL), server->pool, frames, low, OBJECTS),
         "create a server's pool");
}

// --- objects and handles -------------------------------------------------------------------------

static void objects_create(struct server *server, uint32_t number) {
    uint32_t rank = server->plan->rank;
    server->task = slot_need();
    server->thread = slot_need();
    server->port = slot_need();
    server->event = slot_need();
    handle_t pool = HANDLE(server->pool);
    must(pool_task_create(pool, server->task, rank, server->plan->cpu.ceiling, number),
         "create a server's task");
    must(task_share(HANDLE(server->task), server->plan->cpu.share), "give a server its share");
    must(task_thread_create(HANDLE(server->task), server->thread, LAYOUT_BUFFER, rank),
         "create a server's thread");
    must(pool_port_create(HANDLE(SLOT_POOL), server->port, rank), "create a server's port");
    must(pool_event_create(HANDLE(SLOT_POOL), server->event), "create a server's event");
    must(thread_event(HANDLE(server->thread), HANDLE(server->event)), "bind a server's event");
    watch_server(HANDLE(server->task), number);
}

// Copy init's handle `from` into the server's slot `to`; from 0: there is nothing to give.
static void give(uint32_t number, uint32_t from, uint32_t to, uint32_t rights, badge_t badge) {
    if (from != 0) {
        must(task_handle_give(server_task(number), HANDLE(from), to, rights, badge),
             "give a server its handles");
    }
}

// What init calls: through a handle with its own number as the badge.
static void give_self(uint32_t from, uint32_t to) {
    if (from != 0) {
        must(task_handle_give(HANDLE(SLOT_TASK), HANDLE(from), to, RIGHT_CALL, TASK_INIT),
             "take the handle of a server");
    }
}

static void handles_give(const struct server *server, uint32_t number) {
    uint32_t timer = slot_need();
    must(pool_timer_create(HANDLE(SLOT_POOL), timer), "create a server's timer");
    give(number, server->task, SLOT_TASK, RIGHT_MAP | RIGHT_CALL, 0);
    give(number, server->thread, SLOT_THREAD, RIGHT_CALL, 0);
    give(number, server->pool, SLOT_POOL, POOL_RIGHTS, 0);
    give(number, server->port, SLOT_PORT, RIGHT_RECEIVE, 0);
    give(number, server->event, SLOT_EVENT, EVENT_RIGHTS, 0);
    give(number, timer, SLOT_TIMER, RIGHT_CALL, 0);
    give(number, server->ports, SLOT_PORTS, RIGHT_CALL | RIGHT_CONTROL, 0);
    give(number, server->irq, SLOT_IRQ, RIGHT_CALL | RIGHT_CONTROL, 0);
    give(number, SLOT_TRACE, SLOT_TRACE,
         number == TASK_TRACER ? RIGHT_CALL | RIGHT_CONTROL : RIGHT_CALL, 0);
}

// Pager and block server: a ring, and the right to wake each other.
static void pair(void) {
    give(TASK_PAGER, servers[TASK_BLOCK].event, SLOT_PEER, RIGHT_SIGNAL, BLOCK_EVENT_SUBMITTED);
    give(TASK_BLOCK, servers[TASK_PAGER].event, SLOT_PEER, RIGHT_SIGNAL, PAGER_EVENT_COMPLETED);
    give(TASK_BLOCK, servers[TASK_PAGER].pool, SLOT_STORE, RIGHT_ACCESS, 0);
    give(TASK_BLOCK, SLOT_EVENT, SLOT_FREE, RIGHT_SIGNAL, INIT_EVENT_STORE);
    load_shared_page(server_task(TASK_PAGER), server_task(TASK_BLOCK), LAYOUT_RING);
}

// --- memory --------------------------------------------------------------------------------------

static void start_info_load(const struct server *server, uint32_t number) {
    static struct start_info info;
    info = (struct start_info){.abi_hash = ABI_HASH,
                               .frames_total = start_info()->frames_total,
                               .frames_free = start_info()->frames_free, .task = number};
    __builtin_memcpy(info.argument, server->argument, sizeof info.argument);
    __builtin_memcpy(info.command, start_info()->command, sizeof info.command);
    load_pages(server_task(number), LAYOUT_START, 1, MAP_READ, &info, 0, sizeof info);
}

static void memory_load(const struct server *server, uint32_t number) {
    const void *file = module_open(server->module, module_pages(server->module));
    load_image(server_task(number), &server->image, file);
    module_close(module_pages(server->module));
    module_free(server->module);
    load_pages(server_task(number), LAYOUT_STACK_TOP - LAYOUT_WIRED_STACK,
               LAYOUT_WIRED_STACK / PAGE_SIZE, MAP_READ | MAP_WRITE, NULL, 0, 0);
    must(load_clock(server_task(number)), "give a server the clock");
    start_info_load(server, number);
}

static void create(uint32_t number) {
    struct server *server = &servers[number];
    pool_open(server);
    objects_create(server, number);
    handles_give(server, number);
    memory_load(server, number);
}

void servers_create(void) {
    memory_check();
    // Who gets the rest of the memory comes last.
    for (uint32_t rest = 0; rest < 2; rest++) {
        for (uint32_t number = TASK_PAGER; number < TASK_SERVERS_END; number++) {
            const struct manifest_server *planned = servers[number].plan;
            if (planned != NULL && (planned->frames == MANIFEST_REST) == rest) {
                create(number);
            }
        }
    }
    pair();
    give_self(servers[TASK_PAGER].port, SLOT_PAGER);
    give_self(servers[TASK_CONSOLE].port, SLOT_CONSOLE);
    give_self(servers[TASK_TRACER].port, SLOT_TRACER);
}

void servers_start(void) {
    for (uint32_t number = TASK_PAGER; number < TASK_SERVERS_END; number++) {
        const struct server *server = &servers[number];
        if (server->plan != NULL) {
            must(thread_start(HANDLE(server->thread), server->image.entry, LAYOUT_STACK_TOP, 0),
                 "start a server");
        }
        if (server->plan != NULL && number == TASK_CONSOLE) {
            report_console(1);
        }
    }
}
