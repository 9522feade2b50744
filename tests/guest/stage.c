// SPDX-License-Identifier: MIT
#include "stage.h"

enum { POOL_FRAMES = 160, POOL_LOW = 60, RANK_TASK = 10, RANK_PORT = 15, RANK_LOW = 5, LINE = 9 };
#define WINDOW 0x58000000u  // where the test looks into a frame
#define IO_PORT 0x80u       // the PC's delay port: harmless

struct stage stage;
static frame_t looking_glass;  // mapped at WINDOW
static struct machine_info_out before;
static bool set;  // a test that failed half way left it so

static struct map_item *list(void) {
    return message_buffer()->list;
}

handle_t stage_object(uint32_t interface) {
    static const uint8_t slot[] = {
        [INTERFACE_pool] = STAGE_POOL,   [INTERFACE_task] = STAGE_TASK,
        [INTERFACE_thread] = STAGE_THREAD, [INTERFACE_port] = STAGE_PORT,
        [INTERFACE_event] = STAGE_EVENT, [INTERFACE_timer] = STAGE_TIMER,
        [INTERFACE_irq] = STAGE_IRQ,     [INTERFACE_ports] = STAGE_PORTS,
        [INTERFACE_machine] = SLOT_MACHINE, [INTERFACE_trace] = SLOT_TRACE,
        [INTERFACE_iomem] = STAGE_IOMEM};
    CHECK(interface < ARRAY_LENGTH(slot) && slot[interface] != 0);
    return HANDLE(slot[interface]);
}

// --- set up --------------------------------------------------------------------------------------

static void frames_take(handle_t pool, frame_t *frame) {
    for (uint32_t done = 0; done < STAGE_FRAMES;) {
        struct pool_frames_alloc_out out;
        CHECK_EQUAL(pool_frames_alloc(pool, STAGE_FRAMES - done, FRAMES_LOW, &out), OK);
        for (uint32_t i = 0; i < out.done; i++) {
            frame[done++] = ITEM_FRAME(list()[i]);
        }
    }
}

static void objects_make(void) {
    handle_t pool = HANDLE(STAGE_POOL), task = HANDLE(STAGE_TASK);
    CHECK_EQUAL(pool_create(POOL, STAGE_POOL, POOL_FRAMES, POOL_LOW, POOL_OBJECTS), OK);
    CHECK_EQUAL(pool_create(pool, STAGE_EMPTY_POOL, STAGE_FRAMES, 0, 16), OK);
    CHECK_EQUAL(pool_task_create(pool, STAGE_TASK, RANK_TASK, PRIORITY_MAX, 90), OK);
    CHECK_EQUAL(task_thread_create(task, STAGE_THREAD, LAYOUT_BUFFER, 1), OK);
    CHECK_EQUAL(thread_start(HANDLE(STAGE_THREAD), 0, 0, 0), OK);
    CHECK_EQUAL(thread_suspend(HANDLE(STAGE_THREAD)), OK);
    CHECK_EQUAL(pool_port_create(pool, STAGE_PORT, RANK_PORT), OK);
    CHECK_EQUAL(pool_port_create(pool, STAGE_LOW_PORT, RANK_LOW), OK);
    CHECK_EQUAL(pool_event_create(pool, STAGE_EVENT), OK);
    CHECK_EQUAL(pool_timer_create(pool, STAGE_TIMER), OK);
    CHECK_EQUAL(machine_irq_create(MACHINE, STAGE_IRQ, LINE), OK);
    CHECK_EQUAL(machine_ports_create(MACHINE, STAGE_PORTS, IO_PORT, 1), OK);
    CHECK_EQUAL(machine_iomem_create(MACHINE, STAGE_IOMEM, STAGE_DEVICE_FRAME, 1), OK);
    CHECK_EQUAL(task_handle_give(task, HANDLE(STAGE_EVENT), STAGE_FOREIGN, RIGHT_ALL, 0), OK);
    CHECK_EQUAL(task_handle_give(task, HANDLE(STAGE_EVENT), STAGE_EVENT, RIGHT_ALL, 0), OK);
    CHECK_EQUAL(pool_event_create(pool, STAGE_RECYCLED), OK);
    CHECK_EQUAL(task_handle_give(TASK, HANDLE(STAGE_RECYCLED), STAGE_STALE, RIGHT_ALL, 0), OK);
    CHECK_EQUAL(event_destroy(HANDLE(STAGE_RECYCLED)), OK);
    CHECK_EQUAL(pool_timer_create(pool, STAGE_RECYCLED), OK);
}

static void memory_make(void) {
    handle_t pool = HANDLE(STAGE_POOL);
    looking_glass = frame_get();
    stage.mapped = frame_get();
    frames_take(POOL, stage.own);
    frames_take(pool, stage.pooled);
    CHECK_EQUAL(map_one(TASK, WINDOW, MAP_READ | MAP_WRITE, looking_glass), OK);
    for (uint32_t i = 0; i < STAGE_FRAMES; i++) {
        CHECK_EQUAL(map_one(HANDLE(STAGE_TASK), STAGE_PAGE + i * PAGE_SIZE, MAP_READ, stage.mapped),
                    OK);
    }
    for (uint32_t i = 0; i < PAGE_SIZE / 4; i++) {
        ((volatile uint32_t *)WINDOW)[i] = i * 2654435761u;
    }
    CHECK_EQUAL(pool_frame_copy(pool, stage.pooled[0], looking_glass, POOL, 0, PAGE_SIZE), OK);
    CHECK_EQUAL(pool_frame_copy(POOL, stage.own[0], looking_glass, POOL, 4, 400), OK);
    CHECK_EQUAL(pool_frame_copy(POOL, stage.mapped, looking_glass, POOL, 0, 40), OK);
}

static void pool_end(handle_t pool) {
    struct pool_reap_out out = {1};
    error_t error = OK;
    while (error == OK && out.left) {
        error = pool_reap(pool, &out);
    }
    CHECK(error == OK || error == E_HANDLE);
    error = pool_destroy(pool);
    CHECK(error == OK || error == E_HANDLE);
}

static void strike(void) {
    struct task_tables_trim_out trimmed;
    struct pool_frames_free_out freed;
    (void)!irq_destroy(HANDLE(STAGE_IRQ));
    (void)!ports_destroy(HANDLE(STAGE_PORTS));
    (void)!irq_destroy(HANDLE(STAGE_NEW));
    (void)!ports_destroy(HANDLE(STAGE_NEW));
    (void)!iomem_destroy(HANDLE(STAGE_IOMEM));
    (void)!iomem_destroy(HANDLE(STAGE_NEW));
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    pool_end(HANDLE(STAGE_POOL));
    (void)!unmap_one(TASK, WINDOW, NULL);
    for (uint32_t i = 0; i < STAGE_FRAMES + 2; i++) {
        frame_t frame = i < STAGE_FRAMES ? stage.own[i]
                                         : i == STAGE_FRAMES ? stage.mapped : looking_glass;
        list()[0] = (struct map_item){0, frame << 8};
        (void)!pool_frames_free(POOL, 1, &freed);
    }
    for (uint32_t slot = STAGE_POOL; slot <= STAGE_COPY; slot++) {
        CHECK_EQUAL(task_handle_drop(TASK, slot), OK);
    }
    CHECK_EQUAL(task_tables_trim(TASK, &trimmed), OK);
    set = false;
}

void stage_begin(void) {
    if (set) {
        strike();
    }
    world_begin();
    CHECK_EQUAL(machine_info(MACHINE, &before), OK);
    set = true;
    objects_make();
    memory_make();
}

void stage_end(void) {
    struct machine_info_out now;
    strike();
    CHECK_EQUAL(machine_info(MACHINE, &now), OK);
    CHECK_EQUAL(now.frames_free, before.frames_free);
    CHECK_EQUAL(now.objects, before.objects);
    world_end();
}

// --- pictures ------------------------------------------------------------------------------------

static uint32_t contents(handle_t pool, frame_t frame) {
    uint32_t sum = 0;
    CHECK_EQUAL(pool_frame_copy(POOL, looking_glass, frame, pool, 0, PAGE_SIZE), OK);
    for (uint32_t i = 0; i < PAGE_SIZE / 4; i++) {
        sum = sum * 31 + ((volatile uint32_t *)WINDOW)[i];
    }
    return sum;
}

static void task_look(handle_t task, struct task_info_out *out) {
    error_t error = task_info(task, out);
    CHECK(error == OK || error == E_HANDLE);
    out->cycles_low = out->cycles_high = 0;
}

// A call that no object answers tells what the handle is; a handle that may not be given to a task of
// such a rank tells whether the slot is empty.
static void slots_look(struct picture *picture) {
    for (uint32_t slot = 1; slot < SLOT_COUNT; slot++) {
        picture->own[slot] = (uint8_t)raw_error(HANDLE(slot), TAG_ERROR(E_IO));
        error_t error = task_handle_give(HANDLE(STAGE_TASK), HANDLE(STAGE_LOW_PORT), slot,
                                         RIGHT_CALL, 0);
        CHECK(error == E_SLOT || error == E_RANK || error == E_HANDLE);
        picture->other[slot] = (uint8_t)error;
    }
}

// Pins of the pool's frames: counted by ending them, and made again.
static uint32_t pins_count(void) {
    struct pool_frames_unpin_out ended;
    struct pool_frames_pin_out made;
    uint32_t count = 0;
    for (uint32_t i = 0; i < STAGE_FRAMES; i++) {
        list()[0] = (struct map_item){0, stage.pooled[i] << 8};
        uint32_t pins = 0;
        while (pool_frames_unpin(HANDLE(STAGE_POOL), 1, &ended) == OK) {
            pins++;
        }
        for (uint32_t again = 0; again < pins; again++) {
            CHECK_EQUAL(pool_frames_pin(HANDLE(STAGE_POOL), 1, &made), OK);
        }
        count += pins;
    }
    return count;
}

void picture_take(struct picture *picture) {
    struct machine_info_out info;
    struct task_entries_read_out read = {0};
    struct trace_control_out trace;
    *picture = (struct picture){0};
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    const uint32_t machine[] = {info.frames_total, info.frames_free, info.objects,
                                info.objects_max};
    for (uint32_t i = 0; i < ARRAY_LENGTH(machine); i++) {
        picture->machine[i] = machine[i];
    }
    CHECK_EQUAL(pool_info(POOL, &picture->pool[0]), OK);
    CHECK_EQUAL(pool_info(HANDLE(STAGE_POOL), &picture->pool[1]), OK);
    (void)!pool_info(HANDLE(STAGE_EMPTY_POOL), &picture->pool[2]);
    task_look(TASK, &picture->task[0]);
    task_look(HANDLE(STAGE_TASK), &picture->task[1]);
    (void)!thread_registers(HANDLE(STAGE_THREAD), &picture->thread);
    slots_look(picture);
    (void)!task_entries_read(HANDLE(STAGE_TASK), 0x400000, 2 * STAGE_FRAMES, &read);
    picture->entries = read.done;
    for (uint32_t i = 0; i < read.done; i++) {
        picture->entry[i] = list()[i];
    }
    picture->contents[0] = contents(HANDLE(STAGE_POOL), stage.pooled[0]);
    picture->contents[1] = contents(POOL, stage.own[0]);
    picture->contents[2] = contents(POOL, stage.mapped);
    picture->pins = pins_count();
    CHECK_EQUAL(trace_control(TRACE, 0, &trace), OK);
    picture->trace_mask = trace.old;
    CHECK_EQUAL(trace_control(TRACE, trace.old, &trace), OK);
}

static bool same(const void *a, const void *b, size_t length) {
    const char *left = a, *right = b;
    for (size_t i = 0; i < length; i++) {
        if (left[i] != right[i]) {
            return false;
        }
    }
    return true;
}

const char *picture_difference(const struct picture *a, const struct picture *b) {
#define PART(part)                                       \
    if (!same(&a->part, &b->part, sizeof(a->part))) {    \
        return #part;                                    \
    }
    PART(machine) PART(pool) PART(task) PART(thread) PART(own) PART(other) PART(entry)
    PART(entries) PART(contents) PART(pins) PART(trace_mask)
#undef PART
    return NULL;
}
