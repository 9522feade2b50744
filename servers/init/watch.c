// SPDX-License-Identifier: MIT
// The watch: see watch.h. A server that faults has died, and so far the system ends with it. The
// main thread is torn out of whatever it does and begins anew with its last words.
#include "watch.h"

#include "report.h"
#include "server.h"

#define RANK_WATCH 31u
#define WATCH_BUFFER 0xbfffc000u  // message buffer of its thread
#define WATCH_STACK 4096u

static uint32_t port;
static struct received death;
static _Alignas(16) char stack[WATCH_STACK];

static const char *fault_name(uint32_t label) {
    switch (label) {
    case LABEL_fault_read:
        return "it read at ";
    case LABEL_fault_write:
    case LABEL_fault_protection:
        return "it wrote at ";
    case LABEL_fault_execute:
        return "it jumped to ";
    default:
        return "exception ";
    }
}

static void last_words(void) {
    field_text where, eip;
    text_clear(&where);
    text_clear(&eip);
    text_add_hex(&where, death.word[0]);
    text_add_hex(&eip, death.word[1]);
    if (death.badge == TASK_CONSOLE) {
        report_console(0);
    }
    fatal("the server ", death.badge < TASK_SERVERS_END ? server_names[death.badge] : "?",
          " died: ", fault_name(TAG_LABEL(death.tag)), where.bytes, ", eip ", eip.bytes,
          ": this is a defect of the system", NULL);
}

// Uses no message of more than two words: those in registers need no buffer of this thread's. The
// third word of thread_start is an argument that last_words() does not take.
static void watch_run(void) {
    for (;;) {
        ipc_receive(HANDLE(port), &death);
        (void)!thread_suspend(HANDLE(SLOT_THREAD));
        (void)!thread_start(HANDLE(SLOT_THREAD), (uint32_t)last_words, LAYOUT_STACK_TOP - 4, 0);
    }
}

void watch_open(void) {
    uint32_t thread = slot_need();
    port = slot_need();
    must(pool_port_create(HANDLE(SLOT_POOL), port, RANK_WATCH), "create the watch's port");
    must(task_thread_create(HANDLE(SLOT_TASK), thread, WATCH_BUFFER, RANK_WATCH),
         "create the watch's thread");
    must(thread_start(HANDLE(thread), (uint32_t)watch_run,
                      (uint32_t)stack + WATCH_STACK - 4, 0), "start the watch");
}

void watch_server(handle_t task, uint32_t number) {
    must(task_fault_port(task, HANDLE(port), number), "watch a server");
}
