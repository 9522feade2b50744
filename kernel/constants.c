// SPDX-License-Identifier: MIT
// Numbers that the assembly needs, taken from the C types: text in the section .constants of this
// file's object, which the build cuts out as constants.inc. Never linked into the kernel.
#include "descriptor.h"
#include "event.h"
#include "invoke.h"
#include "port.h"
#include "schedule.h"
#include "thread.h"

#define CONSTANT(name, value)                                                                 \
    __asm__ volatile(".pushsection .constants,\"a\"\n\t.ascii \"%%define " #name " %c0\\n\"\n\t" \
                     ".popsection"                                                            \
                     :                                                                        \
                     : "i"(value))

void constants(void);
void constants(void) {
    CONSTANT(SELECTOR_USER_CODE, SELECTOR_USER_CODE);
    CONSTANT(SELECTOR_USER_DATA, SELECTOR_USER_DATA);
    CONSTANT(EFLAGS_USER, EFLAGS_USER);
    CONSTANT(EFLAGS_KERNEL, EFLAGS_KERNEL);
    CONSTANT(VECTOR_SYSENTER, VECTOR_SYSENTER);
    CONSTANT(REGISTERS_VECTOR, offsetof(struct registers, vector));
    CONSTANT(REGISTERS_EIP, offsetof(struct registers, eip));
    CONSTANT(REGISTERS_CS, offsetof(struct registers, cs));
    CONSTANT(REGISTERS_ESP, offsetof(struct registers, esp));
    CONSTANT(REGISTERS_EAX, offsetof(struct registers, eax));
    CONSTANT(REGISTERS_EBX, offsetof(struct registers, ebx));
    CONSTANT(REGISTERS_ESI, offsetof(struct registers, esi));
    CONSTANT(REGISTERS_EDI, offsetof(struct registers, edi));
    CONSTANT(REGISTERS_EBP, offsetof(struct registers, ebp));
    CONSTANT(REGISTERS_ERROR, offsetof(struct registers, error));
    CONSTANT(REGISTERS_SIZE, sizeof(struct registers));
    CONSTANT(VECTOR_PAGE_FAULT, VECTOR_PAGE_FAULT);
    CONSTANT(THREAD_STATE, offsetof(struct thread, state));
    CONSTANT(THREAD_PRIORITY, offsetof(struct thread, priority));
    CONSTANT(THREAD_TASK, offsetof(struct thread, task));
    CONSTANT(THREAD_HANDLES, offsetof(struct thread, handles));
    CONSTANT(THREAD_TOKEN, offsetof(struct thread, token));
    CONSTANT(THREAD_SERVER, offsetof(struct thread, server));
    CONSTANT(THREAD_SERVED_BY, offsetof(struct thread, served_by));
    CONSTANT(THREAD_PORT, offsetof(struct thread, port));
    CONSTANT(THREAD_DIRECTORY, offsetof(struct thread, directory));
    CONSTANT(THREAD_TLS_BASE, offsetof(struct thread, tls_base));
    CONSTANT(THREAD_GS, offsetof(struct thread, gs));
    CONSTANT(THREAD_PENDING, offsetof(struct thread, pending));
    CONSTANT(THREAD_PAYER, offsetof(struct thread, payer.object));
    CONSTANT(THREAD_PAYER_GENERATION, offsetof(struct thread, payer.generation));
    CONSTANT(THREAD_NEXT, offsetof(struct thread, next));
    CONSTANT(THREAD_PREVIOUS, offsetof(struct thread, previous));
    CONSTANT(THREAD_CYCLES, offsetof(struct thread, cycles));
    CONSTANT(THREAD_BUFFER, offsetof(struct thread, buffer));
    CONSTANT(THREAD_READY, THREAD_READY);
    CONSTANT(THREAD_WAITING, THREAD_WAITING);
    CONSTANT(THREAD_RECEIVING, THREAD_RECEIVING);
    CONSTANT(THREAD_FAULTED, THREAD_FAULTED);
    CONSTANT(CPU_PAYER, offsetof(struct cpu, payer));
    CONSTANT(CPU_FAST, offsetof(struct cpu, fast));
    CONSTANT(CPU_CHARGED_AT, offsetof(struct cpu, charged_at));
    CONSTANT(CPU_ON_ACCOUNT, offsetof(struct cpu, on_account));
    CONSTANT(CPU_QUEUE, offsetof(struct cpu, queue));
    CONSTANT(CPU_READY, offsetof(struct cpu, ready));
    CONSTANT(CPU_ROUND, offsetof(struct cpu, round));
    CONSTANT(CPU_HIGHEST, offsetof(struct cpu, highest));
    CONSTANT(CPU_CONTENDED, offsetof(struct cpu, contended));
    CONSTANT(QUEUE_FIRST, offsetof(struct queue, first));
    CONSTANT(QUEUE_LAST, offsetof(struct queue, last));
    CONSTANT(QUEUE_SHIFT, __builtin_ctz(sizeof(struct queue)));
    CONSTANT(TASK_BILLED, offsetof(struct task, billed));
    CONSTANT(TASK_LEFT, offsetof(struct task, left));
    CONSTANT(TASK_ROUND, offsetof(struct task, round));
    CONSTANT(TASK_OVER, offsetof(struct task, over));
    CONSTANT(TASK_OBJECT, offsetof(struct task, object));
    _Static_assert(offsetof(struct task, space) == 0, "a task's address is its space's");
    CONSTANT(TASK_POOL, offsetof(struct task, pool));
    CONSTANT(TASK_FAULT_PORT, offsetof(struct task, fault_port.object));
    CONSTANT(TASK_FAULT_GENERATION, offsetof(struct task, fault_port.generation));
    CONSTANT(TASK_FAULT_BADGE, offsetof(struct task, fault_badge));
    CONSTANT(HANDLE_OBJECT, offsetof(struct handle_entry, object));
    CONSTANT(HANDLE_KEY, offsetof(struct handle_entry, key));
    CONSTANT(HANDLE_BADGE, offsetof(struct handle_entry, badge));
    CONSTANT(HANDLE_RIGHTS, offsetof(struct handle_entry, rights));
    CONSTANT(HANDLES_SIZE, SLOT_COUNT * sizeof(struct handle_entry));
    CONSTANT(OBJECT_KEY, offsetof(struct object, key));
    CONSTANT(OBJECT_TYPE, offsetof(struct object, type));
    CONSTANT(OBJECT_RECEIVER, offsetof(struct object, receiver));
    CONSTANT(OBJECT_THREAD_BODY, offsetof(struct object, thread));
    CONSTANT(OBJECT_RANK, offsetof(struct object, rank));
    CONSTANT(OBJECT_SHIFT, __builtin_ctz(sizeof(struct object)));
    CONSTANT(OBJECT_EVENT, OBJECT_EVENT);
    CONSTANT(OBJECT_TASK, OBJECT_TASK);
    CONSTANT(OBJECTS_TABLE, offsetof(struct object_state, table));
    CONSTANT(OBJECTS_MASK, offsetof(struct object_state, mask));
    CONSTANT(KEY_CALL, KEY_CALL);
    CONSTANT(KEY_RECEIVE, KEY_RECEIVE);
    CONSTANT(KEY_RECEIVE_HANDLE, KEY_RECEIVE_HANDLE);
    CONSTANT(KEY_GENERATION, KEY_GENERATION);
    CONSTANT(RIGHT_CALL, RIGHT_CALL);
    CONSTANT(RIGHT_SIGNAL, RIGHT_SIGNAL);
    CONSTANT(OP_REPLY_RECEIVE, OP_REPLY_RECEIVE);
    CONSTANT(OP_SIGNAL, OP_SIGNAL);
    CONSTANT(EVENT_BITS, offsetof(struct event, bits));
    CONSTANT(EVENT_THREAD, offsetof(struct event, thread));
    CONSTANT(LABEL_EVENT, LABEL_EVENT);
    CONSTANT(THREAD_QUEUE, offsetof(struct thread, queue));
    CONSTANT(LABEL_SERVER, LABEL_SERVER);
    CONSTANT(LABEL_task_ping, LABEL_task_ping);
    CONSTANT(TOKEN_STEP, TOKEN_STEP);
    CONSTANT(TAG_WORDS_SHIFT, TAG_WORDS_SHIFT);
    CONSTANT(TAG_ITEMS_SHIFT, TAG_ITEMS_SHIFT);
    CONSTANT(TAG_WORDS_MASK, TAG_WORDS_MASK);
    CONSTANT(TAG_WORDS_MAX, TAG_WORDS_MAX);
    CONSTANT(KIND_THIRD, sizeof(struct message_kind) / 3);
    _Static_assert(sizeof(void *) != 4 || sizeof(struct message_kind) == 24, "lea multiplies by it");
    CONSTANT(KIND_ANSWER, offsetof(struct message_kind, answer));
    CONSTANT(KIND_ASKED, offsetof(struct message_kind, asked));
    CONSTANT(KIND_ANSWERED, offsetof(struct message_kind, answered));
    CONSTANT(KIND_RIGHTS, offsetof(struct message_kind, rights));
    CONSTANT(MESSAGES_MAX, MESSAGES_MAX);
    CONSTANT(INVOKE_OUT, offsetof(struct invocation, out));
    CONSTANT(INVOKE_IN, offsetof(struct invocation, in));
    _Static_assert(sizeof(void *) != 4 || offsetof(struct invocation, out) == 8 * 4,
                   "fast.asm pushes eight words below those of the message");
    CONSTANT(OBJECT_BODY, offsetof(struct object, body));
    CONSTANT(SLOW_TRACE, SLOW_TRACE);
    CONSTANT(SLOW_CHECK, SLOW_CHECK);
    CONSTANT(SLOW_SCHEDULE, SLOW_SCHEDULE);
    CONSTANT(TSS_ESP0, offsetof(struct main_tss, tss.esp0));
    CONSTANT(GDT_TLS, GDT_TLS);
}
