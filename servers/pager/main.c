// SPDX-License-Identifier: MIT
// The pager server's one thread: receive, decide, reply. A fault that needs nothing but a frame is
// answered, its page mapped and the next message received in a single kernel entry.
//
// start_info.command: `trace=on` makes it tell all its decisions from the first one on (else it
// asks now and then whether anybody listens), `check=N` makes it audit itself after every N
// messages.
#include "audit.h"
#include "demand.h"
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

static void next_receive(struct received *received) {
    if (pager_work()) {
        offer();
        ipc_poll(PORT, received);
    } else {
        offer();
        ipc_receive(PORT, received);
    }
}

static void next_reply(token_t token, tag_t tag, const uint32_t *words,
                       struct received *received) {
    if (pager_work()) {
        (void)!ipc_reply(token, tag, words);  // a caller that waits no more needs no answer
        offer();
        ipc_poll(PORT, received);
        return;
    }
    offer();
    ipc_reply_receive(PORT, token, tag, words, received);
}

// Answers, and receives the next message. An error: it could not answer, and nothing came.
static error_t map_reply(const struct fault *fault, const struct answer *answer,
                         struct received *received) {
    if (evict_surplus_due) {
        error_t error = ipc_reply_map(fault->token, &answer->item, 1);
        if (error == OK) {
            next_receive(received);
        }
        return error;
    }
    offer();
    ipc_reply_map_receive(PORT, fault->token, &answer->item, 1, received);
    return TAG_TO_ERROR(received->tag);
}

static void fault_answer(struct received *received) {
    struct fault fault = {TAG_LABEL(received->tag), received->badge, received->token,
                          received->word[0], received->word[1]};
    struct answer answer;
    demand_serve(&fault, &answer);
    // Nothing may be evicted before the answer is given: it could be this page.
    transfer_flush();
    while (answer.kind == ANSWER_MAP) {
        error_t error = map_reply(&fault, &answer, received);
        if (error == OK) {
            return;
        }
        demand_amend(&fault, &answer, error);
    }
    if (answer.kind == ANSWER_ERROR) {
        next_reply(fault.token, TAG_ERROR(answer.error), NULL, received);
    } else {
        next_receive(received);
    }
}

static void request_answer(struct received *received) {
    const uint32_t *words;
    token_t token = received->token;
    tag_t tag = serve_message(received, &words);
    offer_next(received);
    demand_continue();  // it may have made room
    next_reply(token, tag, words, received);
}

static void message_answer(struct received *received) {
    if (TAG_IS_ERROR(received->tag)) {
        next_receive(received);  // nothing came (E_EMPTY), or the caller of a reply has gone
    } else if (TAG_LABEL(received->tag) == LABEL_EVENT) {
        demand_continue();
        next_receive(received);
    } else if (LABEL_INTERFACE(TAG_LABEL(received->tag)) == INTERFACE_fault) {
        fault_answer(received);
    } else {
        request_answer(received);
    }
}

void server_main(void) {
    uint32_t interval = command_number("check="), served = 0;
    const char *trace = command_find("trace=");
    machine_traces_always = trace != NULL && trace[0] == 'o' && trace[1] == 'n';
    pager_init();
    struct received received;
    next_receive(&received);
    for (;;) {
        machine_traces |= served++ % TRACE_ASK == 0;
        message_answer(&received);
        if (interval != 0 && served % interval == 0 && audit_count() != 0) {
            __builtin_trap();  // init hears of it: a pager that cannot trust itself must not go on
        }
    }
}
