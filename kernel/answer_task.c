// SPDX-License-Identifier: MIT
// What tasks answer (abi/ipc.def, interface task): handles, threads, and the address space.
#include "invoke.h"
#include "event.h"
#include "port.h"
#include "schedule.h"

enum { TABLES_A_SLICE = 64 };  // page tables freed in one message

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
    uint32_t most = invocation->task->share;
    if (most != SHARE_UNLIMITED && in->share > most) {
        return E_ARGUMENT;
    }
    ((struct task *)invocation->body)->share = in->share;
    schedule_slice_end();  // it may be the one that pays, and have had no end to its time
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
    if (in->priority > task->ceiling) {
        return E_ARGUMENT;
    }
    if (task->state == TASK_STATE_DEAD || task->ending) {  // callers of its threads are being told
        return E_STATE;
    }
    struct thread *thread = NULL;
    error_t error = thread_create(task, in->buffer, in->priority, &thread);
    if (error == OK) {
        handle_set(invocation->task, in->slot, thread->object, RIGHT_ALL, 0);
    }
    return error;
}

error_t answer_task_fault_port(const struct invocation *invocation,
                               const struct task_fault_port_in *in,
                               struct task_fault_port_out *out) {
    struct task *task = invocation->body;
    struct object *port = invocation->found->object;
    if (((const struct port *)port->body)->ending) {
        return E_DEAD;
    }
    task->fault_port = object_reference(port);
    task->fault_badge = in->badge;
    return OK;
}

error_t answer_task_death_event(const struct invocation *invocation,
                                const struct task_death_event_in *in,
                                struct task_death_event_out *out) {
    return notice_create(invocation->body, invocation->found->object, in->bits,
                         invocation->task->pool);
}

// --- the address space ---------------------------------------------------------------------------

error_t answer_task_entries_read(const struct invocation *invocation,
                                 const struct task_entries_read_in *in,
                                 struct task_entries_read_out *out) {
    const struct task *task = invocation->body;
    out->next = in->first;
    out->done = space_list(&task->space, &out->next, in->count, invocation->buffer->list);
    return OK;
}

error_t answer_task_tables_trim(const struct invocation *invocation,
                                const struct task_tables_trim_in *in,
                                struct task_tables_trim_out *out) {
    struct task *task = invocation->body;
    out->freed = 0;
    for (vaddr_t page = 0; page < LAYOUT_KERNEL; page += 0x200000u) {
        if (out->freed == TABLES_A_SLICE) {
            out->left = 1;
            break;
        }
        if (task->space.directory[page >> 30] == NULL) {
            page = (page & 0xc0000000u) + 0x3fe00000u;
            continue;
        }
        out->freed += space_trim(&task->space, page);
    }
    return OK;
}
