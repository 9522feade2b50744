// SPDX-License-Identifier: MIT
// Ports and the message path: call, receive, reply. A port's rank is the priority its server works
// at (object->rank); callers wait in order of arrival.
#pragma once
#include "thread.h"

struct port {
    struct object *object;
    struct queue callers;    // THREAD_SENDING
    struct queue receivers;  // THREAD_RECEIVING, but for the object's receiver
    bool ending;             // no handle is left that calls or receives: nobody else comes to wait
};

// Operations of the current thread, whose registers say the rest. An error goes back into its eax; OK means that its registers
// are set, or that it waits.
error_t port_call(struct thread *caller, struct port *port, badge_t badge);
error_t port_receive(struct thread *thread, struct port *port, bool wait);
error_t port_reply(struct thread *server);

// A fault is a call that the kernel makes for the thread. E_DEAD: there is no fault port.
error_t port_fault(struct thread *thread, tag_t tag, uint32_t address);

// The one map item of a reply to a fault of `task`, for fast.asm.
error_t port_map_one(struct task *task, const struct pool *owner, uint32_t page, uint32_t frame);

// The server of a waiting caller is gone: a call fails with E_RESTARTED, a fault is tried again.
void port_caller_abandoned(struct thread *caller);
// End a port: its handles die, who calls or receives there fails with E_DEAD, a fault is tried again.
// At most `steps` threads at a time; false: more of them wait, and the port is ending.
bool port_destroy(struct port *port, uint32_t steps);
// A waiting caller waits no longer: its token is void.
void port_caller_forget(struct thread *caller);
// Take a caller out of its port's queue, or a receiver from its port.
void port_caller_remove(struct thread *caller);
void port_receiver_remove(struct thread *receiver);
