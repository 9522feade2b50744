// SPDX-License-Identifier: MIT
// The clock that needs no message; timers, many of them; and that nothing ticks when nothing is due.
// What fired in which interrupt is read from the trace. Runs by counted instructions: the host's
// speed does not matter.
#include "../../libsys/clock.h"
#include "trace.h"
#include "victim.h"

enum { A = SLOT_TEST + 10, B, MS = 1000000, TIMERS = 1000, DONE = 1 << 16 };
#define PAGE 0x50000000u
#define GIVEN HANDLE(SLOT_GIVEN)

// --- the clock -----------------------------------------------------------------------------------

TEST(clock_wrong, "the clock's frame is nobody's: mapped for reading it is, and nothing else") {
    frame_t clock = start_info()->clock;
    const struct {
        uint32_t page, frame;
        error_t error;
    } wrong[] = {{PAGE | MAP_READ | MAP_WRITE, clock << 8, E_OWNER},
                 {PAGE | MAP_READ | MAP_EXECUTE, clock << 8, E_OWNER},
                 {PAGE | MAP_RIGHTS, clock << 8, E_WX},
                 {PAGE | MAP_READ, clock << 8 | FRAME_ZERO, E_OWNER},
                 {PAGE | MAP_READ, clock << 8 | FRAME_DIRTY, E_ARGUMENT},
                 {LAYOUT_CLOCK | MAP_READ, clock << 8, E_MAPPED},
                 {LAYOUT_KERNEL | MAP_READ, clock << 8, E_ADDRESS}};
    struct task_map_out mapped;
    struct pool_frames_free_out freed;
    struct pool_frames_give_out given;
    struct machine_check_out check;
    world_begin();
    uint64_t started = clock_page()->started, scale = clock_page()->scale;
    for (uint32_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        message_buffer()->list[0] = (struct map_item){wrong[i].page, wrong[i].frame};
        CHECK_EQUAL(task_map(TASK, 1, &mapped), wrong[i].error);
    }
    frame_t own = frame_get();
    message_buffer()->list[0] = (struct map_item){PAGE | MAP_READ, own << 8};
    message_buffer()->list[1] = (struct map_item){(PAGE + PAGE_SIZE) | MAP_READ,
                                                  clock << 8 | FRAME_ZERO};
    CHECK_EQUAL(task_map(TASK, 2, &mapped), E_OWNER);
    CHECK_EQUAL(unmap_one(TASK, PAGE, NULL), E_UNMAPPED);
    frame_put(own);
    const uint32_t rights[] = {MAP_READ, MAP_READ | MAP_WRITE, MAP_READ | MAP_EXECUTE};
    for (uint32_t i = 0; i < ARRAY_LENGTH(rights); i++) {
        struct task_protect_out out;
        message_buffer()->list[0] = (struct map_item){LAYOUT_CLOCK | rights[i], 0};
        CHECK_EQUAL(task_protect(TASK, 1, &out), E_DENIED);
    }
    CHECK_EQUAL(unmap_one(TASK, LAYOUT_CLOCK, NULL), E_DENIED);
    message_buffer()->list[0] = (struct map_item){0, clock << 8};
    CHECK_EQUAL(pool_frames_free(POOL, 1, &freed), E_OWNER);
    CHECK_EQUAL(pool_frames_give(POOL, 1, pool_make(A, 10), &given), E_OWNER);
    CHECK_EQUAL(pool_frame_zero(POOL, clock), E_OWNER);
    CHECK_EQUAL(pool_frame_copy(POOL, clock, clock, POOL, 0, 1), E_OWNER);
    CHECK_EQUAL(pool_destroy(HANDLE(A)), OK);
    CHECK(clock_page()->started == started && clock_page()->scale == scale);
    CHECK_EQUAL(machine_check(MACHINE, &check), OK);
    CHECK_EQUAL(check.violations, 0);
    world_end();
}

// Writes into the clock, or jumps there.
static void clock_write(struct actor *self) {
    *(volatile uint64_t *)(LAYOUT_CLOCK + self->argument) = 0;
}
static void clock_execute(struct actor *self) {
    (void)self;
    ((void (*)(void))LAYOUT_CLOCK)();
}

TEST(clock_write_faults, "whoever writes into the clock, or jumps there, faults, and changes nothing") {
    struct received received;
    victim_begin();
    for (uint32_t at = 0; at <= PAGE_SIZE; at += PAGE_SIZE / 4) {
        uint32_t offset = MIN_OF(at, PAGE_SIZE - 8);
        struct actor *victim = victim_make(clock_write);
        actor_start(victim, offset);
        victim_fault(&received, LABEL_fault_protection, LAYOUT_CLOCK + offset);
        actor_end(victim);
    }
    struct actor *victim = victim_make(clock_execute);
    actor_start(victim, 0);
    victim_fault(&received, LABEL_fault_execute, LAYOUT_CLOCK);
    actor_end(victim);
    CHECK(clock_page()->scale != 0);
    victim_end();
}

TEST(clock_page, "the clock's page tells its rate twice, alike, and holds nothing else") {
    const struct clock *clock = clock_page();
    CHECK(clock->tsc_khz != 0 && clock->started != 0);
    CHECK(clock->started < clock_ticks());
    uint64_t ms = clock_scale(clock->scale, clock->tsc_khz);  // in ns
    CHECK(ms == MS || ms == MS - 1);
    const uint32_t *word = (const uint32_t *)(clock + 1);
    for (; word < (const uint32_t *)(LAYOUT_CLOCK + PAGE_SIZE); word++) {
        CHECK_EQUAL(*word, 0);
    }
}

// Reads the clock without end; result[0]: reads, [1]: how often it went back.
static void clock_reads(struct actor *self) {
    for (uint64_t before = 0;; self->result[0]++) {
        uint64_t now = clock_now_ns();
        self->result[1] += now < before;
        before = now;
    }
}

TEST(clock_forward, "the clock never goes back, in any task, over switches and waits") {
    world_begin();
    struct actor *actor[3];
    for (uint32_t i = 0; i < ARRAY_LENGTH(actor); i++) {
        actor[i] = task_make(POOL, 10, clock_reads);
        actor_start(actor[i], 0);
    }
    uint64_t before = clock_now_ns();
    for (uint32_t turn = 0; turn < 12; turn++) {
        struct actor *next = actor[turn % ARRAY_LENGTH(actor)];
        world_wait_above(&next->result[0], next->result[0]);
        uint64_t now = clock_now_ns();
        CHECK(now > before);
        before = now;
    }
    for (uint32_t i = 0; i < ARRAY_LENGTH(actor); i++) {
        CHECK_EQUAL(actor[i]->result[1], 0);
    }
    world_end();
}

// What a read of the counters between two others costs itself.
static uint32_t entries(void) {
    struct machine_info_out info = {0};
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info.entries_low;
}

TEST(clock_no_entry, "ten thousand reads of the clock enter the kernel as often as none") {
    enum { READS = 10000, TRIES = 100 };
    world_begin();
    world_pause(1);
    uint32_t least = UINT32_MAX, bare = UINT32_MAX;
    for (uint32_t i = 0; i < TRIES; i++) {  // an interrupt may come in between: not each time
        uint32_t before = entries();
        bare = MIN_OF(bare, entries() - before);
        before = entries();
        for (uint32_t n = 0; n < READS; n++) {
            (void)clock_now_ns();
        }
        least = MIN_OF(least, entries() - before);
    }
    CHECK_EQUAL(least, bare);
    world_end();
}

TEST(clock_pause, "a pause takes at least its time by the clock, and by the ticks' rate") {
    world_begin();
    const uint32_t ms[] = {0, 1, 20, 70};  // the last is more than the timer chip counts at once
    for (uint32_t i = 0; i < ARRAY_LENGTH(ms); i++) {
        uint64_t ns = clock_now_ns(), ticks = clock_ticks();
        world_pause(ms[i]);
        CHECK(clock_now_ns() - ns >= (uint64_t)ms[i] * MS);
        CHECK(clock_ticks() - ticks >= (uint64_t)ms[i] * clock_page()->tsc_khz);
    }
    world_end();
}

// --- timers --------------------------------------------------------------------------------------

static void timer_after(handle_t timer, uint64_t ns, uint32_t bits) {
    CHECK_EQUAL(timer_set(timer, (uint32_t)ns, (uint32_t)(ns >> 32), WORLD_EVENT, bits), OK);
}

static void wait_for(uint32_t bits) {
    struct received received;
    for (uint32_t seen = 0; !(seen & bits); seen |= received.word[0]) {
        ipc_receive(0, &received);
        CHECK_EQUAL(received.tag, LABEL_EVENT);
    }
}

static bool poll(uint32_t *bits) {
    struct received received;
    ipc_poll(0, &received);
    *bits = received.word[0];
    return received.tag == LABEL_EVENT;
}

TEST(timer_boundaries, "0 and 1 ns fire at once; the longest time never does, and longer ones are refused") {
    uint32_t bits;
    world_begin();
    CHECK_EQUAL(pool_timer_create(POOL, A), OK);
    CHECK_EQUAL(pool_timer_create(POOL, B), OK);
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 1u << 20, WORLD_EVENT, 1), E_ARGUMENT);     // 2^52
    CHECK_EQUAL(timer_set(HANDLE(A), 0, 1u << 31, WORLD_EVENT, 1), E_ARGUMENT);     // 2^63
    CHECK_EQUAL(timer_set(HANDLE(A), UINT32_MAX, UINT32_MAX, WORLD_EVENT, 1), E_ARGUMENT);
    timer_after(HANDLE(A), 0, DONE);
    wait_for(DONE);
    timer_after(HANDLE(A), 1, DONE);
    wait_for(DONE);
    timer_after(HANDLE(A), (1ull << 52) - 1, DONE);
    timer_after(HANDLE(B), 5 * MS, DONE << 1);
    wait_for(DONE << 1);
    CHECK(!poll(&bits));
    timer_after(HANDLE(A), 0, DONE);  // instead
    wait_for(DONE);
    world_pause(1);
    CHECK(!poll(&bits));  // once
    CHECK_EQUAL(timer_destroy(HANDLE(A)), OK);
    CHECK_EQUAL(timer_destroy(HANDLE(B)), OK);
    world_end();
}

// --- many of them, as the trace saw them ---------------------------------------------------------

#define RING 0x70000000u
enum { RING_FRAMES = 33, RECORDS = 2048, IRQ_LINE = 0, LAST = TIMERS, PAYER = SLOT_TEST + 12 };

static frame_t ring_frame[RING_FRAMES];
static handle_t payer;
static uint64_t least[TIMERS], most[TIMERS];  // the deadline is in between, in ns of the clock
static uint64_t latest;                       // of `most`

static struct trace_header *header(void) {
    return (struct trace_header *)RING;
}
static const struct trace_record *record(uint32_t index) {
    return (const struct trace_record *)(RING + PAGE_SIZE) + index % RECORDS;
}

static void many_begin(void) {
    world_begin();
    for (uint32_t i = 0; i < RING_FRAMES; i++) {
        ring_frame[i] = frame_get();
        CHECK_EQUAL(map_one(TASK, RING + i * PAGE_SIZE, MAP_READ | MAP_WRITE, ring_frame[i]), OK);
    }
    for (uint32_t i = 0; i < RING_FRAMES; i++) {
        message_buffer()->list[i] = (struct map_item){0, ring_frame[i] << 8};
    }
    CHECK_EQUAL(trace_attach(TRACE, RING_FRAMES, HANDLE(SLOT_SETTLE), 1u << 30), OK);
    CHECK_EQUAL(pool_create(POOL, PAYER, 40, 0, TIMERS), OK);
    payer = HANDLE(PAYER);
    latest = 0;
}

static void many_end(void) {
    struct trace_control_out old;
    struct pool_reap_out left = {1};
    CHECK_EQUAL(trace_control(TRACE, 0, &old), OK);
    CHECK_EQUAL(trace_attach(TRACE, 0, 0, 0), OK);
    for (uint32_t i = 0; i < RING_FRAMES; i++) {
        CHECK_EQUAL(unmap_one(TASK, RING + i * PAGE_SIZE, NULL), OK);
        frame_put(ring_frame[i]);
    }
    while (left.left) {
        CHECK_EQUAL(pool_reap(payer, &left), OK);
    }
    CHECK_EQUAL(pool_destroy(payer), OK);
    world_end();
}

// Due at `time`, or at once if that is over; the bits tell its number.
static void timer_at(handle_t timer, uint32_t number, uint64_t time) {
    uint64_t before = clock_now_ns(), ns = time > before ? time - before : 0;
    timer_after(timer, ns, number);
    least[number] = before + ns - 1;  // the scale rounds
    most[number] = clock_now_ns() + ns + 1;
    latest = MAX_OF(latest, most[number]);
}

// One of the pool's, whose handle is gone.
static void timer_lost(uint32_t number, uint64_t time) {
    CHECK_EQUAL(pool_timer_create(payer, A), OK);
    timer_at(HANDLE(A), number, time);
    CHECK_EQUAL(task_handle_drop(TASK, A), OK);
}

// The bits of our event that fired, in turn; the most in one interrupt.
static uint32_t fired[TIMERS + 1];

static uint32_t fired_read(uint32_t *in_one) {
    uint32_t count = 0, run = 0;
    *in_one = 0;
    CHECK_EQUAL(header()->lost, 0);
    for (uint32_t i = 0; i < header()->written; i++) {
        const struct trace_record *r = record(i);
        if (r->kind == EVENT_irq) {
            CHECK_EQUAL(r->word[0], IRQ_LINE);
            run = 0;
        } else if (r->word[0] <= LAST) {
            CHECK(count < ARRAY_LENGTH(fired));
            fired[count++] = r->word[0];
            run++;
            *in_one = run > *in_one ? run : *in_one;
        }
    }
    return count;
}

static void record_timers(void) {
    struct trace_control_out old;
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_signal | 1u << EVENT_irq, &old), OK);
}

// Waits for one that is due after all of them.
static void many_wait(void) {
    CHECK_EQUAL(pool_timer_create(POOL, B), OK);
    timer_after(HANDLE(B), latest - MIN_OF(latest, clock_now_ns()) + 2, 1u << 31);
    wait_for(1u << 31);
    CHECK_EQUAL(timer_destroy(HANDLE(B)), OK);
}

// None fired after one whose deadline was certainly later.
static void in_order(uint32_t count) {
    uint64_t before = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(most[fired[i]] >= before);
        before = MAX_OF(before, least[fired[i]]);
    }
}

static void each_once(uint32_t count) {
    static bool seen[TIMERS];
    CHECK_EQUAL(count, TIMERS);
    __builtin_memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(!seen[fired[i]]);
        seen[fired[i]] = true;
    }
}

TEST(timer_order, "a thousand timers, set upwards, downwards and mixed, fire once each, in order") {
    enum { STEP = 20000, LEAD = 60 * MS };
    for (uint32_t order = 0; order < 3; order++) {
        uint32_t in_one;
        many_begin();
        record_timers();
        uint64_t start = clock_now_ns() + LEAD;
        for (uint32_t i = 0; i < TIMERS; i++) {
            uint32_t place = order == 0 ? i : order == 1 ? TIMERS - i : i * 389 % TIMERS;
            timer_lost(i, start + (uint64_t)place * STEP);
        }
        many_wait();
        uint32_t count = fired_read(&in_one);
        each_once(count);
        in_order(count);
        many_end();
    }
}

TEST(timer_few_at_once, "of a thousand timers that are due together few fire in one interrupt, yet all fire") {
    uint32_t in_one;
    enum { FIRED_MAX = 16, LEAD = 60 * MS };
    many_begin();
    record_timers();
    uint64_t time = clock_now_ns() + LEAD;
    for (uint32_t i = 0; i < TIMERS; i++) {
        timer_lost(i, time);
    }
    many_wait();
    uint32_t count = fired_read(&in_one);
    each_once(count);
    in_order(count);
    CHECK_EQUAL(in_one, FIRED_MAX);  // as many as may be: they were due
    many_end();
}

TEST(timer_removed, "of many timers each that is cancelled, ended or set anew leaves the others alone") {
    enum { SLOTS = 100, HOUR_HIGH = 1 << 10, LEAD = 60 * MS, STEP = 100000 };
    uint32_t in_one;
    many_begin();
    record_timers();
    for (uint32_t i = 0; i < SLOTS; i++) {  // in an hour
        CHECK_EQUAL(pool_timer_create(payer, PAYER + 1 + i), OK);
        CHECK_EQUAL(timer_set(HANDLE(PAYER + 1 + i), i * 37 % SLOTS * STEP, HOUR_HIGH, WORLD_EVENT,
                              i), OK);
    }
    uint64_t start = clock_now_ns() + LEAD;
    for (uint32_t i = 0; i < SLOTS; i++) {
        handle_t timer = HANDLE(PAYER + 1 + i);
        if (i % 4 == 0) {
            CHECK_EQUAL(timer_cancel(timer), OK);
        } else if (i % 4 == 1) {
            CHECK_EQUAL(timer_destroy(timer), OK);
        } else if (i % 4 == 2) {
            timer_at(timer, i, start + i * 37 % SLOTS * STEP);
        }
    }
    many_wait();
    uint32_t count = fired_read(&in_one);
    CHECK_EQUAL(count, SLOTS / 4);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(fired[i] % 4, 2);
    }
    in_order(count);
    for (uint32_t i = 0; i < SLOTS; i++) {
        (void)!task_handle_drop(TASK, PAYER + 1 + i);
    }
    many_end();
}

// --- nothing ticks -------------------------------------------------------------------------------

static uint32_t interrupts(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < header()->written; i++) {
        count += record(i)->kind == EVENT_irq;
    }
    return count;
}

TEST(tickless, "with nothing due nothing interrupts: neither one that runs alone nor an idle CPU") {
    enum { ALONE = 200 * MS, IDLE_MS = 500, CHIP_MS = 54, NEARER = 12 };
    struct trace_control_out old;
    many_begin();
    world_pause(60);  // what was programmed before has come
    CHECK_EQUAL(trace_control(TRACE, 1u << EVENT_irq, &old), OK);
    uint64_t end = clock_now_ns() + ALONE;
    while (clock_now_ns() < end) {
    }
    CHECK_EQUAL(interrupts(), 0);
    world_pause(IDLE_MS);  // the chip cannot count so far at once
    CHECK(interrupts() >= 1);
    CHECK(interrupts() <= IDLE_MS / CHIP_MS + NEARER);
    many_end();
}
