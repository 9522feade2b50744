// SPDX-License-Identifier: MIT
// The interface init of abi/ipc.def. Callers are programs: every field is their allegation, and
// the badge alone says who speaks.
#include "startup.h"
#include "ended.h"
#include "off.h"
#include "server.h"

#define SERVE_NUMBER 32
#include "serve.h"
#include "service.h"

static int serve_init_args(const struct request *request, const struct init_args_in *in,
                           struct init_args_out *out) {
    (void)in;
    const struct program *program = program_find(request->badge);
    if (program == NULL) {
        return E_DENIED;
    }
    out->line = program->line;
    return OK;
}

// A status has eight bits, as Unix programs expect; a failure does not become a success by that.
static uint32_t status_of(uint32_t alleged) {
    uint32_t status = alleged & 0xff;
    return alleged != 0 && status == 0 ? 1 : status;
}

static int serve_init_exit(const struct request *request, const struct init_exit_in *in,
                           struct init_exit_out *out) {
    (void)out;
    struct program *program = program_find(request->badge);
    if (program == NULL) {
        return E_DENIED;
    }
    program_end(program, status_of(in->status), CAUSE_EXIT);
    return REPLY_LATER;
}

static int serve_init_spawn(const struct request *request, const struct init_spawn_in *in,
                            struct init_spawn_out *out) {
    return in->line.length >= TEXT_BYTES
               ? E_ARGUMENT : program_start(&in->line, request->badge, &out->task);
}

static int serve_init_wait(const struct request *request, const struct init_wait_in *in,
                           struct init_wait_out *out) {
    struct ending ending;
    if (in->task == request->badge) {
        return E_ARGUMENT;  // it would wait for ever
    }
    error_t error = program_wait(request->token, request->badge, in->task, &ending);
    if (error == OK) {
        out->status = ending.status;
        out->cause = ending.cause;
    }
    return error == E_EMPTY ? REPLY_LATER : (int)error;
}

static int serve_init_kill(const struct request *request, const struct init_kill_in *in,
                           struct init_kill_out *out) {
    (void)out;
    struct program *program = program_find(in->task);
    if (program == NULL) {
        return in->task < TASK_SERVERS_END ? E_DENIED : E_NOT_FOUND;
    }
    if (!program_descends(in->task, request->badge)) {
        return E_DENIED;
    }
    program_end(program, STATUS_KILLED, CAUSE_KILLED);
    return in->task == request->badge ? REPLY_LATER : OK;
}

static error_t task_describe(uint32_t number, handle_t task, const char *name,
                             struct init_task_info_out *out) {
    struct task_info_out info;
    error_t error = task_info(task, &info);
    if (error == OK) {
        *out = (struct init_task_info_out){number, info.state, info.cycles_low, info.cycles_high,
                                           info.billed_low, info.billed_high, info.share,
                                           info.mapped, name_of(name)};
    }
    return error;
}

// init itself, the servers that run, then the programs.
static int serve_init_task_info(const struct request *request, const struct init_task_info_in *in,
                                struct init_task_info_out *out) {
    (void)request;
    uint32_t index = in->index;
    if (index == 0) {
        return (int)task_describe(TASK_INIT, HANDLE(SLOT_TASK), server_names[TASK_INIT], out);
    }
    index--;
    for (uint32_t number = TASK_PAGER; number < TASK_SERVERS_END; number++) {
        if (servers[number].plan != NULL && index-- == 0) {
            return (int)task_describe(number, server_task(number), server_names[number], out);
        }
    }
    const struct program *program = program_at(index);
    return program == NULL ? (int)E_NOT_FOUND
                           : (int)task_describe(program->number, HANDLE(program->task),
                                                program->name, out);
}

static int serve_init_module_info(const struct request *request,
                                  const struct init_module_info_in *in,
                                  struct init_module_info_out *out) {
    (void)request;
    if (in->index >= start_info()->module_count) {
        return E_NOT_FOUND;
    }
    out->length = start_info()->module[in->index].length;
    out->name = name_of(start_info()->module[in->index].name);
    return OK;
}

static int serve_init_policy(const struct request *request, const struct init_policy_in *in,
                             struct init_policy_out *out) {
    (void)out;
    return program_is_owner(request->badge) ? (int)pager_policy_set(HANDLE(SLOT_PAGER), in->policy)
                                            : E_DENIED;
}

static int serve_init_frames(const struct request *request, const struct init_frames_in *in,
                             struct init_frames_out *out) {
    (void)out;
    return program_is_owner(request->badge)
               ? (int)pager_limit_set(HANDLE(SLOT_PAGER), in->frames, in->domains) : E_DENIED;
}

static int serve_init_trace(const struct request *request, const struct init_trace_in *in,
                            struct init_trace_out *out) {
    struct tracer_control_out answer = {0};
    if (!program_is_owner(request->badge)) {
        return E_DENIED;
    }
    if (in->on > 1) {
        return E_ARGUMENT;
    }
    if (servers[TASK_TRACER].plan == NULL) {
        return E_HANDLE;  // there is no trace device
    }
    error_t error = tracer_control(HANDLE(SLOT_TRACER), in->on, &answer);
    out->was = answer.was;
    return (int)error;
}

static int serve_init_off(const struct request *request, const struct init_off_in *in,
                          struct init_off_out *out) {
    (void)out;
    if (!program_is_owner(request->badge)) {
        return E_DENIED;
    }
    system_off(status_of(in->status));
}

static int serve_init_boot_info(const struct request *request, const struct init_boot_info_in *in,
                                struct init_boot_info_out *out) {
    (void)request;
    (void)in;
    struct machine_info_out machine;
    error_t error = machine_info(HANDLE(SLOT_MACHINE), &machine);
    if (error == OK) {
        *out = (struct init_boot_info_out){machine.frames_total, machine.frames_free,
                                           command_line.seed};
    }
    return (int)error;
}

// The tag to reply with; 0: nobody is to be answered now.
static tag_t serve(const struct received *received, union serve_body *reply) {
    if (TAG_IS_ERROR(received->tag)) {
        return 0;
    }
    if (received->token == 0 && TAG_LABEL(received->tag) == LABEL_EVENT) {
        programs_died(received->word[0]);
        return 0;
    }
    return serve_request(received, reply);
}

void service_run(void) {
    static union serve_body reply;
    struct received received;
    ipc_receive(HANDLE(SLOT_PORT), &received);
    for (;;) {
        tag_t tag = serve(&received, &reply);
        if (tag != 0) {
            ipc_reply_receive(HANDLE(SLOT_PORT), received.token, tag, reply.word, &received);
        } else {
            ipc_receive(HANDLE(SLOT_PORT), &received);
        }
    }
}
