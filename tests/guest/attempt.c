// SPDX-License-Identifier: MIT
#include "attempt.h"
#include "trace.h"

struct wrong {
    uint32_t value;
    error_t error;
};

enum { RIGHTS = 8 };  // bits of RIGHT_ALL

static uint32_t interface_of(const struct attempt *attempt) {
    return LABEL_INTERFACE(attempt->message->label);
}

static uint32_t frames_total(void) {
    struct machine_info_out info;
    CHECK_EQUAL(machine_info(MACHINE, &info), OK);
    return info.frames_total;
}

// --- good ones -----------------------------------------------------------------------------------

// Frames that the message may name, and such as belong to another pool.
static const frame_t *frames_of(const struct attempt *attempt, bool good) {
    return (interface_of(attempt) == INTERFACE_pool) == good ? stage.pooled : stage.own;
}

static uint32_t good_value(const struct attempt *attempt, const struct field *field,
                           uint32_t word) {
    switch (field->kind) {
    case KIND_number:
    case KIND_badge:
        return field->least;
    case KIND_page:
        return STAGE_FREE_PAGE;
    case KIND_frame:
        return frames_of(attempt, true)[word];
    case KIND_handle:
        return field->least == 0 ? HANDLE(STAGE_EVENT) : stage_object(field->least);
    case KIND_device:
        return STAGE_DEVICE_FRAME;
    case KIND_slot:
        return STAGE_NEW;
    case KIND_any_slot:
        return STAGE_FOREIGN;
    case KIND_rights:
        return RIGHT_CALL;
    default:
        return 0;
    }
}

static uint32_t words_of(const struct field *field) {
    return field->kind == KIND_text ? sizeof(field_text) / 4 : 1;
}

static uint32_t word_of(const struct message *message, uint32_t index) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < index; i++) {
        word += words_of(&message->field[i]);
    }
    return word;
}

void attempt_list(struct attempt *attempt, uint32_t items) {
    const frame_t *frame = frames_of(attempt, true);
    attempt->items = items;
    for (uint32_t i = 0; i < items; i++) {
        uint32_t page = i * PAGE_SIZE;
        switch (attempt->message->list) {
        case KIND_FRAMES_IN:
            attempt->item[i] = (struct map_item){0, frame[i] << 8};
            break;
        case KIND_MAP_IN:
            attempt->item[i] = (struct map_item){STAGE_FREE_PAGE + page + MAP_READ, frame[i] << 8};
            break;
        case KIND_UNMAP_BOTH:
            attempt->item[i] = (struct map_item){STAGE_PAGE + page, 0};
            break;
        case KIND_PROTECT_BOTH:
            attempt->item[i] = (struct map_item){STAGE_PAGE + page + MAP_READ + MAP_WRITE, 0};
            break;
        case KIND_BATCH_BOTH:
            attempt->item[i] = (struct map_item){1u << 16, 0};
            break;
        default:
            attempt->items = 0;
            return;
        }
    }
    attempt->word[0] = items;  // the first field of a message with such a list is its count
}

void attempt_good(struct attempt *attempt, const struct message *message) {
    *attempt = (struct attempt){.message = message,
                                .handle = stage_object(LABEL_INTERFACE(message->label)),
                                .tag = TAG(message->label, message->words, 0, 0)};
    for (uint32_t i = 0; message->field[i].kind != KIND_end; i++) {
        uint32_t word = word_of(message, i);
        attempt->word[word] = good_value(attempt, &message->field[i], word);
    }
    // a trace ring has a header and a power of two of records
    attempt_list(attempt, message->label == LABEL_trace_attach ? 2 : 1);
}

error_t attempt_run(const struct attempt *attempt) {
    struct message_buffer *buffer = message_buffer();
    for (uint32_t i = 0; i < attempt->items; i++) {
        buffer->list[i] = attempt->item[i];
    }
    for (uint32_t i = 2; i < attempt->message->words; i++) {
        buffer->word[i] = attempt->word[i];
    }
    struct ipc_registers r = raw_enter(attempt->handle | OP_CALL, attempt->tag, 0,
                                       attempt->word[0], attempt->word[1]);
    error_t error = TAG_TO_ERROR(r.eax);
    CHECK(error != OK || TAG_LABEL(r.eax) == attempt->message->label);
    for (uint32_t i = 0; i < attempt->items && error != OK; i++) {
        bool beneath_words = i * 2 < attempt->message->words && attempt->message->words > 2;
        CHECK(beneath_words || buffer->list[i].page == attempt->item[i].page);
        CHECK(beneath_words || buffer->list[i].frame == attempt->item[i].frame);
    }
    return error;
}

// --- rules ---------------------------------------------------------------------------------------

static error_t pick(const struct wrong *wrong, uint32_t count, uint32_t n, uint32_t *value) {
    if (n >= count) {
        return OK;
    }
    *value = wrong[n].value;
    return wrong[n].error;
}
#define PICK(wrong, n, value) pick(wrong, ARRAY_LENGTH(wrong), n, value)

// Beyond the bounds on both sides, sign and width of the word.
static error_t wrong_number(const struct field *field, error_t error, uint32_t n, uint32_t *value) {
    const struct wrong wrong[] = {{0x80000000u, error}, {UINT32_MAX, error},
                                  {field->most + 1, error}, {field->least - 1, error}};
    CHECK(field->most < 0x80000000u);
    return pick(wrong, field->least == 0 ? 3 : 4, n, value);
}

static error_t wrong_page(const struct field *field, uint32_t n, uint32_t *value) {
    const struct wrong wrong[] = {
        {STAGE_FREE_PAGE + 1, E_ADDRESS}, {STAGE_FREE_PAGE + 2048, E_ADDRESS},
        {STAGE_FREE_PAGE + 4095, E_ADDRESS}, {LAYOUT_KERNEL, E_ADDRESS},
        {LAYOUT_KERNEL + 0x100000, E_ADDRESS}, {0xfffff000u, E_ADDRESS}, {UINT32_MAX, E_ADDRESS},
        {0, E_ADDRESS}, {PAGE_SIZE, E_ADDRESS}, {LAYOUT_USER_FIRST - PAGE_SIZE, E_ADDRESS}};
    return pick(wrong, field->least == 0 ? 7 : 10, n, value);
}

// Past the table, past what a list can say, the kernel's own, firmware's, another pool's.
static error_t wrong_frame(const struct attempt *attempt, uint32_t n, uint32_t *value) {
    const struct wrong wrong[] = {
        {0, E_OWNER}, {256, E_OWNER}, {frames_of(attempt, false)[0], E_OWNER},
        {frames_total() * 2, E_OWNER}, {0xffffff, E_OWNER},
        {0x1000000u | frames_of(attempt, true)[0], E_OWNER}, {UINT32_MAX, E_OWNER}};
    return PICK(wrong, n, value);
}

static error_t wrong_room(const struct attempt *attempt, uint32_t n, uint32_t *value) {
    struct pool_info_out info;
    CHECK_EQUAL(pool_info(stage_object(interface_of(attempt)), &info), OK);
    const struct wrong wrong[] = {{info.reserved - info.used - info.split + 1, E_MEMORY},
                                  {info.reserved + 1, E_MEMORY}, {0x80000000u, E_MEMORY},
                                  {UINT32_MAX, E_MEMORY}};
    return PICK(wrong, n, value);
}

static error_t wrong_slot(uint32_t kind, uint32_t n, uint32_t *value) {
    const struct wrong wrong[] = {{0, E_SLOT}, {SLOT_COUNT, E_SLOT}, {0x80000000u, E_SLOT},
                                  {UINT32_MAX, E_SLOT}, {STAGE_EVENT, E_SLOT}};
    return pick(wrong, kind == KIND_slot ? 5 : 4, n, value);
}

// What no handle of the caller's is.
static error_t wrong_handle(uint32_t n, uint32_t *value) {
    const struct wrong wrong[] = {
        {HANDLE(0), E_HANDLE}, {HANDLE(SLOT_COUNT), E_HANDLE}, {0x80000000u, E_HANDLE},
        {0xfffffff0u, E_HANDLE}, {HANDLE(STAGE_NEW), E_HANDLE}, {HANDLE(STAGE_STALE), E_HANDLE},
        {HANDLE(STAGE_FOREIGN), E_HANDLE}};
    return PICK(wrong, n, value);
}

// A copy of a handle that lacks the n-th of the rights needed; OK: no more.
static error_t wrong_rights(handle_t source, uint32_t needed, uint32_t n, uint32_t *value) {
    for (uint32_t bit = 0; bit < RIGHTS; bit++) {
        if (!(needed & 1u << bit) || n-- > 0) {
            continue;
        }
        uint32_t others = RIGHT_ALL & ~(1u << bit);
        others &= source == stage_object(INTERFACE_port) ? ~(uint32_t)RIGHT_CALL : RIGHT_ALL;
        CHECK_EQUAL(task_handle_give(TASK, source, STAGE_COPY, others, 0), OK);
        *value = HANDLE(STAGE_COPY);
        return E_RIGHT;
    }
    return OK;
}

// The n-th object that is not of this type; OK: no more.
static error_t wrong_type(uint32_t type, uint32_t n, uint32_t *value) {
    for (uint32_t other = INTERFACE_pool; other <= INTERFACE_iomem; other++) {
        if (other != type && n-- == 0) {
            *value = stage_object(other);
            return E_TYPE;
        }
    }
    return OK;
}

static error_t wrong_handle_field(const struct field *field, uint32_t n, uint32_t *value) {
    enum { NONE = 7, TYPES = 10 };
    handle_t good = field->least == 0 ? HANDLE(STAGE_EVENT) : stage_object(field->least);
    if (n == 0) {
        *value = good | 8;
        return E_HANDLE;
    }
    n--;
    if (n < NONE) {
        return wrong_handle(n, value);
    }
    n -= NONE;
    if (field->least != 0 && n < TYPES) {
        return wrong_type(field->least, n, value);
    }
    return wrong_rights(good, field->most, field->least != 0 ? n - TYPES : n, value);
}

static error_t wrong_value(const struct attempt *attempt, const struct field *field, uint32_t n,
                           uint32_t *value) {
    const struct wrong flags[] = {{field->most + 1, E_ARGUMENT}, {0x80000000u, E_ARGUMENT},
                                  {UINT32_MAX, E_ARGUMENT}};
    const struct wrong rights[] = {{RIGHT_ALL + 1, E_RIGHT}, {0x80000000u, E_RIGHT},
                                   {UINT32_MAX, E_RIGHT}};
    const struct wrong offset[] = {{1, E_ADDRESS}, {0xffff, E_ADDRESS}, {0x10000, E_ADDRESS},
                                   {0x80000000u, E_ADDRESS}, {UINT32_MAX, E_ADDRESS}};
    const struct wrong device[] = {{0, E_DENIED}, {0x9f, E_DENIED}, {0x100, E_DENIED},
                                   {stage.own[0], E_DENIED}, {stage.own[0] - 1, E_DENIED},
                                   {1u << 24, E_ARGUMENT}, {UINT32_MAX, E_ARGUMENT}};
    switch (field->kind) {
    case KIND_device:
        return PICK(device, n, value);
    case KIND_number:
    case KIND_text:
        return wrong_number(field, E_ARGUMENT, n, value);
    case KIND_badge:
        return field->most == UINT32_MAX ? OK : wrong_number(field, E_ARGUMENT, n, value);
    case KIND_flags:
        return PICK(flags, n, value);
    case KIND_page:
        return wrong_page(field, n, value);
    case KIND_frame:
        return wrong_frame(attempt, n, value);
    case KIND_room:
        return wrong_room(attempt, n, value);
    case KIND_handle:
        return wrong_handle_field(field, n, value);
    case KIND_slot:
    case KIND_any_slot:
        return wrong_slot(field->kind, n, value);
    case KIND_rights:
        return PICK(rights, n, value);
    case KIND_offset:
        return PICK(offset, n, value);
    default:
        break;
    }
    return OK;
}

// --- applied -------------------------------------------------------------------------------------

error_t attempt_bad_field(struct attempt *attempt, uint32_t field, uint32_t n, uint32_t *how) {
    uint32_t *word = &attempt->word[word_of(attempt->message, field)];
    error_t error = wrong_value(attempt, &attempt->message->field[field], n, word);
    *how = *word;
    return error;
}

// Objects of other types do not know the message; a port would pass it to its server, if it might
// be called.
error_t attempt_bad_handle(struct attempt *attempt, uint32_t n, uint32_t *how) {
    enum { NONE = 7, TYPES = 10 };
    error_t error;
    if (n < NONE) {
        error = wrong_handle(n, &attempt->handle);
    } else if (n < NONE + TYPES) {
        error = wrong_type(interface_of(attempt), n - NONE, &attempt->handle);
        error = attempt->handle == stage_object(INTERFACE_port) ? E_RIGHT : E_MESSAGE;
    } else {
        error = wrong_rights(stage_object(interface_of(attempt)), attempt->message->right,
                             n - NONE - TYPES, &attempt->handle);
    }
    *how = attempt->handle;
    return error;
}

error_t attempt_bad_tag(struct attempt *attempt, uint32_t n, uint32_t *how) {
    uint32_t label = attempt->message->label, words = attempt->message->words;
    const struct wrong wrong[] = {
        {TAG(label, words + 1, 0, 0), E_LENGTH}, {TAG(label, TAG_WORDS_MAX, 0, 0), E_LENGTH},
        {TAG(label, 127, 0, 0), E_LENGTH}, {TAG(label, words, 1, 0), E_LENGTH},
        {TAG(label, words, TAG_HANDLES_MAX, 0), E_LENGTH}, {TAG(label, words, 7, 0), E_LENGTH},
        {TAG(label, words, 0, 1), E_LENGTH}, {TAG(label, words, 0, 31), E_LENGTH},
        {TAG(label, words, 0, 0) | 0x80000000u, E_LENGTH},
        {TAG(label | 0xff, words, 0, 0), E_MESSAGE}, {TAG(label | 0x80, words, 0, 0), E_MESSAGE},
        {TAG(label & 0xff, words, 0, 0), E_MESSAGE},
        {TAG(label | 0xf000, words, 0, 0), E_MESSAGE},
        {TAG(LABEL_fault_read, words, 0, 0), E_MESSAGE},
        {TAG(LABEL_pager_map, words, 0, 0), E_MESSAGE}, {TAG_ERROR(E_IO), E_MESSAGE},
        {TAG(label, words - 1, 0, 0), E_LENGTH}};
    error_t error = pick(wrong, words == 0 ? ARRAY_LENGTH(wrong) - 1 : ARRAY_LENGTH(wrong), n,
                         &attempt->tag);
    *how = attempt->tag;
    return error;
}

// Page and rights of an item, for lists that have them.
static error_t wrong_item_page(enum list_kind list, uint32_t n, uint32_t *page) {
    uint32_t rights = list == KIND_UNMAP_BOTH ? 0 : MAP_READ;
    error_t misplaced = list == KIND_UNMAP_BOTH ? E_ADDRESS : E_ARGUMENT;
    const struct wrong wrong[] = {
        {STAGE_FREE_PAGE + 8 + rights, misplaced},
        {STAGE_FREE_PAGE + 2048 + rights, misplaced},
        {rights, E_ADDRESS}, {LAYOUT_USER_FIRST - PAGE_SIZE + rights, E_ADDRESS},
        {LAYOUT_KERNEL + rights, E_ADDRESS}, {LAYOUT_KERNEL + 0x100000 + rights, E_ADDRESS},
        {0xfffff000u + rights, E_ADDRESS},
        {LAYOUT_BUFFER + rights, list == KIND_MAP_IN ? E_MAPPED : E_DENIED},
        {(list == KIND_MAP_IN ? STAGE_PAGE : STAGE_FREE_PAGE + 64 * PAGE_SIZE) + rights,
         list == KIND_MAP_IN ? E_MAPPED : E_UNMAPPED},
        {STAGE_PAGE, E_ARGUMENT}, {STAGE_PAGE + MAP_WRITE, E_ARGUMENT},
        {STAGE_PAGE + MAP_RIGHTS, E_WX}};
    return pick(wrong, list == KIND_UNMAP_BOTH ? 9 : ARRAY_LENGTH(wrong), n, page);
}

static error_t wrong_item_frame(struct attempt *attempt, uint32_t n, struct map_item *item) {
    enum list_kind list = attempt->message->list;
    const struct wrong wrong[] = {
        {0, E_OWNER}, {256u << 8, E_OWNER}, {frames_of(attempt, false)[0] << 8, E_OWNER},
        {frames_total() * 2 << 8, E_OWNER}, {0xffffffu << 8, E_OWNER},
        {(item->frame | FRAME_FLAGS) & (list == KIND_MAP_IN ? ~0u : 0u),
         list == KIND_MAP_IN ? E_ARGUMENT : E_OWNER}};
    return PICK(wrong, n, &item->frame);
}

static error_t wrong_access(uint32_t n, uint32_t *access) {
    const struct wrong wrong[] = {{0, E_ARGUMENT}, {3u << 16, E_ARGUMENT}, {255u << 16, E_ARGUMENT},
                                  {1u << 16 | 1, E_ADDRESS}, {1u << 16 | 0xffff, E_ADDRESS},
                                  {4u << 16, E_ADDRESS}, {2u << 16 | 1u << 24, E_ADDRESS}};
    return PICK(wrong, n, access);
}

error_t attempt_bad_item(struct attempt *attempt, uint32_t at, uint32_t n, uint32_t *how) {
    enum { PAGES = 12 };
    struct map_item *item = &attempt->item[at];
    enum list_kind list = attempt->message->list;
    error_t error = OK;
    if (list == KIND_BATCH_BOTH) {
        error = wrong_access(n, &item->page);
    } else if (list == KIND_FRAMES_IN) {
        error = wrong_item_frame(attempt, n, item);
    } else if (list == KIND_MAP_IN && n >= PAGES) {
        error = wrong_item_frame(attempt, n - PAGES, item);
    } else if (list == KIND_MAP_IN || list == KIND_UNMAP_BOTH || list == KIND_PROTECT_BOTH) {
        error = wrong_item_page(list, n, &item->page);
    }
    *how = n;
    return error;
}
