// SPDX-License-Identifier: MIT
// What tasks answer (abi/ipc.def, interface task): handles, threads, and the address space.
#include "invoke.h"
#include "event.h"
#include "port.h"
#include "tracepoint.h"
#include "window.h"

enum { PAGES_A_SLICE = 128 };

error_t answer_task_ping(const struct invocation *invocation, const struct task_ping_in *in,
                         struct task_ping_out *out) {
    return OK;
}

error_t answer_task_info(const struct invocation *invocation, const struct task_info_in *in,
                         struct task_info_out *out) {
    const struct task *task = invocation->body;
    uint64_t cycles = task_cycles(task);
    *out = (struct task_info_out){task->state, task->cause, (uint32_t)cycles,
                                  (uint32_t)(cycles >> 32), task->thread_count,
                                  task->space.mapped, task->space.tables, task->badge,
                                  (uint32_t)task->billed, (uint32_t)(task->billed >> 32),
                                  task->share};
    return OK;
}

// Nobody gives more than it has, so that no part of the system takes the CPU from the others.
error_t answer_task_share(const struct invocation *invocation, const struct task_share_in *in,
                          struct task_share_out *out) {
    (void)out;
    uint32_t most = invocation->task->share;
    if (in->share == 0 || in->share > (most == SHARE_UNLIMITED ? SHARE_MAX : most)) {
        return E_ARGUMENT;
    }
    ((struct task *)invocation->body)->share = in->share;
    return OK;
}

error_t answer_task_destroy(const struct invocation *invocation, const struct task_destroy_in *in,
                            struct task_destroy_out *out) {
    uint32_t left = task_destroy(invocation->body);
    if (current_thread == invocation->thread) {
        out->left = left;
    }
    return OK;
}

error_t answer_task_kill(const struct invocation *invocation, const struct task_kill_in *in,
                         struct task_kill_out *out) {
    if (in->cause > CAUSE_KILLED) {
        return E_ARGUMENT;
    }
    task_die(invocation->body, in->cause);
    return OK;
}

// A port's owner may grant call rights that it may not hold itself.
error_t answer_task_handle_give(const struct invocation *invocation,
                                const struct task_handle_give_in *in,
                                struct task_handle_give_out *out) {
    struct task *task = invocation->body;
    error_t error;
    const struct handle_entry *source =
        handle_find(invocation->task, in->source, OBJECT_NONE, RIGHT_GRANT, &error);
    if (source == NULL) {
        return error;
    }
    uint32_t allowed = source->rights;
    if (source->object->type == OBJECT_PORT && source->rights & RIGHT_CONTROL) {
        allowed |= RIGHT_CALL;
    }
    if (in->rights & ~allowed) {
        return E_RIGHT;
    }
    if (in->badge != source->badge && source->badge != 0) {
        return E_ARGUMENT;
    }
    error = handle_slot_check(task, in->slot);
    if (error == OK) {
        error = handle_rank_check(task, source->object, in->rights);
    }
    if (error != OK) {
        return error;
    }
    handle_set(task, in->slot, source->object, in->rights, in->badge);
    return OK;
}

error_t answer_task_handle_drop(const struct invocation *invocation,
                                const struct task_handle_drop_in *in,
                                struct task_handle_drop_out *out) {
    struct task *task = invocation->body;
    if (task != invocation->task && !(invocation->handle->rights & RIGHT_CONTROL)) {
        return E_RIGHT;
    }
    if (in->slot == 0 || in->slot >= SLOT_COUNT) {
        return E_SLOT;
    }
    handle_drop(task, in->slot);
    return OK;
}

error_t answer_task_thread_create(const struct invocation *invocation,
                                  const struct task_thread_create_in *in,
                                  struct task_thread_create_out *out) {
    struct task *task = invocation->body;
    error_t error = handle_slot_check(invocation->task, in->slot);
    if (error != OK) {
        return error;
    }
    if (!space_page_valid(in->buffer)) {
        return E_ADDRESS;
    }
    if (in->priority > task->ceiling) {
        return E_ARGUMENT;
    }
    if (task->state == TASK_STATE_DEAD || task->ending) {  // callers of its threads are being told
        return E_STATE;
    }
    struct thread *thread = NULL;
    error = thread_create(task, in->buffer, in->priority, &thread);
    if (error == OK) {
        handle_set(invocation->task, in->slot, thread->object, RIGHT_ALL, 0);
    }
    return error;
}

error_t answer_task_fault_port(const struct invocation *invocation,
                               const struct task_fault_port_in *in,
                               struct task_fault_port_out *out) {
    struct task *task = invocation->body;
    error_t error;
    const struct handle_entry *port =
        handle_find(invocation->task, in->port, OBJECT_PORT, RIGHT_CONTROL, &error);
    if (port == NULL) {
        return error;
    }
    task->fault_port = object_reference(port->object);
    task->fault_badge = in->badge;
    return OK;
}

error_t answer_task_death_event(const struct invocation *invocation,
                                const struct task_death_event_in *in,
                                struct task_death_event_out *out) {
    struct task *task = invocation->body;
    error_t error;
    struct object *event = event_for_source(invocation, in->event, in->bits, &error);
    if (event == NULL) {
        return error;
    }
    return notice_create(task, event, in->bits, invocation->task->pool);
}

// --- the address space ---------------------------------------------------------------------------

static error_t count_check(uint32_t count) {
    return count == 0 || count > LIST_MAX ? E_ARGUMENT : OK;
}

error_t answer_task_map(const struct invocation *invocation, const struct task_map_in *in,
                        struct task_map_out *out) {
    struct task *task = invocation->body;
    struct map_item *list = invocation->buffer->list;
    if (count_check(in->count) != OK) {
        return E_ARGUMENT;
    }
    if (task->state == TASK_STATE_DEAD) {
        return E_STATE;
    }
    uint32_t goal = MIN_OF(in->count, PAGES_A_SLICE);
    for (out->done = 0; out->done < goal;) {
        uint32_t count = MIN_OF(goal - out->done, TAG_ITEMS_MAX);
        struct map_item items[TAG_ITEMS_MAX];
        for (uint32_t i = 0; i < count; i++) {
            items[i] = list[out->done + i];
        }
        error_t error = space_map(&task->space, items, count, invocation->task->pool);
        if (error != OK) {
            return out->done == 0 ? error : OK;
        }
        trace_map(invocation->thread, task, items, count);
        out->done += count;
    }
    return OK;
}

// An entry that unmap and protect may touch: present, and no message buffer.
static error_t entry_find(const struct task *task, vaddr_t page, uint64_t **entry) {
    if (!space_page_valid(page)) {
        return E_ADDRESS;
    }
    *entry = space_entry(&task->space, page);
    if (*entry == NULL || !(**entry & ENTRY_PRESENT)) {
        return E_UNMAPPED;
    }
    return frame_entry(ENTRY_FRAME(**entry))->type == FRAME_USER ? OK : E_DENIED;
}

static uint32_t entry_report(uint64_t entry) {
    return ENTRY_FRAME(entry) << 8 | (entry & ENTRY_ACCESSED ? FRAME_ACCESSED : 0) |
           (entry & ENTRY_DIRTY ? FRAME_DIRTY : 0);
}

static error_t protect_check(vaddr_t item, bool protect) {
    uint32_t rights = PAGE_OFFSET(item);
    if (!protect) {
        return rights == 0 ? OK : E_ADDRESS;
    }
    if (rights & ~MAP_RIGHTS || !(rights & MAP_READ)) {
        return E_ARGUMENT;
    }
    return (rights & (MAP_WRITE | MAP_EXECUTE)) == (MAP_WRITE | MAP_EXECUTE) ? E_WX : OK;
}

// unmap and protect: check up to 16 items (all or nothing); in longer lists stop at a bad one.
static error_t entries_change(const struct invocation *invocation, uint32_t count, bool protect,
                              uint32_t *done) {
    struct task *task = invocation->body;
    struct map_item *list = invocation->buffer->list;
    if (count_check(count) != OK) {
        return E_ARGUMENT;
    }
    uint32_t goal = MIN_OF(count, PAGES_A_SLICE);
    uint64_t *entry = NULL;
    error_t error = OK;
    uint32_t good = 0;
    for (; good < goal && error == OK; good += error == OK) {
        error = protect_check(list[good].page, protect);
        if (error == OK) {
            error = entry_find(task, PAGE_DOWN(list[good].page), &entry);
        }
    }
    if (error != OK && (count <= TAG_ITEMS_MAX || good == 0)) {
        return error;
    }
    for (*done = 0; *done < good; ++*done) {
        vaddr_t page = PAGE_DOWN(list[*done].page);
        if (entry_find(task, page, &entry) != OK) {
            break;  // named twice
        }
        uint64_t before =
            protect ? space_change(&task->space, page, entry, PAGE_OFFSET(list[*done].page))
                    : space_remove(&task->space, page, entry);
        list[*done].frame = entry_report(before);
        if (!protect) {
            TRACE_THREAD(unmap, invocation->thread, object_slot(task->object), 0, 0, page,
                         list[*done].frame, task->badge);
        }
    }
    return OK;
}

error_t answer_task_unmap(const struct invocation *invocation, const struct task_unmap_in *in,
                          struct task_unmap_out *out) {
    return entries_change(invocation, in->count, false, &out->done);
}

error_t answer_task_protect(const struct invocation *invocation, const struct task_protect_in *in,
                            struct task_protect_out *out) {
    return entries_change(invocation, in->count, true, &out->done);
}

// Accessed is read and cleared, Dirty only read (unmap and protect return it). Returns 1 if the page
// was accessed.
static uint32_t scan_entry(uint64_t *entry, uint32_t index, struct message_buffer *buffer) {
    uint32_t low = (uint32_t)*entry, bit = 1u << index % 32;
    if (low & ENTRY_DIRTY) {
        buffer->bitmap[1][index / 32] |= bit;
    }
    if (!(low & ENTRY_ACCESSED)) {
        return 0;
    }
    __atomic_fetch_and((uint32_t *)entry, ~(uint32_t)ENTRY_ACCESSED, __ATOMIC_SEQ_CST);
    buffer->bitmap[0][index / 32] |= bit;
    return 1;
}

error_t answer_task_scan(const struct invocation *invocation, const struct task_scan_in *in,
                         struct task_scan_out *out) {
    struct task *task = invocation->body;
    struct message_buffer *buffer = invocation->buffer;
    if (in->count == 0 || in->count > SCAN_MAX) {
        return E_ARGUMENT;
    }
    if (!space_page_valid(in->first) ||
        in->count > (LAYOUT_KERNEL - in->first) >> PAGE_SHIFT) {
        return E_ADDRESS;
    }
    for (uint32_t i = 0; i < 64; i++) {
        buffer->bitmap[i / 32][i % 32] = 0;
    }
    uint32_t accessed = 0;
    out->present = 0;
    uint64_t *entry = NULL;  // tables are looked up once each, not once for each page
    for (uint32_t i = 0; i < in->count; i++) {
        vaddr_t page = in->first + i * PAGE_SIZE;
        if (i == 0 || (page >> PAGE_SHIFT) % ENTRIES == 0) {
            entry = space_entry(&task->space, page);
        }
        if (entry != NULL && (uint32_t)entry[0] & ENTRY_PRESENT) {
            accessed += scan_entry(entry, i, buffer);
            out->present++;
        }
        entry += entry != NULL;
    }
    if (accessed > 0) {
        space_flush(&task->space);
    }
    TRACE_THREAD(scan, invocation->thread, object_slot(task->object), 0, 0, in->first, in->count,
                 accessed);
    return OK;
}

error_t answer_task_entries_read(const struct invocation *invocation,
                                 const struct task_entries_read_in *in,
                                 struct task_entries_read_out *out) {
    const struct task *task = invocation->body;
    if (count_check(in->count) != OK) {
        return E_ARGUMENT;
    }
    if (PAGE_OFFSET(in->first) != 0 || in->first >= LAYOUT_KERNEL) {
        return E_ADDRESS;
    }
    vaddr_t page = in->first;
    out->done = 0;
    for (uint32_t steps = 0; steps < 4096 && page < LAYOUT_KERNEL && out->done < in->count;
         steps++) {
        const uint64_t *entry = space_entry(&task->space, page);
        if (entry == NULL) {
            page = (page & ~0x1fffffu) + 0x200000u;
            continue;
        }
        if (*entry & ENTRY_PRESENT && frame_entry(ENTRY_FRAME(*entry))->type == FRAME_USER) {
            uint32_t rights = MAP_READ | (*entry & ENTRY_WRITE ? MAP_WRITE : 0);
            rights |= space_no_execute != 0 && !(*entry >> 63) ? MAP_EXECUTE : 0;
            invocation->buffer->list[out->done++] =
                (struct map_item){page | rights, entry_report(*entry)};
        }
        page += PAGE_SIZE;
    }
    out->next = page;
    return OK;
}

error_t answer_task_tables_trim(const struct invocation *invocation,
                                const struct task_tables_trim_in *in,
                                struct task_tables_trim_out *out) {
    struct task *task = invocation->body;
    out->freed = 0;
    for (vaddr_t page = 0; page < LAYOUT_KERNEL; page += 0x200000u) {
        if (task->space.directory[page >> 30] == NULL) {
            page = (page & 0xc0000000u) + 0x3fe00000u;
            continue;
        }
        out->freed += space_trim(&task->space, page);
    }
    return OK;
}
