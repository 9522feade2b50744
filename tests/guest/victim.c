// SPDX-License-Identifier: MIT
// Tasks that fault: see victim.h.
#include "victim.h"

handle_t victim_port;

struct actor *victim_make(void (*run)(struct actor *)) {
    struct actor *victim = task_make(POOL, 10, run);
    CHECK_EQUAL(task_fault_port(victim->task, victim_port, VICTIM_BADGE), OK);
    CHECK_EQUAL(task_death_event(victim->task, WORLD_EVENT, VICTIM_DEATH), OK);
    return victim;
}

void victim_begin(void) {
    world_begin();
    victim_port = port_make(SLOT_TEST + 5, VICTIM_RANK);
}

void victim_end(void) {
    world_end();
    port_end(victim_port);
}

void victim_fault(struct received *received, uint32_t label, uint32_t word) {
    port_next(victim_port, received);
    CHECK_EQUAL(received->tag, TAG(label, 2, 0, 0));
    CHECK_EQUAL(received->badge, VICTIM_BADGE);
    CHECK_EQUAL(received->word[0], word);
}

void victim_is_dead(struct actor *victim) {
    struct task_info_out info;
    CHECK_EQUAL(task_info(victim->task, &info), OK);
    CHECK_EQUAL(info.state, TASK_STATE_DEAD);
    CHECK_EQUAL(info.cause, CAUSE_FAULT);
    CHECK(!victim->done);
    struct received received;
    ipc_poll(0, &received);
    CHECK_EQUAL(received.tag, LABEL_EVENT);
    CHECK_EQUAL(received.word[0], VICTIM_DEATH);
}
