// SPDX-License-Identifier: MIT
// Signals that a program sends to itself (raise, abort, kill of its own number): a handler is
// called at once, or when the signal is unblocked. Nobody else can send any: faults go to the
// pager, which ends the program, and there is no alarm and no Ctrl-C.
#include "linux.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#define SIGNALS 64u

// The kernel's struct sigaction.
struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static struct action actions[SIGNALS];
static uint64_t blocked, pending;

static bool ignored_by_default(uint32_t signal) {
    return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
}

static void deliver(uint32_t signal) {
    struct action action = actions[signal - 1];
    if (action.handler == SIG_IGN || (action.handler == SIG_DFL && ignored_by_default(signal))) {
        return;
    }
    if (action.handler == SIG_DFL) {
        linux_exit(128 + signal);
    }
    if (action.flags & SA_RESETHAND) {
        actions[signal - 1].handler = SIG_DFL;
    }
    uint64_t before = blocked;
    blocked |= action.mask | ((action.flags & SA_NODEFER) ? 0 : 1ull << (signal - 1));
    action.handler((int)signal);
    blocked = before;
}

static void deliver_pending(void) {
    for (uint32_t signal = 1; signal <= SIGNALS; signal++) {
        uint64_t bit = 1ull << (signal - 1);
        if ((pending & ~blocked & bit) != 0) {
            pending &= ~bit;
            deliver(signal);
        }
    }
}

static long send(uint32_t signal) {
    if (signal > SIGNALS) {
        return -EINVAL;
    }
    if (signal != 0) {
        pending |= 1ull << (signal - 1);
        blocked &= ~(1ull << (SIGKILL - 1));
        deliver_pending();
    }
    return 0;
}

static long send_to(uint32_t process, uint32_t signal) {
    bool self = process == 0 || (long)process == linux_process_number(NULL);
    return self ? send(signal) : -EPERM;
}

long linux_kill(const struct linux_call *call) {
    return send_to(call->argument[0], call->argument[1]);
}

long linux_kill_thread(const struct linux_call *call) {
    return send_to(call->argument[0], call->argument[1]);
}

long linux_kill_thread_group(const struct linux_call *call) {
    return send_to(call->argument[0], call->argument[2]);
}

long linux_signal_action(const struct linux_call *call) {
    uint32_t signal = call->argument[0];
    const struct action *new = (const struct action *)call->argument[1];
    struct action *old = (struct action *)call->argument[2];
    if (signal == 0 || signal > SIGNALS || (new != NULL && signal == SIGKILL)) {
        return -EINVAL;
    }
    struct action before = actions[signal - 1];
    if (new != NULL) {
        actions[signal - 1] = *new;
    }
    if (old != NULL) {
        *old = before;
    }
    return 0;
}

long linux_signal_mask(const struct linux_call *call) {
    const uint64_t *new = (const uint64_t *)call->argument[1];
    uint64_t *old = (uint64_t *)call->argument[2];
    uint64_t before = blocked;
    if (new != NULL) {
        switch (call->argument[0]) {
        case SIG_BLOCK:
            blocked |= *new;
            break;
        case SIG_UNBLOCK:
            blocked &= ~*new;
            break;
        case SIG_SETMASK:
            blocked = *new;
            break;
        default:
            return -EINVAL;
        }
    }
    if (old != NULL) {
        *old = before;
    }
    deliver_pending();
    return 0;
}
