// SPDX-License-Identifier: MIT
// The pager server's one thread: receive, decide, reply. A fault that needs nothing but a frame is
// answered, its page mapped and the next message received in a single kernel entry.
//
// start_info.command: `trace=on` makes it tell all its decisions from the first one on (else it
// asks now and then whether anybody listens), `check=N` makes it audit itself after every N
// messages, and after each change of policy.
#include "audit.h"
#include "demand.h"
#include "enter.h"
#include "evict.h"
#include "machine.h"
#include "pager.h"
#include "service.h"
#include "transfer.h"

#define PORT HANDLE(SLOT_PORT)
#define TRACE_ASK 256u  // messages after which the pager asks again whether decisions are recorded

void server_main(void);

// ---- the boot line ---------------------------------------------------------------------------

// What follows `key` in the command line, or NULL. The last one counts.
static const char *command_find(const char *key) {
    const char *command = start_info()->command, *found = NULL;
    for (uint32_t i = 0; i < BOOT_COMMAND_MAX && command[i] != 0; i++) {
        uint32_t n = 0;
        while (key[n] != 0 && i + n < BOOT_COMMAND_MAX && command[i + n] == key[n]) {
            n++;
        }
        if (key[n] == 0 && (i == 0 || command[i - 1] == ' ')) {
            found = command + i + n;
        }
    }
    return found;
}

static uint32_t command_number(const char *key) {
    const char *digit = command_find(key);
    uint32_t number = 0;
    for (; digit != NULL && *digit >= '0' && *digit <= '9' && number < 100000000; digit++) {
        number = number * 10 + (uint32_t)(*digit - '0');
    }
    return number;
}

// ---- messages --------------------------------------------------------------------------------

// The slot that the next message may put a handle into. The kernel refuses a message with a handle
// when this one is taken, so another is looked for after each handle that came.
static uint32_t offered = SLOT_FREE;

// Before each receive: a list for the kernel may have overwritten the offer.
static void offer(void) {
    message_buffer()->offer[0] = HANDLE(offered);
}

static int slot_taken(uint32_t slot) {
    FOR_EACH_DOMAIN(domain) {
        if (domain->space == HANDLE(slot)) {
            return 1;
        }
    }
    return 0;
}

// There are more slots than domains.
static void offer_next(const struct received *received) {
    while (TAG_HANDLES(received->tag) > 0 && slot_taken(offered)) {
        offered = offered + 1 < SLOT_COUNT ? offered + 1 : SLOT_FREE;
    }
}

static struct received next_receive(void) {
    enum operation operation = pager_work() ? OP_POLL : OP_RECEIVE;
    offer();
    return ipc_receive_inline(PORT, operation);
}

static struct received next_reply(token_t token, tag_t tag, const uint32_t *words) {
    struct received received;
    if (pager_work()) {
        (void)!ipc_reply(token, tag, words);  // a caller that waits no more needs no answer
        offer();
        return ipc_receive_inline(PORT, OP_POLL);
    }
    offer();
    ipc_reply_receive(PORT, token, tag, words, &received);
    return received;
}

// The answer could not be given, or must be given before room is made: it could be this page's.
static struct received fault_answer_slowly(const struct fault *fault, struct answer *answer,
                                           error_t error) {
    while (answer->kind == ANSWER_MAP) {
        if (error != OK) {
            demand_amend(fault, answer, error);
        }
        if (answer->kind == ANSWER_MAP) {
            error = ipc_reply_map(fault->token, &answer->item, 1);
            answer->kind = error == OK ? ANSWER_LATER : ANSWER_MAP;
        }
    }
    return answer->kind == ANSWER_ERROR ? next_reply(fault->token, TAG_ERROR(answer->error), NULL)
                                        : next_receive();
}

// Answers, and receives the next message in the same kernel entry.
static struct received fault_answer(const struct received *message) {
    struct fault fault = {TAG_LABEL(message->tag), message->badge, message->token,
                          message->word[0], message->word[1]};
    struct answer answer;
    demand_serve(&fault, &answer);
    transfer_flush();
    if (answer.kind != ANSWER_MAP || evict_surplus_due) {
        return fault_answer_slowly(&fault, &answer, OK);
    }
    offer();
    struct received received = ipc_reply_map_receive_inline(PORT, fault.token, answer.item);
    if (TAG_IS_ERROR(received.tag) && TAG_TO_ERROR(received.tag) != E_EMPTY) {  // not answered yet
        return fault_answer_slowly(&fault, &answer, TAG_TO_ERROR(received.tag));
    }
    return received;
}

static struct received request_answer(struct received message) {
    const uint32_t *words;
    tag_t tag = serve_message(&message, &words);
    offer_next(&message);
    demand_continue();  // it may have made room
    return next_reply(message.token, tag, words);
}

static struct received message_answer(struct received message) {
    if (TAG_IS_ERROR(message.tag)) {
        return next_receive();  // nothing came (E_EMPTY), or the caller of a reply has gone
    }
    if (LABEL_INTERFACE(TAG_LABEL(message.tag)) == INTERFACE_fault) {
        return fault_answer(&message);
    }
    if (TAG_LABEL(message.tag) == LABEL_EVENT) {
        demand_continue();
        return next_receive();
    }
    return request_answer(message);
}

// init hears of a broken law: who cannot trust itself must not go on.
static void audit(void) {
    if (audit_count() != 0) {
        __builtin_trap();
    }
}

void server_main(void) {
    uint32_t switches = 0;
    uint32_t interval = command_number("check="), audit_due = interval, ask_due = 1;
    const char *trace = command_find("trace=");
    machine_traces_always = trace != NULL && trace[0] == 'o' && trace[1] == 'n';
    pager_init();
    struct received received = next_receive();
    for (;;) {
        if (--ask_due == 0) {
            machine_traces = 1;
            ask_due = TRACE_ASK;
        }
        received = message_answer(received);
        if (interval != 0 && (--audit_due == 0 || switches != control_switches)) {
            audit_due = interval;
            switches = control_switches;
            audit();
        }
    }
}
