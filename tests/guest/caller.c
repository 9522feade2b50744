// SPDX-License-Identifier: MIT
#include "caller.h"
#include "trace.h"

// What ends a caller, or stops it; seldom, for much must have happened before.
static bool deadly(uint32_t label) {
    return label == LABEL_task_kill || label == LABEL_task_destroy || label == LABEL_pool_reap ||
           label == LABEL_thread_destroy || label == LABEL_thread_suspend ||
           label == LABEL_thread_start;
}

// --- words ---------------------------------------------------------------------------------------

// At the edges of what the kernel checks.
static uint32_t wild(struct dice *dice) {
    static const uint32_t edges[] = {
        0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 20, 30, 31, 32, 40, 60, 63, 64, 65, 100, 128, 200, 255,
        256, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 0xf000, 0xffff, LAYOUT_USER_FIRST,
        0x400000, 0x401000, SCRATCH, SCRATCH + PAGE_SIZE, SCRATCH | 3, SCRATCH | 5, SCRATCH | 7,
        LAYOUT_BUFFER, LAYOUT_INT80, LAYOUT_KERNEL - 1, LAYOUT_KERNEL, LAYOUT_KERNEL + 0x100000,
        0x7fffffff, 0x80000000, 0xfffff000, 0xfffffff0, 0xffffffff};
    switch (below(dice, 6)) {
    case 0:
        return roll(dice);
    case 1:
        return HANDLE(below(dice, CALLER_SLOTS));
    case 2:
        return below(dice, CALLER_SLOTS);
    case 3:
        return (SCRATCH + below(dice, SCRATCH_PAGES) * PAGE_SIZE) | below(dice, 8);
    default:
        return edges[below(dice, ARRAY_LENGTH(edges))];
    }
}

// What it makes itself goes into one of two slots for each type.
static uint32_t made_slot(struct dice *dice, uint32_t type) {
    return CALLER_MADE + 2 * type + below(dice, 2);
}

// Type of what this message makes; 0: nothing in particular.
static uint32_t made_type(uint32_t label) {
    switch (label) {
    case LABEL_pool_create:
        return INTERFACE_pool;
    case LABEL_pool_task_create:
        return INTERFACE_task;
    case LABEL_task_thread_create:
        return INTERFACE_thread;
    case LABEL_pool_port_create:
        return INTERFACE_port;
    case LABEL_pool_event_create:
        return INTERFACE_event;
    case LABEL_pool_timer_create:
        return INTERFACE_timer;
    default:
        return 0;
    }
}

static handle_t handle_of(struct dice *dice, uint32_t type) {
    if (type == 0 || type > INTERFACE_iomem || one_in(dice, 6)) {
        return HANDLE(below(dice, CALLER_SLOTS));
    }
    if (type <= INTERFACE_timer && one_in(dice, 3)) {
        return HANDLE(made_slot(dice, type));
    }
    return HANDLE(type + (one_in(dice, 3) ? NEIGHBOUR : 0));
}

static frame_t known_frame(struct report *report) {
    return report->known_count == 0
               ? roll(&report->dice)
               : report->known[below(&report->dice, MIN_OF(report->known_count, CALLER_FRAMES))];
}

static uint32_t scratch_page(struct dice *dice) {
    return SCRATCH + below(dice, SCRATCH_PAGES) * PAGE_SIZE;
}

static uint32_t good(struct report *report, uint32_t label, const struct field *field) {
    struct dice *dice = &report->dice;
    switch (field->kind) {
    case KIND_number:
        return field->least + below(dice, MIN_OF(field->most - field->least, 24) + 1);
    case KIND_flags:
        return roll(dice) & field->most;
    case KIND_page:
        return scratch_page(dice);
    case KIND_frame:
        return known_frame(report);
    case KIND_device:
        return 0xa0 + below(dice, 0x60);
    case KIND_room:
        return below(dice, 6);
    case KIND_handle:
        return handle_of(dice, field->least);
    case KIND_slot:
        return made_slot(dice, made_type(label));
    case KIND_any_slot:
        return CALLER_MADE + below(dice, CALLER_SLOTS - CALLER_MADE);
    case KIND_rights:
        return one_in(dice, 2) ? RIGHT_ALL : below(dice, RIGHT_ALL);
    case KIND_badge:
        return one_in(dice, 2) ? field->least : 2 + below(dice, 1000);
    case KIND_offset:
        return 0;
    case KIND_text:
        return below(dice, 3);
    default:
        return wild(dice);
    }
}

static struct map_item good_item(struct report *report, enum list_kind list) {
    struct dice *dice = &report->dice;
    uint32_t rights = MAP_READ | (one_in(dice, 2) ? MAP_WRITE : 0);
    switch (list) {
    case KIND_FRAMES_IN:
        return (struct map_item){0, known_frame(report) << 8};
    case KIND_MAP_IN:
        return (struct map_item){scratch_page(dice) | rights,
                                 known_frame(report) << 8 | (one_in(dice, 4) ? FRAME_ZERO : 0)};
    case KIND_UNMAP_BOTH:
        return (struct map_item){scratch_page(dice), 0};
    case KIND_PROTECT_BOTH:
        return (struct map_item){scratch_page(dice) | rights, 0};
    case KIND_BATCH_BOTH:
        return (struct map_item){1u << 16 | below(dice, 2) << 24, 0};
    default:
        return (struct map_item){wild(dice), wild(dice)};
    }
}

// --- messages ------------------------------------------------------------------------------------

struct words {
    uint32_t word[TAG_WORDS_MAX];
};

// A random part of the buffer, for what a server or a list may find there.
static void buffer_fill(struct dice *dice) {
    struct message_buffer *buffer = message_buffer();
    buffer->word[2 + below(dice, 18)] = wild(dice);
    uint32_t place = below(dice, TAG_HANDLES_MAX);
    buffer->handle[place] = HANDLE(below(dice, CALLER_SLOTS));
    buffer->offer[place] = HANDLE(below(dice, CALLER_SLOTS));
    buffer->item[below(dice, TAG_ITEMS_MAX)] = (struct map_item){wild(dice), wild(dice)};
}

static void list_fill(struct report *report, enum list_kind list, bool wildly) {
    uint32_t count = list == KIND_NO_LIST ? 0 : 1 + below(&report->dice, TAG_ITEMS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        message_buffer()->list[i] =
            good_item(report, wildly && one_in(&report->dice, 3) ? KIND_NO_LIST : list);
    }
}

// All fields good, or one wild, or all.
static void words_fill(struct report *report, const struct message *message, struct words *words) {
    uint32_t wildness = below(&report->dice, 4), word = 0;
    uint32_t victim = wildness == 2 ? below(&report->dice, FIELDS_MAX / 2) : FIELDS_MAX;
    list_fill(report, message->list, wildness != 0);
    for (uint32_t i = 0; message->field[i].kind != KIND_end; i++) {
        const struct field *field = &message->field[i];
        bool wildly = wildness == 3 || i == victim;
        words->word[word] = wildly ? wild(&report->dice) : good(report, message->label, field);
        word += field->kind == KIND_text ? sizeof(field_text) / 4 : 1;
    }
    for (; word < 3; word++) {
        words->word[word] = wild(&report->dice);
    }
    for (uint32_t i = 2; i < message->words; i++) {
        message_buffer()->word[i] = words->word[i];
    }
}

static tag_t tag_of(struct dice *dice, uint32_t label, uint32_t words) {
    uint32_t handles = 0, items = 0;
    if (one_in(dice, 8)) {
        words = one_in(dice, 3) ? below(dice, 128) : words;
        handles = one_in(dice, 3) ? below(dice, 8) : 0;
        items = one_in(dice, 3) ? below(dice, 32) : 0;
    }
    tag_t tag = TAG(label, words, handles, items);
    return one_in(dice, 64) ? tag | 0x80000000u : tag;
}

// Frames that its own pool gave it are worth remembering.
static void frames_learn(struct report *report, const struct message *message, handle_t handle,
                         uint32_t done) {
    bool gives = message->list == KIND_FRAMES_OUT && handle == HANDLE(INTERFACE_pool);
    for (uint32_t i = 0; gives && i < MIN_OF(done, 4); i++) {
        report->known[report->known_count++ % CALLER_FRAMES] =
            ITEM_FRAME(message_buffer()->list[i]);
    }
}

static void count(uint32_t answers[ERRORS], tag_t tag) {
    uint32_t error = TAG_TO_ERROR(tag);
    answers[MIN_OF(error, ERRORS - 1u)]++;
}

// A message of the contract to an object that may know it.
static void call_object(struct report *report) {
    struct dice *dice = &report->dice;
    uint32_t index = below(dice, contract_count);
    const struct message *message = &contract[index];
    handle_t handle = handle_of(dice, LABEL_INTERFACE(message->label));
    if (deadly(message->label) && handle < HANDLE(CALLER_MADE) && !one_in(dice, 64)) {
        return;
    }
    struct words words = {0};
    words_fill(report, message, &words);
    if (message->label == LABEL_machine_log && words.word[0] <= TEXT_BYTES) {
        words.word[0] &= 1;  // the log is for people
    }
    struct ipc_registers r = raw_enter(handle | OP_CALL,
                                       tag_of(dice, message->label, message->words), 0,
                                       words.word[0], words.word[1]);
    bool by_server = !TAG_IS_ERROR(r.eax) && TAG_LABEL(r.eax) != message->label;
    count(by_server ? report->answers.operation[OP_CALL] : report->answers.message[index], r.eax);
    if (!TAG_IS_ERROR(r.eax) && !by_server) {
        frames_learn(report, message, handle, r.edi);
    }
}

// --- everything else -----------------------------------------------------------------------------

static void call_port(struct report *report) {
    struct dice *dice = &report->dice;
    uint32_t label = one_in(dice, 4) ? roll(dice) & 0xffff : 0x2000 + below(dice, 8);
    tag_t tag = TAG(label, below(dice, 8), one_in(dice, 6) ? below(dice, 5) : 0, 0);
    struct ipc_registers r = raw_enter(handle_of(dice, INTERFACE_port) | OP_CALL,
                                       one_in(dice, 16) ? roll(dice) & ~0xffffu : tag, 0,
                                       wild(dice), wild(dice));
    count(report->answers.operation[OP_CALL], r.eax);
}

static tag_t reply_tag(struct dice *dice) {
    switch (below(dice, 4)) {
    case 0:
        return TAG(0x2000, below(dice, 66), one_in(dice, 3) ? below(dice, 5) : 0, 0);
    case 1:
        return TAG(0, 0, 0, below(dice, 18));
    case 2:
        return TAG_ERROR(E_NOT_FOUND + below(dice, 8));  // none of the kernel's own
    default:
        return one_in(dice, 4) ? roll(dice) : 0;
    }
}

// Did it receive a request? Then its token may serve, and so may those before it.
static bool request_came(struct report *report, const struct ipc_registers *r) {
    if (TAG_IS_ERROR(r->eax) || r->ebx == 0) {
        return false;
    }
    report->token[below(&report->dice, 16)] = report->token[0];
    report->token[0] = r->ebx;
    report->faulted = LABEL_INTERFACE(TAG_LABEL(r->eax)) == INTERFACE_fault;
    return true;
}

// What a good server does, for a while: reply to the latest request and wait for the next.
static void serve(struct report *report) {
    struct dice *dice = &report->dice;
    for (uint32_t i = below(dice, 8);; i--) {
        struct map_item item = good_item(report, KIND_MAP_IN);
        tag_t tag = report->faulted ? TAG(0, 0, 0, below(dice, 2))
                                    : TAG(0x2000, below(dice, 4), 0, 0);
        uint32_t what = i == 0 ? OP_REPLY : OP_REPLY_RECEIVE;
        struct ipc_registers r = raw_enter(HANDLE(INTERFACE_port) | what, report->token[0], tag,
                                           item.page, item.frame);
        count(report->answers.operation[what], r.eax);
        if (i == 0 || !request_came(report, &r)) {
            return;
        }
        report->calls++;
    }
}

static void operate(struct report *report) {
    static const uint8_t often[] = {OP_POLL, OP_POLL, OP_REPLY, OP_REPLY, OP_REPLY, OP_SIGNAL,
                                    OP_REPLY_RECEIVE, OP_RECEIVE};
    struct dice *dice = &report->dice;
    uint32_t what = one_in(dice, 16) ? OP_SIGNAL + below(dice, 11) : often[below(dice, 8)];
    uint32_t type = what == OP_SIGNAL ? INTERFACE_event : INTERFACE_port;
    handle_t handle = one_in(dice, 8) ? 0 : handle_of(dice, type);
    token_t token = one_in(dice, 8) ? roll(dice)
                                    : report->token[one_in(dice, 2) ? 0 : below(dice, 16)];
    struct map_item item = good_item(report, KIND_MAP_IN);
    struct ipc_registers r = raw_enter(handle | what, token, reply_tag(dice), item.page,
                                       item.frame);
    count(report->answers.operation[MIN_OF(what, OP_COUNT - 1)], r.eax);
    if (what != OP_REPLY && what != OP_SIGNAL && request_came(report, &r) && one_in(dice, 2)) {
        serve(report);
    }
}

// An instruction that traps, or the first one that needs the FPU.
static void trap(struct dice *dice) {
    volatile uint8_t *address = (volatile uint8_t *)wild(dice);
    switch (below(dice, 7)) {
    case 0:
        *address = 1;
        break;
    case 1:
        __asm__ volatile("ud2");
        break;
    case 2:
        __asm__ volatile("int $0x80" : : : "memory", "eax");
        break;
    case 3:
        (void)*address;
        break;
    case 4:
        __asm__ volatile("fld1; fstp %st(0)");
        break;
    default:
        *(volatile uint8_t *)(SCRATCH + below(dice, SCRATCH_PAGES * PAGE_SIZE)) = 1;
    }
}

void caller_run(struct actor *self) {
    struct report *report = report_of(self->argument);
    struct dice *dice = &report->dice;
    for (;;) {
        buffer_fill(dice);
        report->calls++;
        uint32_t choice = below(dice, 256);
        if (choice == 0) {
            trap(dice);
        } else if (choice < 24) {
            operate(report);
        } else if (choice < 40) {
            call_port(report);
        } else {
            call_object(report);
        }
    }
}
