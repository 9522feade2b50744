// SPDX-License-Identifier: MIT
#include "port.h"
#include "cpu.h"
#include "event.h"
#include "panic.h"
#include "schedule.h"
#include "tracepoint.h"

enum { REFUSALS_MAX = 16 };  // callers turned away in one receive

// Counts the calls of all threads, for the trace.
static uint32_t last_call_id;

// --- who waits -----------------------------------------------------------------------------------
//   KEY_CALL: object->receiver waits, callers is empty
//   KEY_RECEIVE: no object->receiver, callers is empty; receivers may wait in the queue
//   KEY_SLOW: no receiver at all, callers is not empty

static uint32_t readiness(const struct port *port) {
    return port->object->key & ~KEY_GENERATION;
}

static void readiness_set(struct port *port, uint32_t ready) {
    port->object->key = object_generation(port->object) | ready;
}

static struct thread *receiver_first(const struct port *port) {
    return readiness(port) == KEY_CALL ? port->object->receiver : port->receivers.first;
}

static void receiver_add(struct thread *thread, struct port *port) {
    if (readiness(port) == KEY_RECEIVE) {
        port->object->receiver = thread;
        readiness_set(port, KEY_CALL);
    } else {
        queue_add(&port->receivers, thread);
    }
}

void port_receiver_remove(struct thread *thread) {
    if (thread->queue != NULL) {
        queue_remove(thread);
    } else if (thread->port != NULL) {
        readiness_set(thread->port->body, KEY_RECEIVE);
    }
    thread->port = NULL;
}

static void caller_add(struct thread *caller, struct port *port) {
    caller->state = THREAD_SENDING;
    caller->port = port->object;
    queue_add(&port->callers, caller);
    readiness_set(port, KEY_SLOW);
}

void port_caller_remove(struct thread *caller) {
    struct port *port = caller->port->body;
    queue_remove(caller);
    if (port->callers.first == NULL) {
        readiness_set(port, KEY_RECEIVE);
    }
    caller->port = NULL;
}

static void caller_wait(struct thread *caller, struct task *server) {
    caller->state = THREAD_WAITING;
    caller->server = (uintptr_t)server + (caller->flags & THREAD_FAULTED ? 1 : 0);
    thread_serve(caller, server);
}

void port_caller_forget(struct thread *caller) {
    caller->server = 0;
    caller->token += TOKEN_STEP;
}

void port_caller_abandoned(struct thread *caller) {
    port_caller_forget(caller);
    thread_fail(caller, E_RESTARTED);
}

// --- handles in messages -------------------------------------------------------------------------

// Check all handles of a message, then copy them into the slots that the receiver offered.
static error_t handles_pass(struct thread *from, struct thread *to, uint32_t count) {
    const struct handle_entry *sent[TAG_HANDLES_MAX];
    uint32_t slot[TAG_HANDLES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        error_t error;
        sent[i] = handle_find(from->task, from->buffer->handle[i], OBJECT_NONE, RIGHT_GRANT, &error);
        if (sent[i] == NULL) {
            return error;
        }
        slot[i] = HANDLE_INDEX(to->buffer->offer[i]);
        if (handle_slot_check(to->task, slot[i]) != OK) {
            return E_SLOT;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (slot[j] == slot[i]) {
                return E_SLOT;
            }
        }
        error = handle_rank_check(to->task, sent[i]->object, sent[i]->rights);
        if (error != OK) {
            return error;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct handle_entry entry = *sent[i];
        handle_set(to->task, slot[i], entry.object, entry.rights, entry.badge);
        to->buffer->handle[i] = HANDLE(slot[i]);
    }
    return OK;
}

// Handles, and the words that do not travel in registers; all checks are of the handles.
static error_t buffer_pass(struct thread *from, struct thread *to, tag_t tag) {
    error_t error = handles_pass(from, to, TAG_HANDLES(tag));
    if (error == OK && TAG_WORDS(tag) > 2) {
        words_copy(to->buffer->word + 2, from->buffer->word + 2, TAG_WORDS(tag) - 2);
    }
    return error;
}

// No error, and no more of anything than there may be.
static bool is_message(tag_t tag) {
    return !TAG_IS_ERROR(tag) && TAG_ITEMS(tag) == 0 && TAG_WORDS(tag) <= TAG_WORDS_MAX &&
           TAG_HANDLES(tag) <= TAG_HANDLES_MAX;
}

// --- call and receive ----------------------------------------------------------------------------

// Hand the caller's message to a receiver: all checks, then the receiver's registers.
static error_t deliver(struct thread *caller, struct thread *receiver) {
    error_t error = buffer_pass(caller, receiver, caller->tag);
    if (error != OK) {
        return error;
    }
    struct registers *r = &receiver->registers;
    r->eax = caller->tag;
    r->ebx = caller->token;
    r->esi = caller->badge;
    r->edi = caller->word[0];
    r->ebp = caller->word[1];
    receiver->serves_id = caller->call_id;
    schedule_serve(receiver, caller);
    TRACE_THREAD(receive, receiver, TOKEN_SLOT(caller->token), 0, caller->tag, caller->word[0],
                 caller->word[1], caller->badge);
    caller_wait(caller, receiver->task);
    return OK;
}

// The message is the caller's tag and words.
static error_t send(struct thread *caller, struct port *port, badge_t badge) {
    enum event_kind kind = caller->flags & THREAD_FAULTED ? EVENT_fault : EVENT_call;
    caller->call_id = ++last_call_id;
    caller->badge = badge;
    if (__builtin_expect(trace_mask & 1u << kind, 0)) {
        trace_record(kind, caller, object_slot(port->object), caller->call_id, caller->tag,
                     caller->word[0], caller->word[1], 0);
    }
    struct thread *receiver = receiver_first(port);
    if (receiver == NULL) {
        caller_add(caller, port);
        return OK;
    }
    error_t error = deliver(caller, receiver);
    if (error == OK) {
        port_receiver_remove(receiver);
        thread_ready(receiver);
    }
    return error;
}

error_t port_call(struct thread *caller, struct port *port, badge_t badge) {
    tag_t tag = caller->registers.ebx;
    if (!is_message(tag) || TAG_LABEL(tag) == LABEL_EVENT ||
        LABEL_INTERFACE(TAG_LABEL(tag)) == INTERFACE_fault) {
        return E_LENGTH;
    }
    caller->tag = tag;
    caller->word[0] = caller->registers.edi;
    caller->word[1] = caller->registers.ebp;
    return send(caller, port, badge);
}

error_t port_fault(struct thread *thread, tag_t tag, uint32_t address) {
    struct port *port = reference_body(thread->task->fault_port);
    if (port == NULL) {
        return E_DEAD;
    }
    thread->flags |= THREAD_FAULTED;
    thread->tag = tag;
    thread->word[0] = address;
    thread->word[1] = thread->registers.eip;
    return send(thread, port, thread->task->fault_badge);
}

bool port_destroy(struct port *port, uint32_t steps) {
    if (!port->ending) {
        port->ending = true;
        object_handles_end(port->object);
    }
    for (;; steps--) {
        struct thread *thread = port->callers.first;
        bool calls = thread != NULL;
        if (!calls && (thread = receiver_first(port)) == NULL) {
            object_destroy(port->object);
            return true;
        }
        if (steps == 0) {
            return false;
        }
        (calls ? port_caller_remove : port_receiver_remove)(thread);
        thread_fail(thread, E_DEAD);
    }
}

// The first in line comes out of it, whether its message arrives or not: some, and no more, may be
// refused for their handles in one entry.
static error_t deliver_first(struct port *port, struct thread *receiver) {
    for (uint32_t i = 0; i < REFUSALS_MAX; i++) {
        struct thread *caller = port->callers.first;
        if (caller == NULL) {
            break;
        }
        port_caller_remove(caller);
        error_t error = deliver(caller, receiver);
        if (error == OK) {
            return OK;
        }
        thread_fail(caller, error);
    }
    return E_EMPTY;
}

error_t port_receive(struct thread *thread, struct port *port, bool wait) {
    if (port != NULL && thread->priority != port->object->rank) {
        thread_priority_set(thread, port->object->rank);
    }
    if (event_collect(thread)) {
        return OK;
    }
    if (port != NULL && deliver_first(port, thread) == OK) {
        return OK;
    }
    if (!wait || (port != NULL && port->callers.first != NULL)) {
        return E_EMPTY;
    }
    if (port == NULL && thread->event == NULL) {
        return E_STATE;  // nothing could ever end this wait
    }
    thread->state = THREAD_RECEIVING;
    thread->port = NULL;
    thread->serves_id = 0;
    if (port != NULL) {
        thread->port = port->object;
        receiver_add(thread, port);
    }
    return OK;
}

// --- reply ---------------------------------------------------------------------------------------

error_t port_map_one(struct task *task, const struct pool *owner, uint32_t page, uint32_t frame) {
    struct map_item item = {page, frame};
    return space_map_one(&task->space, &item, owner);
}

// A reply to a fault: nothing (try again), or map items.
static error_t reply_fault(struct thread *server, struct thread *faulter, tag_t tag) {
    uint32_t count = TAG_ITEMS(tag), done;
    if (count > TAG_ITEMS_MAX || TAG_WORDS(tag) != 0 || TAG_HANDLES(tag) != 0) {
        return E_LENGTH;
    }
    if (count == 0) {
        return OK;
    }
    struct map_item *items = server->buffer->item;  // the first travels in registers
    items[0] = (struct map_item){server->registers.edi, server->registers.ebp};
    error_t error = space_map(&faulter->task->space, items, count, server->task->pool, &done);
    if (error == OK) {
        trace_map(server, faulter->task, items, count);
    }
    return error;
}

static error_t reply_call(struct thread *server, struct thread *caller, tag_t tag) {
    error_t error = is_message(tag) ? buffer_pass(server, caller, tag) : E_LENGTH;
    if (error == OK) {
        caller->registers.edi = server->registers.edi;
        caller->registers.ebp = server->registers.ebp;
        caller->registers.ebx = TAG_WORDS(tag) > 2 ? server->buffer->word[2] : 0;
    }
    return error;
}

error_t port_reply(struct thread *server) {
    token_t token = server->registers.ebx;
    tag_t tag = server->registers.esi;
    struct thread *caller = objects.table[TOKEN_SLOT(token) & objects.mask].thread;
    if (caller->token != token || (caller->server & ~(uintptr_t)1) != (uintptr_t)server->task) {
        return E_TOKEN;
    }
    server->serves_id = caller->call_id;
    schedule_served(server, caller);
    bool faulted = caller->flags & THREAD_FAULTED;
    error_t error = TAG_IS_ERROR(tag) ? OK
                    : faulted         ? reply_fault(server, caller, tag)
                                      : reply_call(server, caller, tag);
    if (error != OK) {
        return error;
    }
    TRACE_THREAD(reply, server, object_slot(caller->object), 0, tag, server->registers.edi,
                 server->registers.ebp, 0);
    if (faulted && TAG_IS_ERROR(tag)) {
        task_die(caller->task, CAUSE_FAULT);
        return OK;
    }
    port_caller_forget(caller);
    thread_return(caller, tag);
    return OK;
}
