// SPDX-License-Identifier: MIT
#include "service.h"
#include "audit.h"
#include "control.h"
#include "demand.h"
#include "mapping.h"
#include "module.h"
#include "program.h"
#include "transfer.h"

#define SERVE_NUMBER 33
#include "serve.h"

#define BADGE_INIT 1u

// The domain that speaks; NULL: whoever it is has no program here.
static struct domain *caller(const struct request *request) {
    return domain_find(request->badge);
}

static int from_init(const struct request *request) {
    return request->badge == BADGE_INIT;
}

// ---- from programs ---------------------------------------------------------------------------

static int serve_pager_map(const struct request *request, const struct pager_map_in *in,
                           struct pager_map_out *out) {
    struct domain *domain = caller(request);
    return domain == NULL ? E_STATE
                          : mapping_add(domain, in->hint, in->length, in->rights, MAPPING_NO_FILE,
                                        0, &out->address);
}

static int serve_pager_unmap(const struct request *request, const struct pager_unmap_in *in,
                             struct pager_unmap_out *out) {
    (void)out;
    struct domain *domain = caller(request);
    return domain == NULL ? E_STATE : mapping_remove(domain, in->address, in->length);
}

static int serve_pager_protect(const struct request *request, const struct pager_protect_in *in,
                               struct pager_protect_out *out) {
    (void)out;
    struct domain *domain = caller(request);
    return domain == NULL ? E_STATE
                          : mapping_protect(domain, in->address, in->length, in->rights);
}

static int serve_pager_file_open(const struct request *request,
                                 const struct pager_file_open_in *in,
                                 struct pager_file_open_out *out) {
    (void)request;
    error_t error = module_find(&in->name, &out->file);
    if (error == OK) {
        out->length = module_at(out->file)->length;
    }
    return error;
}

static int serve_pager_file_map(const struct request *request, const struct pager_file_map_in *in,
                                struct pager_file_map_out *out) {
    struct domain *domain = caller(request);
    if (domain == NULL || in->file == MAPPING_NO_FILE) {
        return domain == NULL ? E_STATE : E_NOT_FOUND;
    }
    return mapping_add(domain, in->hint, in->length, in->rights, in->file, in->offset,
                       &out->address);
}

static void stats_add(struct pager_stats_out *out, const struct counters *counters) {
    out->faults += counters->faults;
    out->evictions += counters->evictions;
    out->written += counters->written;
    out->read += counters->read;
    out->zeroed += counters->zeroed;
    out->copied += counters->copied;
    out->scans += counters->scans;
}

static void stats_add_domain(struct pager_stats_out *out, const struct domain *domain) {
    stats_add(out, &domain->counters);
    out->resident += domain->resident;
    out->swapped += domain->swapped + domain->writing;
}

static int serve_pager_stats(const struct request *request, const struct pager_stats_in *in,
                             struct pager_stats_out *out) {
    (void)request;
    const struct domain *one = in->task == 0 ? NULL : domain_recall(in->task);
    struct policy_choice choice = *control_choice(CONTROL_OTHERS);
    uint32_t limit = control_limit(CONTROL_OTHERS);
    if (in->task != 0 && one == NULL) {
        return E_NOT_FOUND;
    }
    if (one != NULL) {
        stats_add_domain(out, one);
        out->violations = one->policy.faults;
        choice = one->policy.kind == NULL ? choice : resident_choice(one);
        limit = one->limit;
    } else {
        stats_add(out, &domain_past);
        for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
            stats_add_domain(out, &domain_table[i]);
        }
        out->violations = resident_faults();
    }
    out->limit = limit == LIMIT_NONE ? 0 : limit;
    policy_describe(&choice, out->policy.bytes, NAME_BYTES);
    return OK;
}

static int serve_pager_page_state(const struct request *request,
                                  const struct pager_page_state_in *in,
                                  struct pager_page_state_out *out) {
    struct domain *domain = caller(request);
    return domain == NULL ? E_STATE : mapping_state(domain, in->address, &out->state);
}

static int serve_pager_advise(const struct request *request, const struct pager_advise_in *in,
                              struct pager_advise_out *out) {
    (void)out;
    struct domain *domain = caller(request);
    return domain == NULL ? E_STATE
                          : mapping_advise(domain, in->address, in->length, in->advice);
}

// ---- from init -------------------------------------------------------------------------------

static int serve_pager_module_add(const struct request *request,
                                  const struct pager_module_add_in *in,
                                  struct pager_module_add_out *out) {
    (void)out;
    return from_init(request) ? module_add(&in->name, in->first, in->length) : E_DENIED;
}

static int serve_pager_store_attach(const struct request *request,
                                    const struct pager_store_attach_in *in,
                                    struct pager_store_attach_out *out) {
    (void)out;
    return from_init(request) ? transfer_attach(in->pages) : E_DENIED;
}

static int serve_pager_task_admit(const struct request *request,
                                  const struct pager_task_admit_in *in,
                                  struct pager_task_admit_out *out) {
    handle_t space = message_buffer()->handle[0];
    if (!from_init(request)) {
        machine_handle_drop(space);
        return E_DENIED;
    }
    struct program_start start = {0};
    error_t error = program_admit(in->task, space, &in->module, &start);
    *out = (struct pager_task_admit_out){start.entry, start.stack};
    return error;
}

static int serve_pager_task_retire(const struct request *request,
                                   const struct pager_task_retire_in *in,
                                   struct pager_task_retire_out *out) {
    (void)out;
    return from_init(request) ? program_retire(in->task) : E_DENIED;
}

static int serve_pager_policy_set(const struct request *request,
                                  const struct pager_policy_set_in *in,
                                  struct pager_policy_set_out *out) {
    (void)out;
    return from_init(request) ? control_policy_set(&in->policy) : E_DENIED;
}

static int serve_pager_limit_set(const struct request *request,
                                 const struct pager_limit_set_in *in,
                                 struct pager_limit_set_out *out) {
    (void)out;
    return from_init(request) ? control_limit_set(in->frames, &in->domains) : E_DENIED;
}

static int serve_pager_policy_at(const struct request *request,
                                 const struct pager_policy_at_in *in,
                                 struct pager_policy_at_out *out) {
    (void)out;
    return from_init(request) ? control_policy_plan(in->fault, &in->policy) : E_DENIED;
}

// Task 0: the last complaint about a policy.
static int serve_pager_death_reason(const struct request *request,
                                    const struct pager_death_reason_in *in,
                                    struct pager_death_reason_out *out) {
    const struct domain *domain = in->task == 0 ? NULL : domain_recall(in->task);
    if (!from_init(request) && request->badge != in->task) {
        return E_DENIED;
    }
    const char *text = domain == NULL ? resident_complaint : domain->reason;
    if ((domain == NULL && in->task != 0) || text[0] == 0) {
        return E_NOT_FOUND;
    }
    for (; out->line.length < TEXT_BYTES && text[out->line.length] != 0; out->line.length++) {
        out->line.bytes[out->line.length] = text[out->line.length];
    }
    return OK;
}

static int serve_pager_check(const struct request *request, const struct pager_check_in *in,
                             struct pager_check_out *out) {
    (void)in;
    if (!from_init(request)) {
        return E_DENIED;  // it takes long, and nobody else is served meanwhile
    }
    out->violations = audit_count();
    return OK;
}

tag_t serve_message(const struct received *received, const uint32_t **words) {
    static union serve_body reply;
    *words = reply.word;
    uint32_t handles = TAG_HANDLES(received->tag);
    int keeps = TAG_LABEL(received->tag) == LABEL_pager_task_admit && handles == 1 &&
                TAG_WORDS(received->tag) == WORDS_pager_task_admit;
    for (uint32_t i = 0; i < handles && !keeps; i++) {
        machine_handle_drop(message_buffer()->handle[i]);  // nobody asked for it
    }
    return serve_request(received, &reply);
}
